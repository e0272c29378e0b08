import type { Aggregation } from '../../state/records.ts';
import { isObserved } from '../../state/stream-choices.ts';
import type { MergedStream } from '../directory/merged-stream.ts';
import type { CellCopies } from './cell-copies.ts';
import type { ColumnDescription, ColumnKind } from './column.ts';
import { addExponentialRow, ExponentialRows } from './exponential.ts';
import { addHistogramRow, HistogramRows } from './histogram.ts';
import {
  addNumberRow,
  GaugeRows,
  ObservedSumRows,
  SharedGaugeRows,
  SumRows,
  WriterGaugeRows,
} from './number.ts';
import type { SeriesRows } from './series-rows.ts';

type Maker<T extends Aggregation['type']> = (
  stream: MergedStream,
  copies: CellCopies,
  aggregation: Extract<Aggregation, { type: T }>,
) => SeriesRows;

/** How rows are made for each aggregation. */
const MAKERS: { readonly [T in Aggregation['type']]: Maker<T> } = {
  sum: (stream, copies, { monotonic }) =>
    isObserved(stream.description.kind)
      ? new ObservedSumRows(stream, copies, monotonic)
      : new SumRows(stream, copies, monotonic),
  'last-value': (stream, copies) => {
    const { merge } = stream.description;
    if (merge === 'shared') return new SharedGaugeRows(stream, copies);
    return merge === 'per-writer' ? new WriterGaugeRows(stream, copies) : new GaugeRows(stream, copies);
  },
  'explicit-bucket-histogram': (stream, copies, aggregation) =>
    new HistogramRows(stream, copies, aggregation),
  'exponential-histogram': (stream, copies, aggregation) => new ExponentialRows(stream, copies, aggregation),
};

/** The series of a stream as rows, for the reader whose copies these are. */
export function rowsOf(stream: MergedStream, copies: CellCopies): SeriesRows {
  const { aggregation } = stream.description;
  return (MAKERS[aggregation.type] as Maker<Aggregation['type']>)(stream, copies, aggregation);
}

type Adder = (row: Float64Array, at: number, part: Float64Array, description: ColumnDescription) => void;

const ADDERS: Readonly<Record<ColumnKind, Adder>> = {
  counter: addNumberRow,
  'up-down-counter': addNumberRow,
  gauge: addNumberRow,
  histogram: (row, at, part, { words }) => addHistogramRow(row, at, words, part),
  'exponential-histogram': (row, at, part, { maxSize }) => addExponentialRow(row, at, part, maxSize!),
};

/** Adds the row `part` to the row at `at`; both are of a column with this description. */
export const addRow: Adder = (row, at, part, description) =>
  ADDERS[description.kind](row, at, part, description);
