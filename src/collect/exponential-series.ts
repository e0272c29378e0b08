import { ExponentialShape, readExponentialInto } from '../state/cells/exponential-histogram-cell.ts';
import type { Aggregation } from '../state/records.ts';
import type { ReadCell } from './cell-reader.ts';
import { ExponentialMerge } from './exponential-merge.ts';
import { exponentialRowWords, exponentialValueOf } from './exponential-row.ts';
import { NONE, type MergedStream } from './merged-stream.ts';
import type { ExponentialHistogramValue } from './metric-data.ts';

export type ExponentialHistogramAggregation = Extract<Aggregation, { type: 'exponential-histogram' }>;

/** Copies a cell; undefined when it could not be copied yet. */
export type CopyCell = (read: ReadCell, cell: number, words: number) => Float64Array | undefined;

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
  readonly #shape: ExponentialShape;
  readonly #merge: ExponentialMerge;
  readonly #read: ReadCell;
  readonly #row: Float64Array;

  constructor(stream: MergedStream, aggregation: ExponentialHistogramAggregation) {
    const shape = new ExponentialShape(aggregation.maxSize, aggregation.maxScale, aggregation.negative);
    this.#stream = stream;
    this.#aggregation = aggregation;
    this.#shape = shape;
    this.#merge = new ExponentialMerge(shape);
    this.#read = (words, doubles, at, into) => readExponentialInto(words, doubles, at, shape, into);
    this.#row = new Float64Array(exponentialRowWords(shape.maxSize));
  }

  /** Float64 words a copy of a cell takes. */
  get copyWords(): number {
    return this.#shape.copyWords;
  }

  /** Writes a series to the row at `at` (exponential-row.ts). False when a cell of it could not be copied. */
  fill(series: number, copyCell: CopyCell, row: Float64Array, at: number): boolean {
    const stream = this.#stream;
    this.#merge.clear();
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = copyCell(this.#read, stream.cellOf(node), this.#shape.copyWords);
      if (copy === undefined) return false;
      this.#merge.add(copy);
    }
    this.#merge.fill(row, at);
    return true;
  }

  /** A series as a data point has it; undefined when a cell of it could not be copied. */
  value(series: number, copyCell: CopyCell): ExponentialHistogramValue | undefined {
    if (!this.fill(series, copyCell, this.#row, 0)) return undefined;
    return exponentialValueOf(this.#row, 0, this.#aggregation.maxSize, this.#aggregation);
  }
}
