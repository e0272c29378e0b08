import type { Attributes } from '@opentelemetry/api';
import type { ByteText } from './byte-text.ts';
import {
  escapedName,
  isLegacyName,
  labelName,
  wellFormed,
  type EscapingScheme,
  type TranslationStrategy,
} from './prometheus-name.ts';

/** How many attribute keys have their label names remembered. Names of further keys are made each time. */
const MAX_CACHED_KEYS = 10_000;
const COMMA = 44;
const QUOTE = 34;

/** How the keys of a scope's labels begin ... */
export const SCOPE_PREFIX = 'otel_scope_';
/** ... and their names, in every escaping. */
const OF_SCOPE = /^(U__)?otel__?scope__?/;
/** The place of labels that are neither of the scope nor of the resource. */
const LAST_PLACE = 2;

/** A label without quotes and escapes. */
export interface LabelPair {
  readonly name: string;
  readonly value: string;
}

/** A label, and the attribute key that it was made from. */
export interface Label extends LabelPair {
  readonly key: string;
}

const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * What the labels of a metric's series have in common: labels that all of them have, which stand first, and
 * names that attributes may not take.
 */
export class SharedLabels {
  readonly pairs: readonly LabelPair[];
  readonly bytes: Buffer;
  /** An attribute with such a name is called `exported_...`, as in Prometheus itself. */
  readonly reserved: ReadonlySet<string>;
  readonly #labels: readonly Label[];
  readonly #constants: ReadonlySet<string>;

  /**
   * `labels`: those that every series has. `constants`: those of their names that every series of every
   * metric has.
   */
  constructor(
    reserved: ReadonlySet<string> = NO_NAMES,
    labels: readonly Label[] = [],
    constants: ReadonlySet<string> = NO_NAMES,
  ) {
    this.reserved = reserved;
    this.#labels = labels;
    this.#constants = constants;
    this.pairs = this.joined([]);
    this.bytes = Buffer.from(labelText(this.pairs), 'utf8');
  }

  /** True for a name that another series may share: it stands among the labels at the front then. */
  isForward(name: string): boolean {
    return this.#placeOf(name) < LAST_PLACE;
  }

  /**
   * These labels with the shared ones. Labels of one name are joined. Equal sets of labels come in the same
   * order, whichever of them are shared.
   */
  joined(labels: readonly Label[]): LabelPair[] {
    const all = [...this.#labels, ...labels].map((label) => ({ label, place: this.#placeOf(label.name) }));
    all.sort(
      (a, b) => a.place - b.place || compare(a.label.name, b.label.name) || compare(a.label.key, b.label.key),
    );
    const pairs: { name: string; value: string }[] = [];
    for (const {
      label: { name, value },
    } of all) {
      const last = pairs.at(-1);
      if (last?.name === name) last.value += `;${value}`;
      else pairs.push({ name, value });
    }
    return pairs;
  }

  /** Labels of scopes stand first, then those of the resource. */
  #placeOf(name: string): number {
    if (OF_SCOPE.test(name)) return 0;
    return this.#constants.has(name) ? 1 : LAST_PLACE;
  }
}

/** The labels of series that have the same keys. */
interface Layout {
  readonly shared: SharedLabels;
  readonly keys: readonly string[];
  /** In the order of their names; `before` is a label up to its value. */
  readonly labels: readonly { readonly key: string; readonly before: Buffer }[];
}

/**
 * Turns attributes into labels, by the OpenTelemetry rules. Labels are sorted by name. A label with an empty
 * value is left out, since to Prometheus it is the same as no label. If several keys become one label, their
 * values are joined with `;`, in the order of the keys.
 */
export class LabelWriter {
  readonly #strategy: TranslationStrategy;
  readonly #escaping: EscapingScheme;
  readonly #names = new Map<string, string>();
  #layout: Layout | undefined;

  constructor(strategy: TranslationStrategy, escaping: EscapingScheme) {
    this.#strategy = strategy;
    this.#escaping = escaping;
  }

