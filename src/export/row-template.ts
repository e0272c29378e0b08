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

  constructor(column: MetricColumn, family: PlannedFamily, dialect: Dialect, created: boolean) {
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
        lines.push(line(`${name}_bucket`, `le="${boundText(bound)}"`));
      if (this.#hasSum) lines.push(line(`${name}_sum`));
      this.#hasCount = this.#hasSum || !openMetrics;
      if (this.#hasCount) lines.push(line(`${name}_count`));
    } else {
      this.#buckets = 0;
      this.#hasSum = false;
      this.#hasCount = false;
      lines.push(line(sampleName));
    }
    if (this.#hasCreated) lines.push(line(`${name}_created`));
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

function line(name: string, le = ''): LineTemplate {
  const isLegacy = isLegacyName(name, false);
  const open = isLegacy ? name : `{"${escapedValue(name)}"`;
  const separator = isLegacy ? '{' : ',';
  const inside = le === '' ? '' : separator + le;
  return {
    before: Buffer.from(open + separator, 'utf8'),
    after: Buffer.from(`${le === '' ? '' : `,${le}`}} `, 'utf8'),
    unlabelled: Buffer.from(`${open}${inside}${isLegacy && le === '' ? '' : '}'} `, 'utf8'),
  };
}
