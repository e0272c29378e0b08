import { readExponentialInto } from '../../state/cells/exponential-copy.ts';
import { ExponentialShape } from '../../state/cells/exponential-histogram-cell.ts';
import type { Aggregation } from '../../state/records.ts';
import type { ReadCell } from './cell-reader.ts';
import type { IntervalExtremes } from './interval-extremes.ts';
import { addExponentialRow } from './exponential-merge.ts';
import { copyExponentialRow, exponentialRowWords, exponentialValueOf } from './exponential-row.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import type { ExponentialHistogramValue } from '../metric-data.ts';

export type ExponentialHistogramAggregation = Extract<Aggregation, { type: 'exponential-histogram' }>;

/** Copies a cell; undefined when it could not be copied yet. */
export type CopyCell = (read: ReadCell, cell: number, words: number) => Float64Array | undefined;

/** How the cells of a stream are read that keep extremes of intervals, or those that do not: one writer's may, and another's not. */
interface CellForm {
  readonly shape: ExponentialShape;
  readonly read: ReadCell;
}

function formOf(
  { maxSize, maxScale, negative }: ExponentialHistogramAggregation,
  intervals: boolean,
): CellForm {
  const shape = new ExponentialShape(maxSize, maxScale, negative, intervals);
  return {
    shape,
    read: (words, doubles, at, into) => readExponentialInto(words, doubles, at, shape, into),
  };
}

/** The series of each stream that was asked for, made once. */
export class ExponentialStreams {
  readonly #streams = new Map<MergedStream, ExponentialSeries>();

  of(stream: MergedStream, aggregation: ExponentialHistogramAggregation): ExponentialSeries {
    let series = this.#streams.get(stream);
    if (series === undefined)
      this.#streams.set(stream, (series = new ExponentialSeries(stream, aggregation)));
    return series;
  }
}

/** The series of one stream of exponential histograms, added up over their writers. */
export class ExponentialSeries {
  readonly #stream: MergedStream;
  readonly #aggregation: ExponentialHistogramAggregation;
  readonly #plain: CellForm;
  readonly #intervals: CellForm;
  readonly #row: Float64Array;

  constructor(stream: MergedStream, aggregation: ExponentialHistogramAggregation) {
    this.#stream = stream;
    this.#aggregation = aggregation;
    this.#plain = formOf(aggregation, false);
    this.#intervals = formOf(aggregation, true);
    this.#row = new Float64Array(exponentialRowWords(aggregation.maxSize, this.#plain.shape.ranges));
  }

  /** Float64 words a copy of a cell takes at most. */
  get copyWords(): number {
    return this.#intervals.shape.copyWords;
  }

  /**
   * Writes a series to the row at `at` (exponential-row.ts). False when a cell of it could not be copied. `extremes`: is told what is new
   * in the cells, if given.
   */
  fill(
    series: number,
    copyCell: CopyCell,
    row: Float64Array,
    at: number,
    extremes?: IntervalExtremes,
  ): boolean {
    const stream = this.#stream;
    const { maxSize } = this.#aggregation;
    const first = stream.firstOf(series);
    for (let node = first; node !== NONE; node = stream.nextOf(node)) {
      const copy = this.#copy(series, node, copyCell, extremes);
      if (copy === undefined) return false;
      if (node === first) copyExponentialRow(copy, row, at, maxSize);
      else addExponentialRow(row, at, copy, maxSize);
    }
    return true;
  }

  /** A series as a data point has it; undefined when a cell of it could not be copied. */
  value(
    series: number,
    copyCell: CopyCell,
    extremes?: IntervalExtremes,
  ): ExponentialHistogramValue | undefined {
    const stream = this.#stream;
    const first = stream.firstOf(series);
    let row: Float64Array | undefined = this.#row;
    // One writer's, as most are, goes straight from the copy to the point.
    if (stream.nextOf(first) === NONE) row = this.#copy(series, first, copyCell, extremes);
    else if (!this.fill(series, copyCell, row, 0, extremes)) return undefined;
    return row && exponentialValueOf(row, 0, this.#aggregation.maxSize, this.#aggregation);
  }

  #copy(
    series: number,
    node: number,
    copyCell: CopyCell,
    extremes: IntervalExtremes | undefined,
  ): Float64Array | undefined {
    const intervals = this.#stream.intervalsOf(node);
    const { shape, read } = intervals ? this.#intervals : this.#plain;
    const copy = copyCell(read, this.#stream.cellOf(node), shape.copyWords);
    if (copy !== undefined) extremes?.fold(series, node, copy, intervals ? shape.copiedInterval : undefined);
    return copy;
  }
}