  /** The label name of a key. */
  nameOf(key: string): string {
    let name = this.#names.get(key);
    if (name !== undefined) return name;
    name = escapedName(labelName(key, this.#strategy), this.#escaping, true);
    if (name === '__name__') name = 'exported__name'; // the metric's own name travels under this label
    if (this.#names.size < MAX_CACHED_KEYS) this.#names.set(key, name);
    return name;
  }

  /**
   * Appends the labels of a series; see `pairs`. Series of one metric usually have the same keys, whose
   * labels are known then.
   */
  write(attributes: Attributes, shared: SharedLabels, into: ByteText): void {
    let layout = this.#layout;
    if (layout?.shared !== shared || !haveKeys(attributes, layout.keys)) {
      layout = this.#layOut(Object.keys(attributes), shared);
      if (layout === undefined) {
        into.text(labelText(this.pairs(attributes, shared)));
        return;
      }
      this.#layout = layout;
    }
    const start = into.length;
    into.copy(shared.bytes);
    for (const { key, before } of layout.labels) {
      const value = attributes[key];
      const from = into.length;
      if (from > start) into.byte(COMMA);
      into.copy(before);
      const valueStart = into.length;
      if (typeof value !== 'string' || !into.plain(value)) into.text(escapedValue(valueText(value)));
      // A label without a value does not exist.
      if (into.length === valueStart) into.length = from;
      else into.byte(QUOTE);
    }
  }

  /** The form of the labels of these keys; undefined if they have to be joined, or stand at the front. */
  #layOut(keys: readonly string[], shared: SharedLabels): Layout | undefined {
    const labels = keys.map((key) => ({ name: this.#freeName(key, shared.reserved), key }));
    labels.sort((a, b) => compare(a.name, b.name));
    if (labels.some(({ name }, i) => name === labels[i - 1]?.name || shared.isForward(name)))
      return undefined;
    return {
      shared,
      keys,
      labels: labels.map(({ name, key }) => ({ key, before: Buffer.from(`${shownName(name)}="`, 'utf8') })),
    };
  }

  /** The label name of a key, changed if it is reserved. */
  #freeName(key: string, reserved: ReadonlySet<string>): string {
    let name = this.nameOf(key);
    for (let free = `exported_${key}`; reserved.has(name); free = `exported_${free}`)
      name = this.nameOf(free);
    return name;
  }

  /** A label for each attribute that has a value. */
  labels(attributes: Attributes, reserved: ReadonlySet<string> = NO_NAMES): Label[] {
    return Object.keys(attributes)
      .map((key) => ({ name: this.#freeName(key, reserved), key, value: valueText(attributes[key]) }))
      .filter(({ value }) => value !== '');
  }

  /** The labels of a series. */
  pairs(attributes: Attributes, shared: SharedLabels): LabelPair[] {
    return shared.joined(this.labels(attributes, shared.reserved));
  }
}

/** Labels as they stand between braces. */
export function labelText(pairs: readonly LabelPair[]): string {
  let text = '';
  for (const { name, value } of pairs) {
    text += `${text === '' ? '' : ','}${shownName(name)}="${escapedValue(value)}"`;
  }
  return text;
}

function shownName(name: string): string {
  return isLegacyName(name, true) ? name : `"${escapedValue(name)}"`;
}

/** True for an object of just these keys, in this order. */
function haveKeys(attributes: Attributes, keys: readonly string[]): boolean {
  let count = 0;
  for (const key in attributes) if (key !== keys[count++]) return false;
  return count === keys.length;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * An attribute value as text (specification, AnyValue for protocols other than OTLP): strings unchanged,
 * bytes as base64, everything else as JSON; empty if there is no value.
 */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return wellFormed(value);
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  try {
    return wellFormed(JSON.stringify(value) ?? '');
  } catch {
    return ''; // circular, or a bigint: only other producers have those
  }
}

/** Escapes label values and quoted names: backslash, quote and line feed. */
export function escapedValue(value: string): string {
  return /["\\\n]/.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;
}
