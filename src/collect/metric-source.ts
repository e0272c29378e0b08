import type { AggregationTemporalitySelector } from '@opentelemetry/sdk-metrics';
import { yieldToEventLoop } from '../base/event-loop.ts';
import { performance } from '../base/platform.ts';
import { Region } from '../memory/region.ts';
import { INSTRUMENT_KINDS, type InstrumentKind } from '../state/stream-choices.ts';
import { readerOf, type StoreReader } from './directory/store-reader.ts';
import { StreamSelection } from './directory/stream-selection.ts';
import { TEMPORALITY_DELTA, type Resource } from './metric-data.ts';
import { observe } from './observation.ts';
import { CellReader, type SeqlockReadStats } from './rows/cell-reader.ts';
import { SelfMetrics, type SelfMetric } from './self-metrics.ts';
import type { MetricColumn, MetricColumns } from './rows/column.ts';
import type { DeltaState } from './snapshot/deltas.ts';
import { Snapshots, type RowSink } from './snapshot/snapshot.ts';
import { storeMetrics } from './store-metrics.ts';

/** What is needed of a store to read it. */
export interface ReadableStore {
  readonly region: Region;
}

export interface MetricSourceOptions {
  /** What the metrics are reported for. Default: what the store's publisher said. */
  readonly resource?: Resource | undefined;
  /** Kinds of instruments whose streams `collect` hands over as deltas. Default: none. */
  readonly deltaKinds?: ReadonlySet<InstrumentKind> | undefined;
  /**
   * Key of the aggregation wanted of a kind of instruments (`stream-choices.ts`). Default: of the default
   * aggregation.
   */
  readonly selection?: ((kind: InstrumentKind) => string) | undefined;
  /** Reports the `seqlock.*` metrics (docs/operations.md) beside those of the store. Default false. */
  readonly selfMetrics?: boolean | undefined;
  /** Metrics that are reported too: what the caller knows of the reading thread. */
  readonly moreMetrics?: readonly SelfMetric[] | undefined;
  /** `deltaStates()` of a source in another thread that this source replaces. */
  readonly resume?: readonly DeltaState[] | undefined;
  /**
   * Runs callbacks before a snapshot, and resolves to the errors of those that failed. Default: `observe` of
   * observation.ts.
   */
  readonly observe?: typeof observe | undefined;
}

const NO_RESOURCE: Resource = { attributes: {} };

const withSources = new WeakSet<Region>();

/** Whether this thread has made a source of the region. */
export function hasSource(region: Region): boolean {
  return withSources.has(region);
}

/** Takes metrics as they are read, and makes something of them. */
export interface MetricSink<T> extends RowSink {
  /**
   * Called after the last row. `resource`: what the metrics are about. Where reading failed, it is called
   * too, and its result is not used.
   */
  end(resource: Resource): T;
}

/**
 * Where one reader's metrics come from: a store, its observable callbacks, and what the reader adds. Each
 * reader has a source of its own, because a delta is the difference to what this source handed over before.
 * Belongs to the thread that made it.
 */
export class MetricSource {
  readonly region: Region;
  readonly #options: MetricSourceOptions;
  readonly #store: StoreReader;
  readonly #cells: CellReader;
  readonly #snapshots: Snapshots;
  readonly #selfMetrics: SelfMetrics | undefined;

