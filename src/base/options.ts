/**
 * Checks of options. Each public options object has one table: its keys, and what each may be. An unknown
 * key, or a value that is not allowed, throws an `OptionError` that names the key, what is allowed, and what
 * was probably meant.
 *
 *   const SERVER = table<ServerOptions>('prometheus', { host: text, port: wholeNumber(0, 65_535) });
 *   SERVER(options, 'prometheus');
 *
 * The type ties a table to its interface: a new option without a check does not compile.
 */
import { OptionError } from './errors.ts';

/** Throws an `OptionError` on a value that is not allowed. `option` names it. */
export type Check = (value: unknown, option: string) => void;

/** What `accepts` is true for. */
export function rule(allowed: string, accepts: (value: unknown) => boolean): Check {
  return (value, option) => {
    if (!accepts(value)) throw new OptionError(option, value, allowed);
  };
}

export const anything: Check = () => {};
export const flag: Check = rule('true or false', (value) => typeof value === 'boolean');
export const text: Check = rule('a string', (value) => typeof value === 'string');
export const someFunction: Check = rule('a function', (value) => typeof value === 'function');

export function wholeNumber(low: number, high: number, what = 'a whole number'): Check {
  return rule(
    high === Infinity ? `${what} from ${low}` : `${what} from ${low} to ${high}`,
    (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
  );
}

/** The longest time that Node's timers know. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;
export const milliseconds: Check = wholeNumber(1, LONGEST_TIMER, 'a whole number of milliseconds');

export function oneOf(allowed: readonly unknown[]): Check {
  return (value, option) => {
    if (!allowed.includes(value)) throw new OptionError(option, value, allowedNames(allowed, value));
  };
}

/** An array, each of whose elements is checked. */
export function listOf(element: Check, allowed: string): Check {
  return (value, option) => {
    if (!Array.isArray(value)) throw new OptionError(option, value, allowed);
    for (let i = 0; i < value.length; i++) element(value[i], `${option}[${i}]`); // `forEach` skips holes
  };
}

/** An object with any keys, each of whose values is checked. */
export function mapOf(element: Check, allowed: string): Check {
  return (value, option) => {
    if (!isObject(value)) throw new OptionError(option, value, allowed);
    for (const [key, one] of Object.entries(value)) element(one, `${option}.${key}`);
  };
}

/**
 * An options object with the keys of `checks`, each of which may be left out; undefined is left out.
 * `prefix`: what names its keys, by default the name of the object, and '' for an object that is the whole of
 * an argument.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers name the table's interface
export function table<T extends object>(
  checks: { readonly [K in keyof Required<T>]: Check },
  { example = 'an object', prefix }: { readonly example?: string; readonly prefix?: '' } = {},
): Check {
  const keys = Object.keys(checks);
  return (value, option) => {
    if (!isObject(value)) throw new OptionError(option, value, example);
    const unknown = Object.keys(value).find((key) => !keys.includes(key));
    if (unknown !== undefined)
      throw new OptionError(`key of ${option}`, unknown, allowedNames(keys, unknown));
    for (const key of keys as (keyof T & string)[]) {
      const given = (value as T)[key];
      if (given !== undefined) checks[key](given, prefix === '' ? key : `${option}.${key}`);
    }
  };
}

/**
 * For options whose errors are only warned of. Returns the text of a warning about the first key that is not
 * in `keys`, or undefined if there is none. `what` names the object. May throw what the object throws.
 */
export function unknownKey(what: string, value: unknown, keys: readonly string[]): string | undefined {
  if (!isObject(value)) return undefined;
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown === undefined) return undefined;
  return `${what} has the unknown option ${JSON.stringify(unknown.slice(0, 80))}, which has no effect; it must be ${allowedNames(keys, unknown)}`;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All names that are allowed, and the one that `given` is nearest to. */
export function allowedNames(allowed: readonly unknown[], given: unknown): string {
  const list = allowed.length === 1 ? String(allowed[0]) : `one of ${allowed.join(', ')}`;
  const near = nearest(given, allowed);
  return near === undefined ? list : `${list}. Did you mean ${near}?`;
}

/** The name that `given` is most likely a misspelling of; undefined if no name is close enough. */
export function nearest(given: unknown, names: readonly unknown[]): string | undefined {
  if (typeof given !== 'string' || given.length > 100) return undefined;
  const wrong = given.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wrong.length / 3)) + 1;
  for (const name of names) {
    if (typeof name !== 'string') continue;
    const right = name.toLowerCase();
    // A prefix is likelier than a misspelling: `port` for `ports`, `timeout` for `timeoutMillis`.
    const isPart = wrong.length >= 3 && (right.startsWith(wrong) || wrong.startsWith(right));
    const distance = isPart ? 0.5 : slips(wrong, right);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/**
 * How many letters must be added, removed, replaced or swapped with their neighbour (Damerau, 1964; each
 * place changes once).
 */
function slips(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      rows[i]![j] = Math.min(
        rows[i - 1]![j]! + 1,
        rows[i]![j - 1]! + 1,
        rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped ? rows[i - 2]![j - 2]! + 1 : Infinity,
      );
    }
  return rows[a.length]![b.length]!;
}
