/**
 * The metrics of the drop-in in the store of this thread: where they are written, and how they are read over
 * all threads and processes.
 *
 * A metric is a stream of the scope `prom-client`. Threads that make the same metric share the stream: same
 * class, name, aggregator and buckets. prom-client also allows several metrics of one name, in different
 * registries or one after the other; the second of a thread joins the second of other threads.
 */
import { queueMicrotask } from '../base/platform.ts';
import { NONE, type MergedStream } from '../collect/directory/merged-stream.ts';
import { readerOf, type StoreReader } from '../collect/directory/store-reader.ts';
import { CellCopies } from '../collect/rows/cell-copies.ts';
import { SampledCellReader } from '../collect/rows/cell-reader.ts';
import { rowsOf } from '../collect/rows/row-kinds.ts';
import type { SeriesRows } from '../collect/rows/series-rows.ts';
import type { Region } from '../memory/region.ts';
import type { Attributes } from '@opentelemetry/api';
import type { CanonicalAttributes } from '../state/attributes.ts';
import type { BoundSeries } from '../state/bound-cell.ts';
import { streamKey, type Aggregation, type StreamDescription } from '../state/records.ts';
import { MetricStore } from '../state/store.ts';
import { writerOf } from '../state/store-writer.ts';
import type { RecordedStream } from '../state/stream-writer.ts';
import { AggregatedRows } from './aggregated-rows.ts';
import type { LocalSeries } from './label-series.ts';
import type { Aggregator } from './types.ts';

/** The instrumentation scope of the drop-in's metrics. */
export const PROM_CLIENT_SCOPE = 'prom-client';

/** prom-client knows no limit of series: the store's memory is the limit. */
const UNLIMITED = 2 ** 31;

/** The merges of the store that are prom-client's aggregators. Others are kept in the scope. */
const MERGES = { sum: 'sum', min: 'min', max: 'max' } as const;

/** What a metric is, as far as other threads must know it. */
export interface StoredMetricOptions {
  readonly name: string;
  readonly help: string;
  readonly kind: 'COUNTER' | 'GAUGE' | 'HISTOGRAM';
  readonly aggregation: Aggregation;
  readonly aggregator: Aggregator;
  /** Of a summary. */
  readonly percentiles?: readonly number[];
}

/** The store of this thread, and what is known of its metrics. */
class StoreView {
  readonly store: MetricStore;
  readonly region: Region;
  readonly reader: StoreReader;
  readonly #copies: CellCopies;
  readonly #rows = new Map<MergedStream, SeriesRows>();
  readonly #streams = new Map<string, MergedStream>();
  #scopes = new Map<readonly MergedStream[], number>(); // how many of a scope's streams are in #streams
  #isFresh = false;

  constructor(store: MetricStore) {
    this.store = store;
    this.region = store.region;
    this.reader = readerOf(store.region);
    this.#copies = new CellCopies(store.region, new SampledCellReader());
  }

  /** The number of this thread's slab; undefined while it has written nothing. */
  get slab(): number | undefined {
    return writerOf(this.region).slab;
  }

