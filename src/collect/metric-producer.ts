import type { CollectionResult, MetricCollectOptions, MetricProducer } from '@opentelemetry/sdk-metrics';
import type { Region } from '../memory/region.ts';
import { CellReader, type ReadStats } from './cell-reader.ts';
import { observeElsewhere } from './observation.ts';
import type { MetricColumns } from './metric-column.ts';
import type { Resource, ResourceMetrics } from './metric-data.ts';
import { SelfMetrics } from './self-metrics.ts';
import { Snapshots } from './snapshot.ts';
import { storeMetrics } from './store-metrics.ts';
import { hrTimeOf, readerOf, type StoreReader } from './store-reader.ts';

/** What the producer needs of a store. */
export interface ReadableStore {
  readonly region: Region;
}

export interface ProducerOptions {
  /** Reports the `seqlock.*` metrics (docs/operations.md) beside those of the store. Default false. */
  readonly selfMetrics?: boolean;
}

/** Gets observable callbacks to run before a snapshot; resolves to what they threw. */
export type Observe = (timeoutMillis: number | undefined) => Promise<unknown[]>;

/**
 * A `MetricProducer` over a store, for `setMetricProducer` or the `metricProducers` option of any official reader.
 * Cumulative temporality. Belongs to the thread that made it.
 */
export class SeqlockMetricProducer implements MetricProducer {
  readonly #store: StoreReader;
  readonly #cells = new CellReader();
  readonly #snapshots: Snapshots;
  readonly #resource: Resource | undefined;
  readonly #observe: Observe;
  readonly #selfMetrics: SelfMetrics | undefined;

  /** `resource`: what the metrics are reported for; by default, what the store's publisher said. */
  constructor(
    store: ReadableStore,
    resource?: Resource,
    observe?: Observe,
    { selfMetrics = false }: ProducerOptions = {},
  ) {
    this.#store = readerOf(store.region);
    this.#snapshots = new Snapshots(this.#store, this.#cells);
    this.#resource = resource;
    this.#observe = observe ?? ((timeoutMillis) => observeElsewhere(store.region, -1, timeoutMillis));
    this.#selfMetrics = selfMetrics ? new SelfMetrics(storeMetrics(this.#store, this.#cells)) : undefined;
  }

  /** All metrics of the store, now. Observable instruments have the values of their latest round. */
  snapshot(): ResourceMetrics {
    const scopeMetrics = this.#snapshots.take();
    if (this.#selfMetrics !== undefined)
      scopeMetrics.push(this.#selfMetrics.scopeMetrics(hrTimeOf(Date.now())));
    return { resource: this.#resource ?? this.#storedResource(), scopeMetrics };
  }

  /** `snapshot` as columns, which the next call of it fills anew: no objects are made for series seen before. */
  columns(): MetricColumns {
    const columns = this.#snapshots.takeColumns();
    if (this.#selfMetrics !== undefined) columns.push(...this.#selfMetrics.columns());
    return { resource: this.#resource ?? this.#storedResource(), columns };
  }

  /** Has the observable callbacks of all threads called, as `collect` does; resolves to what they threw. */
  observe(timeoutMillis?: number): Promise<unknown[]> {
    return this.#observe(timeoutMillis);
  }

  /**
   * Has the observable callbacks of all threads called, then takes a snapshot. `timeoutMillis` is for each callback; what failed is
   * in `errors`.
   */
  async collect(options?: MetricCollectOptions): Promise<CollectionResult> {
    const errors = await this.#observe(options?.timeoutMillis);
    // The official type wants a Resource of @opentelemetry/resources; readers and exporters use its attributes alone.
    return { resourceMetrics: this.snapshot() as unknown as CollectionResult['resourceMetrics'], errors };
  }

  /** What this producer's reads have cost. */
  readStats(): ReadStats {
    return this.#cells.stats();
  }

  #storedResource(): Resource {
    const { resource = {}, resourceSchemaUrl } = this.#store.configuration ?? {};
    return {
      attributes: resource as Resource['attributes'],
      ...(resourceSchemaUrl !== undefined && { schemaUrl: resourceSchemaUrl }),
    };
  }
}
