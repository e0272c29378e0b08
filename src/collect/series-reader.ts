import type { CanonicalAttributes } from '../state/attributes.ts';
import { readSharedValueInto, SHARED_TICK } from '../state/cells/shared-value-cell.ts';
import { readSumInto, SUM_COPY_WORDS, SUM_TOTAL } from '../state/cells/sum-cell.ts';
import type { StreamDescription } from '../state/records.ts';
import { BEFORE_ANY_SET, SharedValueSum } from '../state/shared-value.ts';
import { NONE, type MergedStream } from './directory/merged-stream.ts';
import type { HistogramValue } from './metric-data.ts';
import { SampledCellReader, type SeqlockReadStats } from './rows/cell-reader.ts';
import { CellCopies } from './rows/cell-copies.ts';
import { histogramValueOf } from './rows/histogram.ts';
import { rowsOf } from './rows/row-kinds.ts';
import type { SeriesRows } from './rows/series-rows.ts';
import type { StoreReader } from './directory/store-reader.ts';

/** Which series to read. The stream is the first one of a scope that matches. */
export interface SeriesAddress {
  readonly scope: string;
  readonly isStream: (description: StreamDescription) => boolean;
  readonly attributes: CanonicalAttributes;
}

/** What the readers of single series of one store share. Belongs to the thread that made it. */
export class SeriesReaders {
  readonly store: StoreReader;
  readonly cells: SampledCellReader = new SampledCellReader();
  readonly #copies: CellCopies;
  readonly #rows = new Map<MergedStream, SeriesRows>();
  readonly sharedSum: SharedValueSum = new SharedValueSum();

  constructor(store: StoreReader) {
    this.store = store;
    this.#copies = new CellCopies(store.region, this.cells);
  }

  reader(address: SeriesAddress): SeriesReader {
    return new SeriesReader(this, address);
  }

  /** The series of a stream as rows. */
  rowsOf(stream: MergedStream): SeriesRows {
    let rows = this.#rows.get(stream);
    if (rows === undefined) this.#rows.set(stream, (rows = rowsOf(stream, this.#copies)));
    return rows;
  }

  /** What all their reads have cost. */
  stats(): SeqlockReadStats {
    return this.cells.stats();
  }
}

/**
 * Reads one series of a store, over all its writers, also dead ones. It takes a few loads for each writer,
 * whereas a snapshot reads everything. It notices by itself what other threads add.
 *
 * It is bounded: if a cell cannot be copied in `MAX_TRIES` attempts, and as many after each of some waits,
 * the previous value is used and counted as stale.
 */
export class SeriesReader {
  readonly #shared: SeriesReaders;
  readonly #address: SeriesAddress;
  readonly #copy = new Float64Array(SUM_COPY_WORDS);
  #stream: MergedStream | undefined;
  #series = NONE;
  #row: Float64Array | undefined;
  #epoch = BEFORE_ANY_SET;
  // The values that were read last, used when nothing can be read.
  #lastNumber: number | undefined;
  #lastHistogram: HistogramValue | undefined;

  constructor(shared: SeriesReaders, address: SeriesAddress) {
    this.#shared = shared;
    this.#address = address;
  }

  /** The total over all writers; undefined when nobody has recorded. */
  sum(): number | undefined {
    const { cells } = this.#shared;
    const started = cells.begin();
    if (this.#find()) this.#lastNumber = this.#sumAtOnce() ?? this.#fill()?.[0] ?? this.#lastNumber;
    cells.end(started);
    return this.#lastNumber;
  }

  /** The value of a shared gauge; undefined when nobody has written to it. */
  sharedValue(): number | undefined {
    const { cells } = this.#shared;
    const started = cells.begin();
    if (this.#find()) this.#lastNumber = this.#sharedValueAtOnce() ?? this.#fill()?.[0] ?? this.#lastNumber;
    cells.end(started);
    return this.#lastNumber;
  }

  /**
   * Undefined if a cell could not be copied and must be waited for. Nearly always all cells can be, and
   * nothing else is done.
   */
  #sumAtOnce(): number | undefined {
    const { cells, store } = this.#shared;
    const { words, doubles } = store.region;
    const stream = this.#stream!;
    let total = 0;
    let read = 0;
    let retried = 0;
    for (
      let contribution = stream.firstOf(this.#series);
      contribution !== NONE;
      contribution = stream.nextOf(contribution), read++
    ) {
      const attempts = readSumInto(words, doubles, stream.cellOf(contribution), this.#copy);
      if (attempts === 0) return undefined;
      if (attempts > 1) retried++;
      total += this.#copy[SUM_TOTAL]!;
    }
    cells.count(read, retried);
    return total;
  }

  /** Undefined if a cell could not be copied, or another thread has set the value meanwhile. */
  #sharedValueAtOnce(): number | undefined {
    const { cells, sharedSum, store } = this.#shared;
    const { words, doubles } = store.region;
    const stream = this.#stream!;
    let read = 0;
    let retried = 0;
    sharedSum.reset();
    for (
      let contribution = stream.firstOf(this.#series);
      contribution !== NONE;
      contribution = stream.nextOf(contribution), read++
    ) {
      const attempts = readSharedValueInto(words, doubles, stream.cellOf(contribution), this.#copy);
      if (attempts === 0) return undefined;
      if (attempts > 1) retried++;
      sharedSum.take(this.#copy);
    }
    cells.count(read, retried);
    return sharedSum.isWhole ? sharedSum.value : undefined;
  }

  /** The histogram over all writers; undefined when nobody has recorded. */
  histogram(): HistogramValue | undefined {
    const { cells } = this.#shared;
    const started = cells.begin();
    const row = this.#find() ? this.#fill() : undefined;
    cells.end(started);
    if (row !== undefined)
      this.#lastHistogram = histogramValueOf(row, 0, this.#shared.rowsOf(this.#stream!).layout);
    return this.#lastHistogram;
  }

  /** The row of the series as it is now, until the next call; undefined when a cell could not be copied. */
  #fill(): Float64Array | undefined {
    const rows = this.#shared.rowsOf(this.#stream!);
    this.#row ??= new Float64Array(rows.layout.words);
    return rows.fill(this.#series, this.#row, 0) ? this.#row : undefined;
  }

  /**
   * The newest epoch of a shared gauge, for its next addition. For writers: it never waits. It may miss cells
   * that other threads set without a pause, as if it had been called before those sets.
   */
  epoch(): number {
    if (!this.#find()) return this.#epoch;
    const { region } = this.#shared.store;
    const stream = this.#stream!;
    for (
      let contribution = stream.firstOf(this.#series);
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    )
      if (readSharedValueInto(region.words, region.doubles, stream.cellOf(contribution), this.#copy) !== 0)
        this.#epoch = Math.max(this.#epoch, Math.abs(this.#copy[SHARED_TICK]!));
    return this.#epoch;
  }

  /** Updates what is known of the directories. False if the series is not there yet. */
  #find(): boolean {
    const { store } = this.#shared;
    store.refreshIfChanged();
    if (this.#series !== NONE && !this.#stream!.hasEnded(this.#series)) return true;
    this.#lastNumber = this.#lastHistogram = undefined;
    this.#epoch = BEFORE_ANY_SET;
    const { scope, isStream, attributes } = this.#address;
    this.#stream ??= store.scopes
      .filter((one) => one.scope.name === scope)
      .flatMap(({ streams }) => streams)
      .find(({ description }) => isStream(description));
    this.#series = this.#stream?.seriesOf(attributes) ?? NONE;
    return this.#series !== NONE;
  }
}
