import type { Attributes } from '@opentelemetry/api';
import { lengthened, roomFor } from '../../base/array-room.ts';
import { exponentialRowWords } from '../rows/exponential-row.ts';
import type * as D from '../metric-data.ts';

/** Where a histogram's parts lie in its row of `values`; the buckets follow, not cumulated. */
export const COLUMN_COUNT = 0;
export const COLUMN_SUM = 1;
export const COLUMN_BUCKETS = 2;

export type ColumnKind = 'counter' | 'gauge' | 'histogram' | 'exponential-histogram';

/** The scope of a column; `attributes` only where the source knows them. */
export interface ColumnScope {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
  readonly attributes?: Attributes | undefined;
}

export interface ColumnDescription {
  readonly scope: ColumnScope;
  readonly name: string;
  readonly unit: string;
  readonly kind: ColumnKind;
  /** Upper inclusive bounds of a histogram; empty for the other kinds. */
  readonly boundaries: readonly number[];
  /** Of an exponential histogram, whose rows are drawn in exponential-row.ts: buckets a row has room for, of each sign. */
  readonly size?: number;
  /** Signs there is room for; 1: positive ones alone. */
  readonly ranges?: number;
  /** False for a histogram whose measurements may be negative. */
  readonly hasSum: boolean;
  /** True for a gauge whose values add up: an up-down counter, or a gauge that is merged to its sum. */
  readonly isSum?: boolean;
}

/**
 * One metric of a snapshot as columns: row i is a series. The next snapshot fills it anew, in place: whoever reads it while that is done in
 * slices finds the values of either snapshot, each series whole and there once. A row keeps its place as long as the series before it are
 * reported; a new series comes last.
 *
 *   values  | row 0 | row 1 | row 2 | row 3 | row 4 |
 *             of this snapshot ^ #filled      of the one before, up to ^ rows
 */
export class MetricColumn {
  readonly description: ColumnDescription;
  /** The metric's description text; a longer one may turn up later. */
  text: string;
  /** Numbers a row has in `values`: 1; count, sum and buckets; or an exponential row. */
  readonly stride: number;
  readonly attributes: Attributes[] = [];
  /** Milliseconds since the epoch. */
  readonly starts: number[] = [];
  values: Float64Array;
  /** Exemplars by row; undefined where no row has any. */
  exemplars: Map<number, readonly D.Exemplar[]> | undefined;
  #rows = 0;
  #filled = 0;
  #isOpen = false;
  #hasMoved = false;
  #moves = 0;

  constructor(description: ColumnDescription, text: string) {
    this.description = description;
    this.text = text;
    this.stride = strideOf(description);
    this.values = new Float64Array(this.stride);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Makes room for so many rows, where there is not. */
  reserve(rows: number): void {
    if (rows * this.stride > this.values.length)
      this.values = lengthened(this.values, roomFor(rows) * this.stride);
  }

  /** Index in `values` of the next row to be filled; `close` makes it one, else it is opened again. */
  open(): number {
    this.reserve(this.#filled + 1);
    const at = this.#filled * this.stride;
    this.#isOpen = true;
    return at;
  }

  close(attributes: Attributes, start: number, exemplars?: readonly D.Exemplar[]): void {
    const row = this.#filled++;
    this.#isOpen = false;
    if (row === this.#rows) this.#rows++;
    else if (this.attributes[row] !== attributes) this.#move();
    this.attributes[row] = attributes;
    this.starts[row] = start;
    if (exemplars !== undefined && exemplars.length > 0)
      (this.exemplars ??= new Map<number, readonly D.Exemplar[]>()).set(row, exemplars);
    else this.exemplars?.delete(row);
  }

  /** How many snapshots had other series in rows that were there before. */
  get moves(): number {
    return this.#moves;
  }

  /** True while every row is one series, whole, and no series has two. Always after `cut`. */
  get isCoherent(): boolean {
    return !this.#isOpen && !this.#hasMoved;
  }

  /** Begins to fill the rows anew; those that are not reached yet stay. */
  rewind(): void {
    this.#filled = 0;
    this.#isOpen = false;
    this.#hasMoved = false;
  }

  /** Ends the rows with the one that was filled last. */
  cut(): void {
    if (this.#filled < this.#rows) this.#move();
    this.#rows = this.#filled;
    this.#isOpen = false;
    this.#hasMoved = false;
    if (this.exemplars === undefined) return;
    for (const row of this.exemplars.keys()) if (row >= this.rows) this.exemplars.delete(row);
    if (this.exemplars.size === 0) this.exemplars = undefined;
  }

  #move(): void {
    if (!this.#hasMoved) this.#moves++;
    this.#hasMoved = true;
  }

  /** Empties the column. */
  clear(): void {
    this.rewind();
    this.cut();
  }
}

function strideOf({ kind, boundaries, size = 0, ranges = 2 }: ColumnDescription): number {
  if (kind === 'exponential-histogram') return exponentialRowWords(size, ranges);
  return kind === 'histogram' ? COLUMN_BUCKETS + boundaries.length + 1 : 1;
}

/** A snapshot as columns. */
export interface MetricColumns {
  readonly resource: D.Resource;
  readonly columns: readonly MetricColumn[];
}
