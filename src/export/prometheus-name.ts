import type { ColumnKind } from '../collect/rows/column.ts';
import { unitWords } from './prometheus-unit.ts';

/**
 * How names are translated before any escaping that a scraper negotiates (OpenTelemetry specification,
 * Prometheus exporter).
 */
export type TranslationStrategy =
  | 'UnderscoreEscapingWithSuffixes'
  | 'UnderscoreEscapingWithoutSuffixes'
  | 'NoUTF8EscapingWithSuffixes'
  | 'NoTranslation';

export const TRANSLATION_STRATEGIES: readonly TranslationStrategy[] = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
];

/** How a scraper that does not accept every name wants them (Prometheus content negotiation). */
export type EscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

export const ESCAPING_SCHEMES: readonly EscapingScheme[] = ['allow-utf-8', 'underscores', 'dots', 'values'];

const LEGACY_METRIC = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
const LEGACY_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** True for a name that needs no quotes. */
export function isLegacyName(name: string, isLabel: boolean): boolean {
  return (isLabel ? LEGACY_LABEL : LEGACY_METRIC).test(name);
}

/** A metric's name without the suffix of its type, and the unit it ends with (empty: none). */
export interface MetricName {
  readonly base: string;
  readonly unit: string;
  /** `_total`, or nothing where the strategy adds no suffixes. */
  readonly typeSuffix: string;
}

/** The Prometheus name of an OpenTelemetry metric. */
export function metricName(
  name: string,
  unit: string,
  kind: ColumnKind,
  strategy: TranslationStrategy,
): MetricName {
  const escapes = strategy.startsWith('Underscore');
  const text = wellFormed(name);
  let base = escapes ? legalMetric(text) : text;
  if (base === '') return { base, unit: '', typeSuffix: '' };
  if (strategy === 'UnderscoreEscapingWithoutSuffixes' || strategy === 'NoTranslation')
    return kind === 'counter' && base.endsWith('_total') && base.length > '_total'.length
      ? { base: base.slice(0, -'_total'.length), unit: '', typeSuffix: '_total' }
      : { base, unit: '', typeSuffix: '' };
  const isCounter = kind === 'counter';
  if (isCounter && base.endsWith('_total') && base.length > '_total'.length)
    base = base.slice(0, -'_total'.length);
  const words = unitWords(unit);
  const suffix = unit === '1' && kind === 'gauge' ? 'ratio' : words;
  if (suffix !== '' && base !== suffix && !base.endsWith(`_${suffix}`))
    base = base.endsWith('_') ? base + suffix : `${base}_${suffix}`;
  return { base, unit: words, typeSuffix: isCounter ? '_total' : '' };
}

/** The label name of an attribute key. */
export function labelName(key: string, strategy: TranslationStrategy): string {
  const text = wellFormed(key);
  const name = strategy.startsWith('Underscore') ? underscored(text, /[^A-Za-z0-9_]/g) : text;
  if (name === '') return '_';
  // As Prometheus itself translates OTLP.
  return strategy.startsWith('Underscore') && beginsWithDigit(name) ? `key_${name}` : name;
}

/** Empty if no character of the name is left: names of that kind would all be one. */
function legalMetric(text: string): string {
  const name = underscored(text, /[^A-Za-z0-9_:]/g);
  if (name === '_' && !/^_+$/.test(text)) return '';
  return beginsWithDigit(name) ? `_${name}` : name;
}

const underscored = (text: string, illegal: RegExp): string =>
  text.replaceAll(illegal, '_').replaceAll(/_{2,}/g, '_');

const beginsWithDigit = (name: string): boolean => /^[0-9]/.test(name);

/**
 * A translated name in the form that the scraper asked for. Only `dots` changes names that were legal
 * already, so that it can be undone.
 */
export function escapedName(name: string, scheme: EscapingScheme, isLabel: boolean): string {
  if (name === '' || scheme === 'allow-utf-8') return name;
  const isLegal = isLegacyName(name, isLabel);
  if (scheme === 'dots') return Array.from(name, (char, i) => dotsEscaped(char, i, isLabel)).join('');
  if (isLegal) return name;
  if (scheme === 'underscores')
    return Array.from(name, (char, i) => (isLegalAt(char, i, isLabel) ? char : '_')).join('');
  return `U__${Array.from(name, (char, i) => (char === '_' ? '__' : isLegalAt(char, i, isLabel) ? char : `_${char.codePointAt(0)!.toString(16)}_`)).join('')}`;
}

function dotsEscaped(char: string, i: number, isLabel: boolean): string {
  if (char === '_') return '__';
  if (char === '.') return '_dot_';
  return isLegalAt(char, i, isLabel) ? char : '__';
}

function isLegalAt(char: string, i: number, isLabel: boolean): boolean {
  return /^[A-Za-z_]$/.test(char) || (i > 0 && /^[0-9]$/.test(char)) || (char === ':' && !isLabel);
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text that UTF-8 can hold: lone surrogates become U+FFFD. */
export function wellFormedUnicode(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? text.replaceAll(LONE_SURROGATE, '\ufffd') : text;
}

/**
 * Text that every parser can read: lone surrogates, and NUL, at which Prometheus stops reading, become
 * U+FFFD.
 */
export function wellFormed(text: string): string {
  return wellFormedUnicode(text).replaceAll('\0', '\ufffd');
}
