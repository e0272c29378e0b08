import { OptionError } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';
import type { ResourceMetrics } from '../collect/metric-data.ts';
import { MetricSource, type MetricSourceOptions, type ReadableStore } from '../collect/metric-source.ts';
import { hasCallbacks } from '../collect/observation.ts';
import type { MetricColumns } from '../collect/rows/column.ts';
import type { ExpositionOptions } from './family-plan.ts';
import { columnsOf } from './foreign-metrics.ts';
import { sourceOf } from './metric-producer.ts';

/** Any reader or producer of OpenTelemetry: what official ones have in common. */
export interface Collectable {
  /** Calls observable callbacks, for at most `timeoutMillis` milliseconds each, and gives all metrics. */
  collect(options?: {
    timeoutMillis?: number;
  }): Promise<{ resourceMetrics: unknown; errors: readonly unknown[] }>;
  /** What its text is like where the options of the handler say nothing. */
  readonly exposition?: ExpositionOptions;
}

/** Whose metrics are served: a store, a `MetricsProvider`, or a reader or producer of any provider. */
export type ScrapeSource = ReadableStore | Collectable;

/** How a handler gets at the metrics it serves. */
export interface SnapshotSource {
  /**
   * Has the observable callbacks called, for at most `timeoutMillis` each; another SDK's reader collects.
   * Rejects where that leaves nothing to be served.
   */
  observe(timeoutMillis: number): Promise<void>;
  /**
   * True when there is something to be served although `observe` is not done: what was observed the time
   * before.
   */
  readonly servesBeforeObserved: boolean;
  /** False when `observe` calls nobody, so that it may be asked for as often as anybody likes. */
  callsBack(): boolean;
  /**
   * Takes a snapshot, in slices. Its columns stay as they are until the next call. Undefined when it was
   * given up, as soon as it is not wanted any more.
   */
  columns(isWanted: () => boolean): Promise<MetricColumns | undefined>;
}

/** How long the event loop is held up at a time by a scrape that takes longer. */
export const SLICE_MILLIS: number = 3;

/**
 * What snapshots are taken of; to be asked for each scrape, since a reader may get its provider later, and
 * throws before. Ours come as columns; those of others are turned into such. `options` are for a store.
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

/** Of what reads a store, or of a reader whose producer does: as soon as a provider has the reader. */
function sourceBehind(source: Collectable): MetricSource | undefined {
  if ('hasOtherProducers' in source && source.hasOtherProducers === true) return undefined;
  const producer: unknown = 'producer' in source ? source.producer : source;
  return typeof producer === 'object' && producer !== null ? sourceOf(producer) : undefined;
}

/** What a text of the source is like unless options say otherwise. */
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
