/** What the lines of one series of a column look like: the text around its labels and its numbers. */
import type { MetricColumn } from '../collect/rows/column.ts';
import { HISTOGRAM_ROW_BUCKETS, HISTOGRAM_ROW_COUNT, HISTOGRAM_ROW_SUM } from '../collect/rows/histogram.ts';
import type { Dialect, PlannedFamily } from './family-plan.ts';
import { escapedValue } from './label-text.ts';
import { canonicalBound, numberText } from './number-text.ts';
import { isLegacyName } from './prometheus-name.ts';

/** One line: before the labels, after them, and the whole line for a series without labels. */
export interface LineTemplate {
  readonly before: Buffer;
  readonly after: Buffer;
  readonly unlabelled: Buffer;
}

export class RowTemplate {
  readonly lines: readonly LineTemplate[];
  readonly #buckets: number; // lines with `le`, the last is +Inf
  readonly #hasSum: boolean;
  readonly #hasCount: boolean;
  readonly #hasCreated: boolean;
  /** True if exemplars are shown: OpenMetrics has them on counters and buckets. */
  readonly hasExemplars: boolean;

  /** `fixed`: labels that every series has, as text. */
  constructor(
    column: MetricColumn,
    family: PlannedFamily,
    fixed: string,
    dialect: Dialect,
    created: boolean,
  ) {
    const { kind, boundaries, hasSum } = column.description;
    const { openMetrics } = dialect;
    const { name, sampleName, type } = family;
    this.#hasCreated = openMetrics && created && (type === 'counter' || type === 'histogram');
    this.hasExemplars = openMetrics && (type === 'counter' || type === 'histogram');
    const lines: LineTemplate[] = [];
    if (kind === 'histogram') {
      this.#buckets = boundaries.length + 1;
      // OpenMetrics has no sum of values that may be negative, and no count without a sum.
      this.#hasSum = hasSum && !(openMetrics && boundaries.length > 0 && boundaries[0]! < 0);
      const boundText = openMetrics ? canonicalBound : numberText;
      for (const bound of [...boundaries, Infinity])
        lines.push(line(`${name}_bucket`, fixed, `le="${boundText(bound)}"`));
      if (this.#hasSum) lines.push(line(`${name}_sum`, fixed));
      this.#hasCount = this.#hasSum || !openMetrics;
      if (this.#hasCount) lines.push(line(`${name}_count`, fixed));
    } else {
      this.#buckets = 0;
      this.#hasSum = false;
      this.#hasCount = false;
      lines.push(line(sampleName, fixed));
    }
    if (this.#hasCreated) lines.push(line(`${name}_created`, fixed));
    this.lines = lines;
  }

  /** Writes the numbers of a row, one per line, to `into`. Returns the end. */
  numbers(column: MetricColumn, row: number, into: Float64Array, at: number): number {
    const { values, stride } = column;
    const from = row * stride;
    const buckets = this.#buckets;
    if (buckets === 0) into[at++] = values[from]!;
    else {
      let total = 0;
      for (let i = 0; i < buckets - 1; i++) {
        total += values[from + HISTOGRAM_ROW_BUCKETS + i]!;
        into[at++] = total;
      }
      into[at++] = values[from + HISTOGRAM_ROW_COUNT]!;
      if (this.#hasSum) into[at++] = values[from + HISTOGRAM_ROW_SUM]!;
      if (this.#hasCount) into[at++] = values[from + HISTOGRAM_ROW_COUNT]!;
    }
    if (this.#hasCreated) into[at++] = Math.round(column.starts[row]!) / 1e3;
    return at;
  }
}

function line(name: string, fixed: string, le?: string): LineTemplate {
  const quoted = isLegacyName(name, false) ? undefined : `"${escapedValue(name)}"`;
  const open = quoted === undefined ? `${name}{` : '{';
  const first = [quoted, fixed].filter((part) => part !== undefined && part !== '').join(',');
  const all = [first, le].filter((part) => part !== undefined && part !== '').join(',');
  return {
    before: Buffer.from(first === '' ? open : `${open}${first},`, 'utf8'),
    after: Buffer.from(`${le === undefined ? '' : `,${le}`}} `, 'utf8'),
    unlabelled: Buffer.from(all === '' ? `${name} ` : `${open}${all}} `, 'utf8'),
  };
}
