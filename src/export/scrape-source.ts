import { within } from '../base/deadline.ts';
import { OptionError } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';
import { columnsOf, type MetricColumns } from '../collect/metric-column.ts';
import type { ResourceMetrics } from '../collect/metric-data.ts';
import {
  SeqlockMetricProducer,
  type SeqlockMetricProducerOptions,
  type ReadableStore,
} from '../collect/metric-producer.ts';

/** Any reader or producer of OpenTelemetry: what official ones have in common. */
export interface Collectable {
  collect(options?: {
    timeoutMillis?: number;
  }): Promise<{ resourceMetrics: unknown; errors: readonly unknown[] }>;
}

/** Whose metrics are served: a store, or a reader or producer of any provider. */
export type ScrapeSource = ReadableStore | Collectable;

/** Takes a snapshot within `timeoutMillis`, or rejects. Another one may fill the same columns anew at any later turn of the event loop. */
export type Scrape = (timeoutMillis: number) => Promise<MetricColumns>;

/** How long the event loop may be held up at a time by series that were never scraped before. */
export const SLICE_MILLIS: number = 3;

/** What snapshots are taken of. Ours come as columns; those of others are turned into such. `options` are for a store. */
export function scrapeOf(
  source: ScrapeSource,
  warnings: Warnings,
  options: SeqlockMetricProducerOptions = {},
): Scrape {
  if (typeof source !== 'object' || source === null)
    throw new OptionError('source of createPrometheusHandler', source, 'a MetricStore or a MetricReader');
  if ('region' in source) return scrapeOfProducer(new SeqlockMetricProducer(source, options), warnings);
  if (typeof source.collect !== 'function')
    throw new OptionError('source of createPrometheusHandler', source, 'a MetricStore or a MetricReader');
  return async (timeoutMillis) => {
    const producer = producerOf(source);
    return producer === undefined
      ? scrapeOfOther(source, timeoutMillis, warnings)
      : scrapeOfProducer(producer, warnings)(timeoutMillis);
  };
}

/** A SeqlockMetricReader has a producer as soon as a provider has it. */
function producerOf(source: object): SeqlockMetricProducer | undefined {
  const producer = 'producer' in source ? source.producer : source;
  return typeof (producer as Partial<SeqlockMetricProducer>).columns === 'function'
    ? (producer as SeqlockMetricProducer)
    : undefined;
}

function scrapeOfProducer(producer: SeqlockMetricProducer, warnings: Warnings): Scrape {
  return async (timeoutMillis) => {
    // Callbacks that take too long do not hold up a scrape: their instruments have the values of the last round.
    const errors = await within(timeoutMillis, producer.observe(timeoutMillis)).catch((error: unknown) => [
      error,
    ]);
    report(errors, warnings);
    while (!producer.prepare(SLICE_MILLIS)) await turn();
    return producer.columns();
  };
}

async function scrapeOfOther(
  source: Collectable,
  timeoutMillis: number,
  warnings: Warnings,
): Promise<MetricColumns> {
  const { resourceMetrics, errors } = await within(timeoutMillis, source.collect({ timeoutMillis }));
  report(errors, warnings);
  return columnsOf(resourceMetrics as ResourceMetrics, (metric, reason) =>
    warnings.once(`left out ${metric}`, `metric ${metric} is not in the Prometheus text: ${reason}`),
  );
}

function report(errors: readonly unknown[], warnings: Warnings): void {
  for (const error of errors)
    warnings.once(`callback ${String(error)}`, `while metrics were collected: ${String(error)}`);
}

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
