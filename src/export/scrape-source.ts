import { withTimeout } from '../base/deadline.ts';
import { OptionError } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';
import type { ResourceMetrics } from '../collect/metric-data.ts';
import { MetricSource, type MetricSourceOptions, type ReadableStore } from '../collect/metric-source.ts';
import type { MetricColumns } from '../collect/rows/column.ts';
import type { ExpositionOptions } from './family-plan.ts';
import { columnsOf } from './foreign-metrics.ts';
import { sourceOf } from './metric-producer.ts';

/** Any reader or producer of OpenTelemetry: what official ones have in common. */
export interface Collectable {
  collect(options?: {
    timeoutMillis?: number;
  }): Promise<{ resourceMetrics: unknown; errors: readonly unknown[] }>;
  /** What its text is like where the options of the handler say nothing. */
  readonly exposition?: ExpositionOptions;
}

/** Whose metrics are served: a store, a `MetricsProvider`, or a reader or producer of any provider. */
export type ScrapeSource = ReadableStore | Collectable;

/** A snapshot that is being taken. */
export interface ScrapeUnderWay {
  /** Settles when nobody else has to be waited for any more. */
  readonly waited: Promise<unknown>;
  /** They stay as they are until the next snapshot is ready to be taken. */
  readonly columns: Promise<MetricColumns>;
}

/**
 * Begins to take a snapshot. Others are waited for within `timeoutMillis`, or both promises reject. `ready`: resolves when nobody reads the columns
 * of the snapshot before.
 */
export type Scrape = (timeoutMillis: number, ready: () => Promise<void>) => ScrapeUnderWay;

/** How long the event loop is held up at a time by a scrape that takes longer. */
export const SLICE_MILLIS: number = 3;

/** What snapshots are taken of. Ours come as columns; those of others are turned into such. `options` are for a store. */
export function scrapeOf(
  source: ScrapeSource,
  warnings: Warnings,
  options: MetricSourceOptions = {},
): Scrape {
  if (typeof source !== 'object' || source === null)
    throw new OptionError(
      'source of createPrometheusHandler',
      source,
      'a MetricStore, a MetricReader or a MetricsProvider',
    );
  if (source instanceof MetricSource) return scrapeOfOwn(source, warnings);
  if ('region' in source) return scrapeOfOwn(new MetricSource(source, options), warnings);
  if (typeof source.collect !== 'function')
    throw new OptionError(
      'source of createPrometheusHandler',
      source,
      'a MetricStore, a MetricReader or a MetricsProvider',
    );
  let own: Scrape | undefined;
  return (timeoutMillis, ready) => {
    const found = own === undefined ? sourceBehind(source) : undefined;
    if (found !== undefined) own = scrapeOfOwn(found.another(), warnings);
    return own?.(timeoutMillis, ready) ?? scrapeOfOther(source, timeoutMillis, warnings);
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

/** Nobody else asks `source` for columns: they are the scrape's until the next one begins. */
function scrapeOfOwn(source: MetricSource, warnings: Warnings): Scrape {
  return (timeoutMillis, ready) => {
    // Callbacks that take too long do not hold up a scrape: their instruments have the values of the last round.
    const waited = withTimeout(timeoutMillis, source.observe(timeoutMillis))
      .catch((error: unknown) => [error])
      .then((errors) => report(errors, warnings));
    return { waited, columns: waited.then(ready).then(() => source.columnsInSlices(SLICE_MILLIS)) };
  };
}

function scrapeOfOther(source: Collectable, timeoutMillis: number, warnings: Warnings): ScrapeUnderWay {
  const waited = withTimeout(timeoutMillis, source.collect({ timeoutMillis }));
  const columns = waited.then(({ resourceMetrics, errors }) => {
    report(errors, warnings);
    return columnsOf(resourceMetrics as ResourceMetrics, (metric, reason) =>
      warnings.loss('left out', metric, `metric ${metric} is not in the Prometheus text: ${reason}`),
    );
  });
  return { waited, columns };
}

function report(errors: readonly unknown[], warnings: Warnings): void {
  for (const error of errors)
    warnings.loss('callback', String(error), `while metrics were collected: ${String(error)}`);
}
