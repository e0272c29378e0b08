import type { MeterProvider } from '@opentelemetry/api';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { VERSION } from '../base/version.ts';
import { performance } from '../base/platform.ts';
import type { SeqlockMetricProducer } from '../export/metric-producer.ts';

/** Readers of newer releases measure themselves, whichever copy of the SDK they come from. */
interface SelfMeasuringReader {
  _setSelfObsMeterProvider?(provider: MeterProvider): void;
  readonly otelComponentType?: string;
}

/** The names that semantic conventions give to readers; others have the name of their class. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['PeriodicExportingMetricReader', 'periodic_metric_reader'],
]);

const DURATION = 'otel.sdk.metric_reader.collection.duration';

/** How many readers were measured here so far, by type: the number is part of their names. */
const counts = new Map<string, number>();

/**
 * Measures a reader's collections (semantic conventions, SDK metrics). The reader does it itself if it can;
 * otherwise it is done here.
 */
export function measureCollections(
  reader: IMetricReader & SelfMeasuringReader,
  producer: SeqlockMetricProducer,
  provider: MeterProvider,
): void {
  if (typeof reader._setSelfObsMeterProvider === 'function') {
    reader._setSelfObsMeterProvider(provider);
    return;
  }
  const name = reader.otelComponentType ?? reader.constructor.name;
  const type = TYPES.get(name) ?? name;
  const number = counts.get(type) ?? 0;
  counts.set(type, number + 1);
  const attributes = { 'otel.component.type': type, 'otel.component.name': `${type}/${number}` };
  const duration = provider.getMeter('seqlock-metrics', VERSION).createHistogram(DURATION, {
    unit: 's',
    description: 'The duration of the collect operation of the metric reader.',
    advice: { explicitBucketBoundaries: [] },
  });
  const collect = producer.collect.bind(producer);
  producer.collect = async (options) => {
    const started = performance.now();
    const result = await collect(options);
    const failed = result.errors.length > 0 && { 'error.type': typeOf(result.errors[0]) };
    duration.record((performance.now() - started) / 1000, { ...attributes, ...failed });
    return result;
  };
}

function typeOf(error: unknown): string {
  return error instanceof Error ? error.name : 'collect_error';
}
