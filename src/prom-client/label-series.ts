/**
 * The series of one metric that this thread has used, in the order of first use, as prom-client keeps them.
 *
 * prom-client tells series apart by a text: the declared labels in sorted order, each with its value as text.
 * A series table leads from a caller's object to its series without making that text. It knows only objects
 * that came here before in that form, and came through `validateLabels` then.
 */
import { canonicalAttributes, NO_ATTRIBUTES, type CanonicalAttributes } from '../state/attributes.ts';
import type { BoundSeries } from '../state/bound-cell.ts';
import { SeriesTable } from '../state/series-table.ts';
import type { Exemplar } from './exemplar.ts';
import type { SummaryWindow } from './summary-window.ts';

export type Labels = Readonly<Record<string, unknown>>;

/** One series that this thread has used. */
export class LocalSeries {
  /** As the caller gave them. */
  labels: Labels;
  readonly hash: string;
  /** Its number in the merged stream; -1 until it is there. */
  number = -1;
  bound: BoundSeries | undefined;
  /** Of a gauge: this thread's value. */
  value = 0;
  /** By bucket; a counter has the first. */
  exemplars: Exemplar[] | undefined;
  /** Of a summary with a sliding window. */
  window: SummaryWindow | undefined;
  /** The series in the store: the same for all threads that say the same, of whatever type the values are. */
  readonly attributes: CanonicalAttributes;

  constructor(labels: Labels, hash: string, names: readonly string[]) {
    this.labels = labels;
    this.hash = hash;
    this.attributes = attributesOf(names, labels);
  }
}

function attributesOf(names: readonly string[], labels: Labels): CanonicalAttributes {
  if (names.length === 0) return NO_ATTRIBUTES;
  const keys = names.filter((name) => labels[name] !== undefined);
  return { keys, values: keys.map((key) => textOf(labels[key])) };
}

function textOf(value: unknown): string {
  return `${value as string | number}`; // throws for symbols, as prom-client does
}

export function hashLabels(labels: Labels, names: readonly string[]): string {
  let hash = '';
  for (const name of names) {
    const value = labels[name];
    if (value !== undefined) hash += `${name}:${textOf(value)},`;
  }
  return hash;
}

export class LabelSeries {
  readonly #names: readonly string[];
  #byHash = new Map<string, LocalSeries>();
  #table = new SeriesTable();
  #references: LocalSeries[] = []; // by the table's reference, less 1

  /** `names`: the declared labels, sorted. */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  values(): Iterable<LocalSeries> {
    return this.#byHash.values();
  }

  get size(): number {
    return this.#byHash.size;
  }

  /** The series of labels that were given to `learn` in this form; undefined: use the slow way. */
  find(labels: object): LocalSeries | undefined {
    try {
      const reference = this.#table.find(labels);
      return reference > 0 ? this.#references[reference - 1] : undefined;
    } catch {
      return undefined; // a getter or proxy of the caller's: the slow way throws what it throws
    }
  }

  get(hash: string): LocalSeries | undefined {
    return this.#byHash.get(hash);
  }

  /** The series with these labels, made if it is not there. */
  obtain(labels: Labels, hash: string = hashLabels(labels, this.#names)): LocalSeries {
    let series = this.#byHash.get(hash);
    if (series === undefined) this.#byHash.set(hash, (series = new LocalSeries(labels, hash, this.#names)));
    return series;
  }

  /** From now on `find` leads from labels like these to their series. They are valid. */
  learn(labels: object, series: LocalSeries): void {
    let isPlain = true;
    const canonical = canonicalAttributes(labels, () => (isPlain = false));
    if (!isPlain || !canonical.values.every(isScalar)) return;
    try {
      if (this.#table.get(canonical) <= 0) this.#table.add(canonical, this.#references.push(series));
      this.#table.learnShape(labels, canonical);
    } catch {
      // a proxy that answers differently each time
    }
  }

  delete(series: LocalSeries): void {
    if (!this.#byHash.delete(series.hash)) return;
    this.#forgetForms();
  }

  clear(): void {
    this.#byHash = new Map();
    this.#forgetForms();
  }

  #forgetForms(): void {
    if (this.#references.length === 0) return;
    this.#table = new SeriesTable();
    this.#references = [];
  }
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}
