import type { Attributes } from '@opentelemetry/api';
import { lengthened, roomFor } from '../../base/array-room.ts';
import type { InstrumentKind } from '../../state/stream-choices.ts';
import type { Exemplar, Resource } from '../metric-data.ts';

export type ColumnKind = 'counter' | 'up-down-counter' | 'gauge' | 'histogram' | 'exponential-histogram';

/** The scope of a column; `attributes` only if the source knows them. */
export interface ColumnScope {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
  readonly attributes?: Attributes | undefined;
}

/** The part of a column's description that depends on how its rows are made. */
export interface RowLayout {
  readonly kind: ColumnKind;
  /** How many numbers a row has. Their layout is drawn in number.ts, histogram.ts or exponential.ts. */
  readonly words: number;
  /** Upper inclusive bounds of a histogram; empty for the other kinds. */
  readonly boundaries: readonly number[];
  /** Of an exponential histogram: buckets a row has room for, of each sign. */
  readonly maxSize?: number;
  /** False for a histogram whose measurements may be negative. */
  readonly hasSum: boolean;
  /** False for a histogram that does not keep them. */
  readonly hasMinMax: boolean;
  /** True where values add up: not for a gauge, unless it is merged to its sum. */
  readonly isSum: boolean;
}

export interface ColumnDescription extends RowLayout {
  readonly scope: ColumnScope;
  readonly name: string;
  readonly unit: string;
  /** The kind of the instrument; undefined if nobody will ask. */
  readonly instrument?: InstrumentKind;
  /** Whether all measurements are integers. */
  readonly integer?: boolean;
  /** True if rows are what was recorded since `starts`, and not totals. */
  readonly isDelta?: boolean;
}

/** One metric of a snapshot as columns: row i is a series. */
export class MetricColumn {
  readonly description: ColumnDescription;
  /** The description of the metric; a longer one may be found later. */
  text: string;
  /** Numbers a row has in `values`. */
  readonly stride: number;
  readonly attributes: Attributes[] = [];
  /** Milliseconds since the epoch. */
  readonly starts: number[] = [];
  values: Float64Array<ArrayBuffer>;
  /** Exemplars by row; undefined where no row has any. */
  exemplars: Map<number, readonly Exemplar[]> | undefined;
  #rows = 0;

  /** `values`: the array for its rows. The column replaces it by a longer one when needed. */
  constructor(
    description: ColumnDescription,
    text: string,
    values: Float64Array<ArrayBuffer> = new Float64Array(description.words),
  ) {
    this.description = description;
    this.text = text;
    this.stride = description.words;
    this.values = values;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Makes room for so many rows, if there is not enough. */
  reserve(rows: number): void {
    if (rows * this.stride > this.values.length) this.#grow(rows);
  }

  #grow(rows: number): void {
    this.values = lengthened(this.values, roomFor(rows) * this.stride);
  }

  /**
   * Where the next row begins in `values`, which may be a new array after this call. Fill the row, then call
   * `close`; without that, the next call returns the same row.
   */
  open(): number {
    this.reserve(this.#rows + 1);
    return this.#rows * this.stride;
  }

  close(attributes: Attributes, start: number, exemplars?: readonly Exemplar[]): void {
    const row = this.#rows++;
    this.attributes[row] = attributes;
    this.starts[row] = start;
    if (exemplars !== undefined && exemplars.length > 0) this.#setExemplars(row, exemplars);
  }

  #setExemplars(row: number, exemplars: readonly Exemplar[]): void {
    (this.exemplars ??= new Map<number, readonly Exemplar[]>()).set(row, exemplars);
  }

  /** Removes all rows. */
  clear(): void {
    this.#rows = 0;
    this.exemplars = undefined;
  }
}

/** A snapshot as columns. */
export interface MetricColumns {
  readonly resource: Resource;
  readonly columns: readonly MetricColumn[];
}
