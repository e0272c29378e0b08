/** Numbers, times and names as people read them. */

const NO_VALUE = '–';
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Units of time in seconds (UCUM). */
const SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  '\u00b5s': 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
  d: 86_400,
};
/** Units of data in bytes. */
const BYTES: Readonly<Record<string, number>> = {
  By: 1,
  kBy: 1e3,
  KBy: 1e3,
  MBy: 1e6,
  GBy: 1e9,
  KiBy: 2 ** 10,
  MiBy: 2 ** 20,
  GiBy: 2 ** 30,
};

/** Three significant digits, without zeros at the end. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** 1234567 as `1.23 M`. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NO_VALUE;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size >= 1e21 || (size > 0 && size < 1e-3)) return value.toExponential(2);
  let power = 0;
  let scaled = value;
  while (Math.abs(scaled) >= 999.5 && power < PREFIXES.length - 1) {
    scaled /= 1000;
    power++;
  }
  return `${digits(scaled)}${power > 0 ? ` ${PREFIXES[power]}` : ''}`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_VALUE;
  let power = 0;
  let scaled = value;
  while (Math.abs(scaled) >= 1023.5 && power < BINARY.length - 1) {
    scaled /= 1024;
    power++;
  }
  return `${digits(scaled)} ${BINARY[power]}`;
}

/** Seconds as `340 ms`, `12.1 s`, `3 min 20 s`, `5 h 2 min`, `3 d 4 h`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return NO_VALUE;
  const size = Math.abs(seconds);
  if (!Number.isFinite(seconds)) return '∞';
  if (size === 0) return '0 s';
  if (size < 999.5e-9) return `${digits(seconds * 1e9)} ns`;
  if (size < 999.5e-6) return `${digits(seconds * 1e6)} µs`;
  if (size < 0.9995) return `${digits(seconds * 1e3)} ms`;
  if (size < 120) return `${digits(seconds)} s`;
  if (size < 7200) return parts(seconds, 60, 'min', 1, 's');
  if (size < 172_800) return parts(seconds, 3600, 'h', 60, 'min');
  return parts(seconds, 86_400, 'd', 3600, 'h');
}

function parts(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const sign = seconds < 0 ? '−' : '';
  const whole = Math.floor(Math.abs(seconds) / small);
  const many = Math.floor((whole * small) / large);
  const rest = whole - (many * large) / small;
  return `${sign}${many} ${largeName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}

/** A value in the unit of its metric (UCUM). What is in braces is a note, which says nothing of the size. */
export function inUnit(amount: number | null | undefined, unit: string): string {
  if (amount === null || amount === undefined || Number.isNaN(amount)) return NO_VALUE;
  const plain = plainUnit(unit);
  if (Object.hasOwn(SECONDS, plain)) return duration(amount * SECONDS[plain]!);
  if (Object.hasOwn(BYTES, plain)) return bytes(amount * BYTES[plain]!);
  if (plain === '' || plain === '1') return number(amount);
  if (plain === '%') return `${number(amount)} %`;
  return `${number(amount)} ${visible(plain)}`;
}

/** An increase a second. */
export function rate(amount: number | null | undefined, unit: string): string {
  const text = inUnit(amount, unit);
  return text === NO_VALUE ? text : `${text}/s`;
}

/** Whether a value in this unit is data, which people count in powers of two. */
export function isData(unit: string): boolean {
  return Object.hasOwn(BYTES, plainUnit(unit));
}

function plainUnit(unit: string): string {
  return unit.replaceAll(/\{[^}]*\}/g, '').trim();
}

/** All digits of a value, for those who want to know exactly. */
export function exact(amount: number | null | undefined): string {
  return amount === null || amount === undefined || Number.isNaN(amount) ? NO_VALUE : String(amount);
}

/** A time of day of the viewer, to the second. `millis`: since the epoch. */
export function clock(millis: number): string {
  return new Date(millis).toLocaleTimeString('en-GB');
}

/** The same to the minute. */
export function minute(millis: number): string {
  return clock(millis).slice(0, 5);
}

/** Date and time of the viewer. */
export function date(millis: number): string {
  const time = new Date(millis);
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock(millis)}`;
}

function two(count: number): string {
  return String(count).padStart(2, '0');
}

export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;
}

const LONGEST = 300;
/** Characters that are not seen, or that change the order of those around them. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029\u115f\u1160\u3164]/gu;

/** A name from the app as it is safe to show: nothing in it is hidden, and it is not too long. */
export function visible(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replaceAll(
    HIDDEN,
    (char) => `‹U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}›`,
  );
}
