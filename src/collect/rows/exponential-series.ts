import { ExponentialShape, readExponentialInto } from '../../state/cells/exponential-histogram-cell.ts';
import type { Aggregation } from '../../state/records.ts';
import type { ReadCell } from './cell-reader.ts';
import type { ReaderIntervals } from './intervals.ts';
import { addExponentialRow } from './exponential-merge.ts';
import {
  copyExponentialRow,
  exponentialRowWords,
  exponentialValueOf,
  ROW_COUNT,
  ROW_MAX,
  ROW_MIN,
  ROW_SCALE,
  ROW_SUM,
} from './exponential-row.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import type { ExponentialHistogramValue } from '../metric-data.ts';

export type ExponentialHistogramAggregation = Extract<Aggregation, { type: 'exponential-histogram' }>;

/** Copies a cell; undefined when it could not be copied yet. */
export type CopyCell = (read: ReadCell, cell: number, words: number) => Float64Array | undefined;

/** Is told that a cell was read in this version and that what is new in it was noted. */
export type NoteReported = (cell: number, version: number) => void;

/** The series of each stream that was asked for, made once. */
export class ExponentialStreams {
  readonly #streams = new Map<MergedStream, ExponentialSeries>();
  readonly #noteReported: NoteReported;

  constructor(noteReported: NoteReported) {
    this.#noteReported = noteReported;
  }

  of(stream: MergedStream, aggregation: ExponentialHistogramAggregation): ExponentialSeries {
    let series = this.#streams.get(stream);
    if (series === undefined)
      this.#streams.set(stream, (series = new ExponentialSeries(stream, aggregation, this.#noteReported)));
    return series;
  }
}

/** The series of one stream of exponential histograms, added up over their writers. */
export class ExponentialSeries {
  readonly #stream: MergedStream;
  readonly #aggregation: ExponentialHistogramAggregation;
  readonly #shape: ExponentialShape;
  readonly #read: ReadCell;
  readonly #noteReported: NoteReported;
  /** The series read last, and of it what is new to the reader that it was read for. */
  readonly #row: Float64Array;
  readonly #interval: Float64Array;
  #hasInterval = false;

  constructor(
    stream: MergedStream,
    aggregation: ExponentialHistogramAggregation,
    noteReported: NoteReported,
  ) {
    const { maxSize, maxScale, negative } = aggregation;
    const shape = new ExponentialShape(maxSize, maxScale, negative);
    this.#stream = stream;
    this.#aggregation = aggregation;
    this.#shape = shape;
    this.#read = (words, doubles, at, into) => readExponentialInto(words, doubles, at, shape, into);
    this.#noteReported = noteReported;
    this.#row = new Float64Array(exponentialRowWords(maxSize, shape.ranges));
    this.#interval = new Float64Array(this.#row.length);
  }

  /** Float64 words of a copy of a cell. */
  get copyWords(): number {
    return this.#shape.copyWords;
  }

  /**
   * Writes a series to the row at `at` (exponential-row.ts). False when a cell of it could not be copied.
   * `intervals`: notes what is new in the cells, if given.
   */
  fill(
    series: number,
    copyCell: CopyCell,
    row: Float64Array,
    at: number,
    intervals?: ReaderIntervals,
  ): boolean {
    const stream = this.#stream;
    const { maxSize } = this.#aggregation;
    const { copiedCarried } = this.#shape;
    const first = stream.firstOf(series);
    if (intervals !== undefined) this.#beginInterval(series, intervals);
    for (let node = first; node !== NONE; node = stream.nextOf(node)) {
      const copy = copyCell(this.#read, stream.cellOf(node), this.copyWords);
      if (copy === undefined) return false;
      if (intervals !== undefined) this.#note(series, node, copy, intervals);
      if (node === first) copyExponentialRow(copy, row, at, maxSize);
      else addExponentialRow(row, at, copy, maxSize);
      if (copy[copiedCarried + ROW_COUNT] !== 0)
        addExponentialRow(row, at, copy.subarray(copiedCarried), maxSize);
    }
    return true;
  }

  /** A series as a data point has it; undefined when a cell of it could not be copied. */
  value(
    series: number,
    copyCell: CopyCell,
    intervals?: ReaderIntervals,
  ): ExponentialHistogramValue | undefined {
    const row = this.#rowOf(series, copyCell, intervals);
    return row && exponentialValueOf(row, 0, this.#aggregation.maxSize, this.#aggregation);
  }

  /** One writer's, as most are, goes straight from the copy to the point where nothing of it was carried. */
  #rowOf(series: number, copyCell: CopyCell, intervals?: ReaderIntervals): Float64Array | undefined {
    const first = this.#stream.firstOf(series);
    if (intervals === undefined && this.#stream.nextOf(first) === NONE) {
      const copy = copyCell(this.#read, this.#stream.cellOf(first), this.copyWords);
      if (copy === undefined || copy[this.#shape.copiedCarried + ROW_COUNT] === 0) return copy;
    }
    return this.fill(series, copyCell, this.#row, 0, intervals) ? this.#row : undefined;
  }

  /**
   * Of the series read last, what is new in cells whose intervals began when they were reported before.
   * Undefined where more is new.
   */
  interval(): ExponentialHistogramValue | undefined {
    if (!this.#hasInterval) return undefined;
    return exponentialValueOf(this.#interval, 0, this.#aggregation.maxSize, this.#aggregation);
  }

  #beginInterval(series: number, intervals: ReaderIntervals): void {
    const row = this.#interval;
    this.#hasInterval = !intervals.has(series);
    row.fill(0);
    row[ROW_MIN] = Infinity;
    row[ROW_MAX] = -Infinity;
    row[ROW_SCALE] = this.#aggregation.maxScale;
  }

  #note(series: number, node: number, copy: Float64Array, intervals: ReaderIntervals): void {
    const { copiedSince, copiedCarried } = this.#shape;
    const version = copy[copiedSince + 1]!;
    const min = copy[ROW_MIN]!;
    const max = copy[ROW_MAX]!;
    const hasCarried = copy[copiedCarried + ROW_COUNT] !== 0;
    const total = {
      min: hasCarried ? Math.min(min, copy[copiedCarried + ROW_MIN]!) : min,
      max: hasCarried ? Math.max(max, copy[copiedCarried + ROW_MAX]!) : max,
    };
    const interval = { since: copy[copiedSince]!, version, sum: copy[ROW_SUM]!, min, max };
    if (!intervals.note(series, node, interval, total)) return;
    addExponentialRow(this.#interval, 0, copy, this.#aggregation.maxSize);
    this.#noteReported(this.#stream.cellOf(node), version);
  }
}
