/** A provider with a reader, for tests of one thread. */
import type { Attributes } from '@opentelemetry/api';
import type { MetricReaderOptions } from '@opentelemetry/sdk-metrics';
import { SeqlockMeterProvider, SeqlockMetricReader, type Metric, type SeqlockMeterProviderOptions } from '../../src/index.ts';
import type { Meter } from '../../src/sdk/meter.ts';

export interface ReadPoint {
  readonly attributes: Attributes;
  readonly value: unknown;
}

export interface ProviderUnderTest {
  readonly provider: SeqlockMeterProvider;
  readonly reader: SeqlockMetricReader;
  readonly meter: Meter;
  /** All metrics of all scopes, now. */
  metrics(): Metric[];
  /** The points of all metrics of a name. */
  points(name: string): ReadPoint[];
  /** The value of the only point of a name. */
  value(name: string): unknown;
}

const made: SeqlockMeterProvider[] = [];

export function makeProvider(
  readerOptions?: MetricReaderOptions,
  options?: SeqlockMeterProviderOptions,
): ProviderUnderTest {
  const reader = new SeqlockMetricReader(readerOptions);
  const provider = new SeqlockMeterProvider({ ...options, readers: [reader] });
  made.push(provider);
  const metrics = (): Metric[] => reader.snapshot().scopeMetrics.flatMap((scope) => scope.metrics);
  const points = (name: string): ReadPoint[] =>
    metrics()
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes, value })));
  const value = (name: string): unknown => {
    const found = points(name);
    if (found.length !== 1) throw new Error(`${name} has ${found.length} points`);
    return found[0]!.value;
  };
  return { provider, reader, meter: provider.getMeter('test') as Meter, metrics, points, value };
}

/** For `afterEach`. */
export async function shutDownProviders(): Promise<void> {
  await Promise.all(made.splice(0).map((provider) => provider.shutdown()));
}
