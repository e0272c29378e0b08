import type { Attributes, HrTime } from '@opentelemetry/api';
import { ABSENT, SeriesTable } from '../state/series-table.ts';
import { OVERFLOW_ATTRIBUTES, type CanonicalAttributes } from '../state/attributes.ts';
import type { StreamDescription } from '../state/records.ts';

/** The cell of one writer that a series is made of. */
export interface Contribution {
  /** Float64 index in the region. */
  readonly cell: number;
  readonly slab: number;
  /** What was read from the cell last, kept once the cell has proved too busy to be copied (`snapshot.ts`). */
  previous?: Float64Array;
}

/** One series of the store, over all writers that record it. */
export class MergedSeries {
  readonly attributes: Attributes;
  /** The earliest start among the writers known when the series was first reported; it never moves after that. */
  start: HrTime;
  /** False until some writer has recorded to it: bound and reserved series exist before that. */
  live = false;
  /**
   * In the order in which they were found, and only ever appended to. Sums are added up in this order, so that a total of
   * terms that never fall never falls either: rounding is monotone as long as the order stays.
   */
  readonly contributions: Contribution[];
  constructor(attributes: Attributes, start: HrTime, contribution: Contribution) {
    this.attributes = attributes;
    this.start = start;
    this.contributions = [contribution];
  }
}

/** One stream of the store, over all writers that have it. */
export class MergedStream {
  readonly description: StreamDescription;
  /** The longest description that any writer gave. */
  text: string;
  readonly series: MergedSeries[] = [];
  readonly #table = new SeriesTable(); // reference = index in `series` + 1
  #sets = 0; // attribute sets, the overflow series not counted

  constructor(description: StreamDescription) {
    this.description = description;
    this.text = description.description;
  }

  /**
   * Adds a writer's series. Attribute sets beyond `limit` are counted in the overflow series, from their first to their
   * last measurement: each writer keeps the limit by itself, this keeps it over all of them.
   */
  add(attributes: CanonicalAttributes, start: HrTime, contribution: Contribution, limit: number): void {
    const isOverflow = attributes === OVERFLOW_ATTRIBUTES;
    let reference = this.#table.get(attributes);
    if (reference === ABSENT && !isOverflow && this.#sets >= limit) {
      this.add(OVERFLOW_ATTRIBUTES, start, contribution, limit);
      return;
    }
    if (reference !== ABSENT) {
      const series = this.series[reference - 1]!;
      series.contributions.push(contribution);
      if (!series.live && isEarlier(start, series.start)) series.start = start;
      return;
    }
    this.series.push(new MergedSeries(objectOf(attributes), start, contribution));
    reference = this.series.length;
    this.#table.add(attributes, reference);
    if (!isOverflow) this.#sets++;
  }
}

function isEarlier(a: HrTime, b: HrTime): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

function objectOf({ keys, values }: CanonicalAttributes): Attributes {
  const attributes: Record<string, unknown> = {};
  keys.forEach((key, i) => {
    if (key === '__proto__')
      Object.defineProperty(attributes, key, { value: values[i], enumerable: true, configurable: true, writable: true });
    else attributes[key] = values[i];
  });
  return attributes as Attributes;
}
