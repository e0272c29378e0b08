import type { Region } from '../memory/region.ts';
import { CellReader, type ReadStats } from './cell-reader.ts';
import type { Resource, ResourceMetrics } from './metric-data.ts';
import { Snapshots } from './snapshot.ts';
import { readerOf, type StoreReader } from './store-reader.ts';

/** What the producer needs of a store. */
export interface ReadableStore {
  readonly region: Region;
}

/**
 * A `MetricProducer` over a store, for `setMetricProducer` or the `metricProducers` option of any official reader.
 * Cumulative temporality. Belongs to the thread that made it.
 */
export class SeqlockMetricProducer {
  readonly #store: StoreReader;
  readonly #cells = new CellReader();
  readonly #snapshots: Snapshots;
  readonly #resource: Resource | undefined;

  /** `resource`: what the metrics are reported for; by default, what the store's publisher said. */
  constructor(store: ReadableStore, resource?: Resource) {
    this.#store = readerOf(store.region);
    this.#snapshots = new Snapshots(this.#store, this.#cells);
    this.#resource = resource;
  }

  /** All metrics of the store, now. */
  snapshot(): ResourceMetrics {
    const scopeMetrics = this.#snapshots.take();
    return { resource: this.#resource ?? this.#storedResource(), scopeMetrics };
  }

  /** `snapshot` in the shape official readers ask for. */
  collect(): Promise<{ resourceMetrics: ResourceMetrics; errors: unknown[] }> {
    return new Promise((resolve) => {
      resolve({ resourceMetrics: this.snapshot(), errors: [] });
    });
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
