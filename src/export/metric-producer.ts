import type {
  AggregationTemporalitySelector,
  CollectionResult,
  MetricCollectOptions,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { shortText } from '../base/errors.ts';
import { flag, isObject, rule, someFunction, table, type Check } from '../base/options.ts';
import { Warnings } from '../base/warnings.ts';
import { collectedResource } from './collected-resource.ts';
import type { Resource, ResourceMetrics } from '../collect/metric-data.ts';
import { deltaKindsOf, MetricSource, type ReadableStore } from '../collect/metric-source.ts';
import type { SeqlockReadStats } from '../collect/rows/cell-reader.ts';
import { DataPoints } from './data-points.ts';

type Official = CollectionResult['resourceMetrics'];

/** How a producer reports a store. */
export interface SeqlockMetricProducerOptions {
  /** What the metrics are reported for. Default: what the store's publisher said. */
  readonly resource?: Resource | undefined;
  /** Temporality by instrument kind, asked once for each. Default: cumulative. */
  readonly aggregationTemporalitySelector?: AggregationTemporalitySelector | undefined;
  /** Reports the `seqlock.*` metrics (docs/operations.md) beside those of the store. Default false. */
  readonly selfMetrics?: boolean | undefined;
}

const CHECK: Check = table<SeqlockMetricProducerOptions>(
  {
    resource: rule('a Resource: an object with attributes', isObject),
    aggregationTemporalitySelector: someFunction,
    selfMetrics: flag,
  },
  { prefix: '' },
);

/**
 * A `MetricProducer` over a store, for `setMetricProducer` or the `metricProducers` option of any official
 * reader. Make one for each reader: delta temporality is the difference to what this producer handed over
 * before. Belongs to the thread that made it.
 */
export class SeqlockMetricProducer implements MetricProducer {
  readonly #source: MetricSource;
  readonly #points = new DataPoints();

  /** @throws OptionError where an option is wrong; it names the option. */
  constructor(store: ReadableStore, options: SeqlockMetricProducerOptions = {}) {
    CHECK(options, 'options of SeqlockMetricProducer');
    const { aggregationTemporalitySelector, ...others } = options;
    // Code of this package passes a source, which may have options that users cannot set.
    this.#source =
      store instanceof MetricSource
        ? store
        : new MetricSource(store, { ...others, deltaKinds: deltaKindsOf(aggregationTemporalitySelector) });
    setSource(this, this.#source);
  }

  /**
   * All metrics of the store as they are now, always cumulative. Observable instruments have the values of
   * their latest round. Does not change what `collect` hands over.
   */
  snapshot(): ResourceMetrics {
    return this.#source.read(this.#points);
  }

  /**
   * Runs the observable callbacks of all threads, then takes a snapshot in the selected temporality.
   * `timeoutMillis`: for each callback, in milliseconds. `errors`: what failed. Collections of a thread wait
   * for each other, and each has what the one before did not have.
   */
  async collect(options?: MetricCollectOptions): Promise<CollectionResult> {
    const { taken, errors } = await this.#source.collect(options?.timeoutMillis, this.#points);
    return {
      resourceMetrics: {
        resource: collectedResource(taken.resource),
        // In the official SDK `schemaUrl` is always there and may be undefined; the official type does not
        // say so.
        scopeMetrics: taken.scopeMetrics as Official['scopeMetrics'],
      },
      errors,
    };
  }

  /** What this producer's reads have cost. */
  readStats(): SeqlockReadStats {
    return this.#source.readStats();
  }
}

const sources = new WeakMap<object, MetricSource>();

/** Notes the source that an object of this copy of the package reads. */
export function setSource(reader: object, source: MetricSource): void {
  sources.set(reader, source);
}

/**
 * The source that a producer of this copy of the package reads, or another object that has noted one;
 * otherwise undefined.
 */
export function sourceOf(reader: object): MetricSource | undefined {
  return sources.get(reader);
}

const warnings = new Warnings();

/** Runs observable callbacks for the next read. Never rejects. */
export async function observeNext(source: MetricSource): Promise<void> {
  for (const error of await source.observe().catch((reason: unknown) => [reason]))
    warnings.loss(
      'callback',
      shortText(error),
      `an observable callback failed: ${shortText(error)}. What it observed in this round is not used`,
    );
}
