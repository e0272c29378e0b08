import { OptionError } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';
import type { ResourceMetrics } from '../collect/metric-data.ts';
import { MetricSource, type MetricSourceOptions, type ReadableStore } from '../collect/metric-source.ts';
import { hasCallbacks } from '../collect/observation.ts';
import type { MetricColumns } from '../collect/rows/column.ts';
import type { ExpositionOptions } from './family-plan.ts';
import { columnsOf } from './foreign-metrics.ts';
import { sourceOf } from './metric-producer.ts';

/** Any reader or producer of OpenTelemetry: what the official ones have in common. */
export interface Collectable {
  /** Calls observable callbacks, for at most `timeoutMillis` milliseconds each, and gives all metrics. */
  collect(options?: {
    timeoutMillis?: number;
  }): Promise<{ resourceMetrics: unknown; errors: readonly unknown[] }>;
  /** Defaults for the options of the handler. */
  readonly exposition?: ExpositionOptions;
}

/** Whose metrics are served: a store, a `MetricsProvider`, or a reader or producer of any provider. */
export type ScrapeSource = ReadableStore | Collectable;

/** How a handler gets at the metrics it serves. */
export interface SnapshotSource {
  /**
   * Runs the observable callbacks, for at most `timeoutMillis` each; a reader of another SDK collects.
   * Rejects if nothing can be served then.
   */
  observe(timeoutMillis: number): Promise<void>;
  /** True if the observations of the time before can be served although `observe` is not done. */
  readonly servesBeforeObserved: boolean;
  /** False if `observe` calls nobody, so that it may be called at any rate. */
  callsBack(): boolean;
  /**
   * Takes a snapshot, in slices. Its columns do not change until the next call. Undefined when it was given
   * up because `isWanted` was false.
   */
  columns(isWanted: () => boolean): Promise<MetricColumns | undefined>;
}

/** The longest time that a scrape holds up the event loop without a pause. */
export const SLICE_MILLIS: number = 3;

/**
 * The source of snapshots. Call the result for each scrape: a reader may get its provider later, and throws
 * before that. Our own sources give columns; metrics of others are turned into columns. `options`: for a
 * store.
 */
export function snapshotSourceOf(
  source: ScrapeSource,
  warnings: Warnings,
  options: MetricSourceOptions = {},
): () => SnapshotSource {
  const isObject = typeof source === 'object' && source !== null;
  if (!isObject || !('region' in source || typeof source.collect === 'function'))
    throw new OptionError(
      'source of createPrometheusHandler',
      source,
      'a MetricStore, a MetricReader or a MetricsProvider',
    );
  if ('region' in source) {
    const own = ofOwn(source instanceof MetricSource ? source : new MetricSource(source, options), warnings);
    return () => own;
  }
  let found: SnapshotSource | undefined;
  return () => {
    if (found !== undefined) return found;
    const own = sourceBehind(source);
    return (found = own === undefined ? ofOther(source, warnings) : ofOwn(own.another(), warnings));
  };
}

/**
 * The source of an object that reads a store, or of a reader whose producer does, once a provider has the
 * reader.
 */
function sourceBehind(source: Collectable): MetricSource | undefined {
  if ('hasOtherProducers' in source && source.hasOtherProducers === true) return undefined;
  const producer: unknown = 'producer' in source ? source.producer : source;
  return typeof producer === 'object' && producer !== null ? sourceOf(producer) : undefined;
}

/** Defaults of a source for the options of its text. */
export function expositionOf(source: ScrapeSource): ExpositionOptions {
  return ('exposition' in source && source.exposition) || {};
}

/** Nobody else asks `source` for columns. */
function ofOwn(source: MetricSource, warnings: Warnings): SnapshotSource {
  return {
    observe: async (timeoutMillis) => report(await source.observe(timeoutMillis), warnings),
    servesBeforeObserved: true,
    callsBack: () => hasCallbacks(source.region),
    columns: (isWanted) => source.columnsInSlices(SLICE_MILLIS, isWanted),
  };
}

function ofOther(source: Collectable, warnings: Warnings): SnapshotSource {
  let collected: ResourceMetrics;
  return {
    async observe(timeoutMillis) {
      const { resourceMetrics, errors } = await source.collect({ timeoutMillis });
      report(errors, warnings);
      collected = resourceMetrics as ResourceMetrics;
    },
    servesBeforeObserved: false,
    callsBack: () => true,
    columns: async () =>
      columnsOf(collected, (metric, reason) =>
        warnings.loss('left out', metric, `metric ${metric} is left out of the Prometheus output: ${reason}`),
      ),
  };
}

function report(errors: readonly unknown[], warnings: Warnings): void {
  for (const error of errors)
    warnings.loss(
      'callback',
      String(error),
      `an error while metrics were collected: ${String(error)}. What failed keeps its previous values`,
    );
}
