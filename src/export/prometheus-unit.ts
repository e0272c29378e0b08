/**
 * Units of the Unified Code for Units of Measure as words of Prometheus names (OpenTelemetry specification,
 * Prometheus compatibility).
 */

const WORDS: Readonly<Record<string, string>> = {
  // time
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  '\u00b5s': 'microseconds', // not UCUM, yet written: micro sign, Greek mu
  '\u03bcs': 'microseconds',
  ns: 'nanoseconds',
  // bytes
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  kBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  // physics
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  // ratios
  '1': '',
  '%': 'percent',
};

const PER_WORDS: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

const lookUp = (table: Readonly<Record<string, string>>, unit: string): string =>
  Object.hasOwn(table, unit) ? table[unit]! : unit;

const sanitized = (text: string): string => text.replaceAll(/[^A-Za-z0-9]+/g, '_').replaceAll(/^_+|_+$/g, '');

/**
 * The unit at the end of a metric name; empty if it adds nothing. Annotations in braces are dropped; `m/s` is
 * `meters_per_second`.
 */
export function unitWords(unit: string): string {
  const plain = unit.replaceAll(/\{[^}]*\}/g, '').trim();
  const slash = plain.indexOf('/');
  if (slash === -1) return sanitized(lookUp(WORDS, plain));
  const main = sanitized(lookUp(WORDS, plain.slice(0, slash).trim()));
  const per = sanitized(lookUp(PER_WORDS, plain.slice(slash + 1).trim()));
  return per === '' ? main : main === '' ? `per_${per}` : `${main}_per_${per}`;
}
