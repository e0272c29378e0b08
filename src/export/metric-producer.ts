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
 * reader. For each reader one of its own: delta temporality is the difference to what this producer handed
 * over before. Belongs to the thread that made it.
 */
export class SeqlockMetricProducer implements MetricProducer {
  readonly #source: MetricSource;
  readonly #points = new DataPoints();

  /** @throws OptionError where an option is wrong; it names the option. */
  constructor(store: ReadableStore, options: SeqlockMetricProducerOptions = {}) {
    CHECK(options, 'options of SeqlockMetricProducer');
    const { aggregationTemporalitySelector, ...others } = options;
    // Inside of the package a source is given, which may have been told more than users can.
    this.#source =
      store instanceof MetricSource
        ? store
        : new MetricSource(store, { ...others, deltaKinds: deltaKindsOf(aggregationTemporalitySelector) });
    setSource(this, this.#source);
  }

  /**
   * All metrics of the store, now; cumulative, whatever temporality is selected. Observable instruments have
   * the values of their latest round. What `collect` hands over does not depend on it.
   */
  snapshot(): ResourceMetrics {
    return this.#source.read(this.#points);
  }

  /**
   * Has the observable callbacks of all threads called, then takes a snapshot in the temporality that is
   * selected. `timeoutMillis` is for each callback; what failed is in `errors`. Collections of a thread wait
   * for each other; of two, the later has what the earlier did not yet.
   */
  async collect(options?: MetricCollectOptions): Promise<CollectionResult> {
    const { taken, errors } = await this.#source.collect(options?.timeoutMillis, this.#points);
    return {
      resourceMetrics: {
        resource: collectedResource(taken.resource),
        // The official type does not say that `schemaUrl` is there and undefined where there is none, which
        // the official SDK has it be.
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

/** Notes what an object of this copy of the package reads. */
export function setSource(reader: object, source: MetricSource): void {
  sources.set(reader, source);
}

/**
 * What a producer of this copy of the package reads, or another object that said so; undefined for anything
 * else.
 */
export function sourceOf(reader: object): MetricSource | undefined {
  return sources.get(reader);
}

const warnings = new Warnings();

/** Has observable callbacks called, for whoever reads next. Never rejects. */
export async function observeNext(source: MetricSource): Promise<void> {
  for (const error of await source.observe().catch((reason: unknown) => [reason]))
    warnings.loss(
      'callback',
      shortText(error),
      `an observable callback failed: ${shortText(error)}. What it observed in this round is not used`,
    );
}