  /** `cells`: reads cells, and keeps account of it. */
  constructor(store: ReadableStore, options: MetricSourceOptions = {}, cells: CellReader = new CellReader()) {
    const { selection, selfMetrics = false, moreMetrics = [], resume = [] } = options;
    this.region = Region.of(store.region); // the store may be one of another copy of this package
    this.#options = options;
    withSources.add(this.region);
    this.#store = readerOf(this.region);
    this.#cells = cells;
    this.#snapshots = new Snapshots(this.#store, cells, new StreamSelection(this.#store, selection));
    const own = [...(selfMetrics ? storeMetrics(this.#store, cells) : []), ...moreMetrics];
    this.#selfMetrics = own.length > 0 ? new SelfMetrics(own) : undefined;
    if (resume.length === 0) return;
    this.#snapshots.reported.resume(resume);
    this.#selfMetrics?.columns(this.region.takeTime(), this.#isDelta); // those start again
  }

  /**
   * A further source of the same metrics, with columns of its own. It has handed over no deltas. The cost of
   * its reads is added to that of this source.
   */
  another(): MetricSource {
    return new MetricSource({ region: this.region }, { ...this.#options, resume: [] }, this.#cells);
  }

  /** Runs the observable callbacks of all threads, as `collect` does; resolves to what they threw. */
  observe(timeoutMillis?: number): Promise<unknown[]> {
    return (this.#options.observe ?? observe)(this.region, timeoutMillis);
  }

  /**
   * All metrics as they are now, cumulative, as columns. They do not change until this source is asked for
   * columns again: that call refills the same ones, and makes no objects for series seen before.
   */
  columns(): MetricColumns {
    return this.#withOwn(this.#snapshots.takeColumns());
  }

  /**
   * `columns` in slices of `millis` milliseconds, with turns of the event loop in between. Undefined when it
   * was given up because `isWanted` was false. Call it again only when the previous call is done.
   */
  async columnsInSlices(
    millis: number,
    isWanted: () => boolean = () => true,
  ): Promise<MetricColumns | undefined> {
    while (!this.#store.refresh(performance.now() + millis)) await yieldToEventLoop();
    await yieldToEventLoop();
    this.#snapshots.beginColumns();
    let columns;
    while ((columns = this.#snapshots.fillColumns(performance.now() + millis)) === undefined) {
      await yieldToEventLoop();
      if (!isWanted()) return undefined;
    }
    return this.#withOwn(columns);
  }

  #withOwn(columns: readonly MetricColumn[]): MetricColumns {
    return {
      resource: this.#resource(),
      columns: [...columns, ...(this.#selfMetrics?.columns(this.#snapshots.endMillis) ?? [])],
    };
  }

  /**
   * Reads all metrics as they are now, cumulative. Observable instruments have the values of their latest
   * round.
   */
  read<T>(sink: MetricSink<T>): T {
    return this.#read(sink);
  }

  /**
   * Runs the observable callbacks of all threads, then reads all metrics, as deltas for the kinds that want
   * them. `timeoutMillis`: for each callback. `errors`: what failed. Collections of a thread wait for each
   * other, and each has what the one before did not have.
   */
  collect<T>(
    timeoutMillis: number | undefined,
    sink: MetricSink<T>,
  ): Promise<{ readonly taken: T; readonly errors: unknown[] }> {
    return this.#store.turns.take(async () => {
      const errors = await this.observe(timeoutMillis);
      return { taken: this.#read(sink, this.#isDelta), errors };
    });
  }

  /**
   * What `collect` has handed over as deltas, so that a source in another thread can continue (`resume`).
   * Call it between collections.
   */
  deltaStates(): DeltaState[] {
    return this.#snapshots.reported.states();
  }

  /** What this source's reads have cost. */
  readStats(): SeqlockReadStats {
    return this.#cells.stats();
  }

  readonly #isDelta = (kind: InstrumentKind): boolean => this.#options.deltaKinds?.has(kind) === true;

  #read<T>(sink: MetricSink<T>, isDelta?: (kind: InstrumentKind) => boolean): T {
    try {
      this.#snapshots.read(sink, isDelta); // reads the store's configuration too
      const { endMillis } = this.#snapshots;
      for (const column of this.#selfMetrics?.columns(endMillis, isDelta) ?? []) sink.add(column, endMillis);
    } catch (error) {
      sink.end(NO_RESOURCE); // what it took is no part of the next snapshot
      throw error;
    }
    return sink.end(this.#resource());
  }

  #resource(): Resource {
    if (this.#options.resource !== undefined) return this.#options.resource;
    const { resource = {}, resourceSchemaUrl } = this.#store.configuration ?? {};
    return {
      attributes: resource as Resource['attributes'],
      ...(resourceSchemaUrl !== undefined && { schemaUrl: resourceSchemaUrl }),
    };
  }
}

/** The kinds for which a selector chooses delta. */
export function deltaKindsOf(
  selector: AggregationTemporalitySelector | undefined,
): ReadonlySet<InstrumentKind> {
  type Kind = Parameters<AggregationTemporalitySelector>[0];
  return new Set(
    INSTRUMENT_KINDS.filter((kind) => (selector?.(kind as Kind) as number | undefined) === TEMPORALITY_DELTA),
  );
}
