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

/** The labels of series that have the same keys. */
interface Layout {
  readonly reserved: ReadonlySet<string>;
  readonly keys: readonly string[];
  /** In the order of their names; `before` is a label up to its value. */
  readonly labels: readonly { readonly key: string; readonly before: Buffer }[];
}

/** A label without quotes and escapes. */
export interface LabelPair {
  readonly name: string;
  readonly value: string;
}

/** A set of labels as the text between braces: `a="1",b="2"`. Equal sets have equal texts. */
export interface LabelSet {
  readonly text: string;
  readonly pairs: readonly LabelPair[];
  readonly names: readonly string[];
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
  write(attributes: Attributes, reserved: ReadonlySet<string>, into: ByteText): void {
    let layout = this.#layout;
    if (layout?.reserved !== reserved || !haveKeys(attributes, layout.keys)) {
      layout = this.#layOut(Object.keys(attributes), reserved);
      if (layout === undefined) {
        into.text(labelText(this.pairs(attributes, reserved)));
        return;
      }
      this.#layout = layout;
    }
    const start = into.length;
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

  /** The form of the labels of these keys; undefined if two keys become one label. */
  #layOut(keys: readonly string[], reserved: ReadonlySet<string>): Layout | undefined {
    const labels = keys.map((key) => ({ name: this.#freeName(key, reserved), key }));
    labels.sort((a, b) => compare(a.name, b.name));
    if (labels.some(({ name }, i) => name === labels[i - 1]?.name)) return undefined;
    return {
      reserved,
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

  /** ... and in every form. */
  labels(attributes: Attributes, reserved: ReadonlySet<string>): LabelSet {
    const pairs = this.pairs(attributes, reserved);
    return { pairs, text: labelText(pairs), names: pairs.map(({ name }) => name) };
  }

  /**
   * The labels of a series. A label in `reserved` belongs to the exposition (`le`, scope labels). An
   * attribute with such a name is called `exported_...`, as in Prometheus itself.
   */
  pairs(attributes: Attributes, reserved: ReadonlySet<string>): LabelPair[] {
    const labels: { name: string; key: string; value: string }[] = [];
    for (const key of Object.keys(attributes)) {
      const value = valueText(attributes[key]);
      if (value === '') continue;
      labels.push({ name: this.#freeName(key, reserved), key, value });
    }
    if (labels.length > 1) labels.sort((a, b) => compare(a.name, b.name) || compare(a.key, b.key));
    const pairs: { name: string; value: string }[] = [];
    for (const { name, value } of labels) {
      const last = pairs.at(-1);
      if (last?.name === name) last.value += `;${value}`;
      else pairs.push({ name, value });
    }
    return pairs;
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

/** An attribute value as text: strings unchanged, everything else as JSON; empty if there is no value. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return wellFormed(value);
  if (value === undefined) return '';
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
