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
  let base = escapes ? underscored(text, false) : text;
  if (strategy === 'UnderscoreEscapingWithoutSuffixes' || strategy === 'NoTranslation')
    return kind === 'counter' && base.endsWith('_total') && base.length > '_total'.length
      ? { base: base.slice(0, -'_total'.length), unit: '', typeSuffix: '_total' }
      : { base, unit: '', typeSuffix: '' };
  const isCounter = kind === 'counter';
  if (isCounter && base.endsWith('_total') && base.length > '_total'.length)
    base = base.slice(0, -'_total'.length);
  let suffix = unitWords(unit);
  if (suffix === '' && unit === '1' && kind === 'gauge') suffix = 'ratio';
  if (suffix !== '' && base !== suffix && !base.endsWith(`_${suffix}`))
    base = base.endsWith('_') ? base + suffix : `${base}_${suffix}`;
  return { base, unit: suffix, typeSuffix: isCounter ? '_total' : '' };
}

/** The label name of an attribute key. */
export function labelName(key: string, strategy: TranslationStrategy): string {
  const text = wellFormed(key);
  if (strategy.startsWith('Underscore')) return underscored(text, true);
  return text === '' ? '_' : text;
}

function underscored(text: string, isLabel: boolean): string {
  const legal = text
    .replaceAll(isLabel ? /[^A-Za-z0-9_]/g : /[^A-Za-z0-9_:]/g, '_')
    .replaceAll(/_{2,}/g, '_');
  if (legal === '') return isLabel ? '_' : '';
  return legal.charCodeAt(0) >= 48 && legal.charCodeAt(0) <= 57 ? `_${legal}` : legal;
}

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

/**
 * Text that every parser can read: lone surrogates, and NUL, at which Prometheus stops reading, become
 * U+FFFD.
 */
export function wellFormed(text: string): string {
  return /[\0\ud800-\udfff]/.test(text)
    ? text.replaceAll(LONE_SURROGATE, '\ufffd').replaceAll('\0', '\ufffd')
    : text;
}
