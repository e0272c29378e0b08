import type {
  AggregationTemporalitySelector,
  CollectionResult,
  MetricCollectOptions,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { yieldToEventLoop } from '../base/event-loop.ts';
import { Region } from '../memory/region.ts';
import { requestDeltas } from '../state/delta-requests.ts';
import { INSTRUMENT_KINDS, type InstrumentKind } from '../state/records.ts';
import { CellReader, type ReadStats } from './rows/cell-reader.ts';
import type { DeltaState } from './snapshot/delta-state.ts';
import { observeElsewhere } from './observation.ts';
import type { MetricColumn, MetricColumns } from './snapshot/metric-column.ts';
import { TEMPORALITY_DELTA, type Resource, type ResourceMetrics } from './metric-data.ts';
import { SelfMetrics, type SelfMetric } from './self-metrics.ts';
import { Snapshots } from './snapshot/snapshot.ts';
import { storeMetrics } from './store-metrics.ts';
import { readerOf, type StoreReader } from './directory/store-reader.ts';
import { StreamSelection } from './directory/stream-selection.ts';
import { SerialQueue } from '../base/serial-queue.ts';

type Official = CollectionResult['resourceMetrics'];

/** What the producer needs of a store. */
export interface ReadableStore {
  readonly region: Region;
}

/** Gets observable callbacks to run before a snapshot; resolves to what they threw. */
export type Observe = (timeoutMillis: number | undefined) => Promise<unknown[]>;

export interface SeqlockMetricProducerOptions {
  /** What the metrics are reported for. Default: what the store's publisher said. */
  readonly resource?: Resource | undefined;
  /** Temporality by instrument kind, asked once for each. Default: cumulative. */
  readonly aggregationTemporalitySelector?: AggregationTemporalitySelector | undefined;
  /** Key of the aggregation wanted of a kind of instruments (`aggregation-choice.ts`). Default: of the default aggregation. */
  readonly selection?: ((kind: InstrumentKind) => string) | undefined;
  /** Reports the `seqlock.*` metrics (docs/operations.md) beside those of the store. Default false. */
  readonly selfMetrics?: boolean | undefined;
  /** Reports these too: what the caller knows of the reading thread. */
  readonly moreMetrics?: readonly SelfMetric[] | undefined;
  /** `deltaStates()` of a producer of another thread, whose place this one takes. */
  readonly resume?: readonly DeltaState[] | undefined;
  /** Default: has the callbacks of other threads called. */
  readonly observe?: Observe | undefined;
}

/**
 * A `MetricProducer` over a store, for `setMetricProducer` or the `metricProducers` option of any official reader. For each reader
 * one of its own: delta temporality is the difference to what this producer handed over before. Belongs to the thread that made it.
 */
export class SeqlockMetricProducer implements MetricProducer {
  readonly #store: StoreReader;
  readonly #cells = new CellReader();
  readonly #snapshots: Snapshots;
  readonly #resource: Resource | undefined;
  readonly #observe: Observe;
  readonly #isDelta: (kind: InstrumentKind) => boolean;
  readonly #selfMetrics: SelfMetrics | undefined;
  readonly #columnTurns = new SerialQueue(); // snapshots in slices, one after the other

  constructor(store: ReadableStore, options: SeqlockMetricProducerOptions = {}) {
    const { resource, aggregationTemporalitySelector, selection, observe } = options;
    const { selfMetrics = false, moreMetrics = [], resume } = options;
    const region = Region.of(store.region); // the store may be one of another copy of this package
    this.#store = readerOf(region);
    this.#snapshots = new Snapshots(this.#store, this.#cells, new StreamSelection(this.#store, selection));
    this.#resource = resource;
    this.#observe = observe ?? ((timeoutMillis) => observeElsewhere(region, -1, timeoutMillis));
    const deltaKinds = deltaKindsOf(aggregationTemporalitySelector);
    this.#isDelta = (kind) => deltaKinds.has(kind);
    requestDeltas(region, deltaKinds);
    const own = [...(selfMetrics ? storeMetrics(this.#store, this.#cells) : []), ...moreMetrics];
    this.#selfMetrics = own.length > 0 ? new SelfMetrics(own) : undefined;
    if (resume === undefined || resume.length === 0) return;
    this.#snapshots.deltas.resume(resume);
    this.#selfMetrics?.scopeMetrics(Date.now(), this.#isDelta); // those begin anew
  }

  /**
   * All metrics of the store, now; cumulative, whatever temporality is selected. Observable instruments have the values of their
   * latest round. What `collect` hands over does not depend on it.
   */
  snapshot(): ResourceMetrics {
    return this.#take();
  }

  /** `snapshot` as columns, which the next call of it fills anew: no objects are made for series seen before. */
  columns(): MetricColumns {
    return this.#withOwn(this.#snapshots.takeColumns());
  }

  /**
   * `columns` in slices of `millis` milliseconds, between which the event loop turns. The next call fills the same columns, beginning at any
   * later turn: whoever still reads them finds some series as they are then.
   */
  columnsInSlices(millis: number): Promise<MetricColumns> {
    return this.#columnTurns.take(async () => {
      while (!this.#store.refresh(performance.now() + millis)) await yieldToEventLoop();
      await yieldToEventLoop();
      this.#snapshots.beginColumns();
      let columns;
      while ((columns = this.#snapshots.fillColumns(performance.now() + millis)) === undefined)
        await yieldToEventLoop();
      return this.#withOwn(columns);
    });
  }

  #withOwn(columns: readonly MetricColumn[]): MetricColumns {
    return {
      resource: this.#resourceNow(),
      columns: this.#selfMetrics === undefined ? columns : [...columns, ...this.#selfMetrics.columns()],
    };
  }

  /** Has the observable callbacks of all threads called, as `collect` does; resolves to what they threw. */
  observe(timeoutMillis?: number): Promise<unknown[]> {
    return this.#observe(timeoutMillis);
  }

  /**
   * Has the observable callbacks of all threads called, then takes a snapshot in the temporality that is selected. `timeoutMillis` is
   * for each callback; what failed is in `errors`. Collections of a thread wait for each other; of two, the later has what the earlier
   * did not yet.
   */
  collect(options?: MetricCollectOptions): Promise<CollectionResult> {
    return this.#store.turns.take(() => this.#collect(options));
  }

  async #collect(options?: MetricCollectOptions): Promise<CollectionResult> {
    const errors = await this.#observe(options?.timeoutMillis);
    const { resource, scopeMetrics } = this.#take(this.#isDelta);
    return {
      resourceMetrics: {
        // The official type has two methods besides, merge and getRawAttributes, which readers and exporters do not call.
        resource: resource as Official['resource'],
        // ... and does not say that `schemaUrl` is there and undefined where there is none, which the official SDK has it be.
        scopeMetrics: scopeMetrics as Official['scopeMetrics'],
      },
      errors,
    };
  }

  /** What `collect` has handed over as deltas: a producer of another thread goes on from there (`resume`). Call it between collections. */
  deltaStates(): DeltaState[] {
    return this.#snapshots.deltas.states();
  }

  /** What this producer's reads have cost. */
  readStats(): ReadStats {
    return this.#cells.stats();
  }

  #take(isDelta?: (kind: InstrumentKind) => boolean): ResourceMetrics {
    const scopeMetrics = this.#snapshots.take(isDelta); // reads the store's configuration too
    if (this.#selfMetrics !== undefined)
      scopeMetrics.push(this.#selfMetrics.scopeMetrics(Date.now(), isDelta));
    return { resource: this.#resourceNow(), scopeMetrics };
  }

  #resourceNow(): Resource {
    if (this.#resource !== undefined) return this.#resource;
    const { resource = {}, resourceSchemaUrl } = this.#store.configuration ?? {};
    return {
      attributes: resource as Resource['attributes'],
      ...(resourceSchemaUrl !== undefined && { schemaUrl: resourceSchemaUrl }),
    };
  }
}

/** The kinds for which a selector says delta. */
export function deltaKindsOf(
  selector: AggregationTemporalitySelector | undefined,
): ReadonlySet<InstrumentKind> {
  type Kind = Parameters<AggregationTemporalitySelector>[0];
  return new Set(
    INSTRUMENT_KINDS.filter((kind) => (selector?.(kind as Kind) as number | undefined) === TEMPORALITY_DELTA),
  );
}