  /** Looks for what other threads have made. Once a turn it also looks who has ended. */
  refresh(): void {
    this.reader.refreshIfChanged();
    if (!this.#isFresh) {
      this.#copies.begin();
      this.#isFresh = true;
      queueMicrotask(() => (this.#isFresh = false));
    }
    for (const { scope, streams } of this.reader.scopes) {
      if (scope.name !== PROM_CLIENT_SCOPE) continue;
      for (let i = this.#scopes.get(streams) ?? 0; i < streams.length; i++)
        this.#streams.set(streamKey(streams[i]!.description), streams[i]!);
      this.#scopes.set(streams, streams.length);
    }
  }

  /** All metrics of the drop-in, of all threads. */
  streams(): Iterable<MergedStream> {
    return this.#streams.values();
  }

  stream(key: string): MergedStream | undefined {
    return this.#streams.get(key);
  }

  rows(stream: MergedStream): SeriesRows {
    let rows = this.#rows.get(stream);
    if (rows === undefined) {
      rows =
        stream.description.aggregation.type === 'last-value'
          ? new AggregatedRows(stream, this.#copies, aggregatorOf(stream.description), () => this.slab)
          : rowsOf(stream, this.#copies);
      this.#rows.set(stream, rows);
    }
    return rows;
  }
}

let view: StoreView | undefined;

/** The view of the store of this thread, which is opened if that was not done yet. */
export function storeView(): StoreView {
  return (view ??= new StoreView(MetricStore.open()));
}

/** The same for a new metric: in the place of a store that was closed, another one is opened. */
function storeViewForNewMetric(): StoreView {
  if (view?.store.closed === true) view = undefined;
  return storeView();
}

/** Opens the store of this thread. Where that fails, the first metric says why. */
export function openStoreEarly(): void {
  try {
    storeView();
  } catch {
    // said again, and to somebody, when a metric is made
  }
}

/** How the values of a gauge become one. */
export function aggregatorOf({ merge, scope }: StreamDescription): Aggregator {
  const named = scope.attributes?.['aggregator'] as Aggregator | undefined;
  return named ?? (merge as keyof typeof MERGES | undefined) ?? 'sum';
}

/** The percentiles of a summary; undefined for a histogram. */
export function percentilesOf({ scope }: StreamDescription): readonly number[] | undefined {
  const text = scope.attributes?.['percentiles'] as string | undefined;
  return text === undefined ? undefined : (JSON.parse(text) as number[]);
}

/** How many metrics of a class and name this thread has made. */
const made = new Map<string, number>();

/**
 * A metric of this thread: its own part of it, and what all threads have. It stays in the store in which it
 * was made, also when that is closed: offsets and numbers mean nothing in another.
 */
export class StoredMetric {
  readonly #view = storeViewForNewMetric();
  readonly #description: StreamDescription;
  readonly #key: string;
  #writer: RecordedStream | undefined;
  #stream: MergedStream | undefined;
  #row = new Float64Array(0);
  #claimed = new Uint8Array(0);

  constructor(options: StoredMetricOptions) {
    const { name, help, kind, aggregation, aggregator, percentiles } = options;
    const identity = JSON.stringify([kind, aggregation, aggregator, percentiles, name]);
    const ordinal = made.get(identity) ?? 0;
    made.set(identity, ordinal + 1);
    const merge = kind === 'GAUGE' ? MERGES[aggregator as keyof typeof MERGES] : undefined;
    const attributes: Attributes = {};
    if (aggregator !== 'sum' && merge === undefined) attributes['aggregator'] = aggregator;
    if (percentiles !== undefined) attributes['percentiles'] = JSON.stringify(percentiles);
    this.#description = {
      scope: {
        name: PROM_CLIENT_SCOPE,
        version: '',
        schemaUrl: undefined,
        ...(Object.keys(attributes).length > 0 && { attributes }),
      },
      name,
      description: help,
      unit: '',
      kind,
      integer: false,
      aggregation,
      created: this.#view.region.takeTime(),
      selection: undefined,
      cardinalityLimit: UNLIMITED,
      ...(ordinal > 0 && { viewIndex: ordinal }),
      ...(merge !== undefined && { merge }),
    };
    this.#key = streamKey(this.#description);
  }

  /** This thread's part of a series, to be recorded to. */
  bind({ attributes }: LocalSeries): BoundSeries {
    return this.#writerOfOwn().bind(objectOf(attributes));
  }

  #writerOfOwn(): RecordedStream {
    return (this.#writer ??= writerOf(this.#view.region).stream(this.#description, UNLIMITED));
  }

  /** Call before `row` and `others`. */
  refresh(): void {
    const known = this.#view;
    known.refresh();
    this.#stream ??= known.stream(this.#key);
    if (this.#stream === undefined) return;
    const { words } = known.rows(this.#stream).layout;
    if (this.#row.length < words) this.#row = new Float64Array(words);
  }

  /** What all threads recorded to a series, until the next call; undefined if nobody has. */
  row(series: LocalSeries): Float64Array | undefined {
    const stream = this.#stream;
    if (stream === undefined) return undefined;
    if (series.number === NONE || stream.hasEnded(series.number))
      series.number = stream.seriesOf(series.attributes);
    return series.number === NONE ? undefined : this.#rowOf(series.number);
  }

  /** Whether another thread has ended a series, and nobody has recorded to it since. */
  hasEnded({ number, attributes }: LocalSeries): boolean {
    const stream = this.#stream;
    return number !== NONE && stream?.hasEnded(number) === true && stream.seriesOf(attributes) === NONE;
  }

  #rowOf(number: number): Float64Array | undefined {
    return this.#view.rows(this.#stream!).fill(number, this.#row, 0) ? this.#row : undefined;
  }

  /** Ends a series, for all threads. */
  end({ attributes }: LocalSeries): void {
    this.#writerOfOwn().remove(objectOf(attributes));
  }

  /** Ends all series, for all threads. */
  endAll(): void {
    this.#writerOfOwn().clear();
  }

  /** Series that only other threads have used. `row` is valid until the next one. */
  *others(
    own: Iterable<LocalSeries>,
  ): Generator<{ readonly labels: Attributes; readonly row: Float64Array }> {
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#claimed.length < stream.size) this.#claimed = new Uint8Array(2 * stream.size);
    const claimed = this.#claimed.fill(0);
    let count = 0;
    for (const { number } of own) {
      if (number === NONE || claimed[number] === 1) continue;
      claimed[number] = 1;
      count++;
    }
    if (count === stream.size) return;
    const { words } = this.#view.region;
    for (let number = 0; number < stream.size; number++) {
      if (claimed[number] === 1 || !stream.isLive(number, words)) continue;
      const row = this.#rowOf(number);
      if (row !== undefined) yield { labels: stream.attributes[number]!, row };
    }
  }
}

function objectOf({ keys, values }: CanonicalAttributes): Attributes {
  return Object.fromEntries(keys.map((key, i) => [key, values[i] as string]));
}
