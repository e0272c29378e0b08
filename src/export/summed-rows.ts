/**
 * Series whose attributes become the same labels in a format: one without a value and one with an empty
 * value, or `a.b` and `a_b`. If their values are totals, one series with their sum is shown, so that nothing
 * that was counted is left out.
 */
import type { Exemplar } from '../collect/metric-data.ts';
import { MetricColumn, type ColumnDescription } from '../collect/rows/column.ts';
import { addRow } from '../collect/rows/row-kinds.ts';
import { typeOf } from './family-plan.ts';

/** One series of a column. */
export interface ColumnRow {
  readonly column: MetricColumn;
  readonly row: number;
}

/** True if values of both add up: both are totals, in the same buckets. */
export function canAdd(a: ColumnDescription, b: ColumnDescription): boolean {
  return (
    typeOf(a.kind) === typeOf(b.kind) &&
    a.isSum &&
    b.isSum &&
    a.hasSum === b.hasSum &&
    a.words === b.words &&
    a.maxSize === b.maxSize &&
    a.boundaries.length === b.boundaries.length &&
    a.boundaries.every((bound, i) => bound === b.boundaries[i])
  );
}

/** A column whose only row is the sum of rows that `canAdd` allows. It began when the first of them began. */
export function sumOf(rows: readonly [ColumnRow, ...ColumnRow[]]): MetricColumn {
  const [{ column, row: first }] = rows;
  const { description } = column;
  const sum = new MetricColumn(description, column.text);
  const at = sum.open();
  sum.values.set(valuesOf(rows[0]), at);
  for (const other of rows.slice(1)) addRow(sum.values, at, valuesOf(other), description);
  const start = Math.min(...rows.map((one) => one.column.starts[one.row]!));
  sum.close(column.attributes[first]!, start, exemplarsOf(rows));
  return sum;
}

function valuesOf({ column: { values, stride }, row }: ColumnRow): Float64Array {
  return values.subarray(row * stride, (row + 1) * stride);
}

/** The exemplars of all rows. */
export function exemplarsOf(rows: readonly ColumnRow[]): readonly Exemplar[] {
  return rows.flatMap(({ column, row }) => column.exemplars?.get(row) ?? []);
}
