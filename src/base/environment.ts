import { shortText } from './errors.ts';
import { LONGEST_TIMER } from './options.ts';

/** Variables as `process.env` has them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads environment variables as the specification says. An empty value is no value. Names of values are
 * compared without regard to case. A wrong value is warned of, with the value that is used instead.
 */
export class Environment {
  readonly #variables: Variables;
  readonly #warn: (message: string) => void;

  constructor(variables: Variables, warn: (message: string) => void) {
    this.#variables = variables;
    this.#warn = warn;
  }

  /** The variable's value, or that of the first of `others` that has one, and the name it was found under. */
  find(name: string, ...others: string[]): { readonly name: string; readonly value: string } | undefined {
    for (const candidate of [name, ...others]) {
      const value = this.#variables[candidate]?.trim();
      if (value !== undefined && value !== '') return { name: candidate, value };
    }
    return undefined;
  }

  /** Only `true` is true. */
  flag(name: string): boolean {
    return this.oneOf([name], ['false', 'true'], 'false') === 'true';
  }

  oneOf<T extends string>(names: Names, allowed: readonly T[], fallback: T): T {
    return this.#read(names, fallback, allowed.join(', '), (text) =>
      allowed.find((one) => one === text.toLowerCase()),
    );
  }

  /** A comma-separated list. Wrong entries are left out; `fallback` is used when nothing else is left. */
  listOf<T extends string>(names: Names, allowed: readonly T[], fallback: T): T[] {
    const found = this.find(...names);
    if (found === undefined) return [fallback];
    const texts = found.value.split(',').map((text) => text.trim().toLowerCase());
    const right = allowed.filter((one) => texts.includes(one));
    const wrong = texts.filter((text) => text !== '' && !(allowed as readonly string[]).includes(text));
    const used = right.length > 0 ? right : [fallback];
    if (wrong.length > 0)
      this.wrong(found.name, found.value, `a list of ${allowed.join(', ')}`, used.join(', '));
    return used;
  }

  /** In decimal digits. */
  wholeNumber(names: Names, min: number, max: number, fallback: number): number {
    return this.#read(names, fallback, `a whole number from ${min} to ${max}`, (text) => {
      const value = Number(text);
      return /^[0-9]+$/.test(text) && value >= min && value <= max ? value : undefined;
    });
  }

  /** In milliseconds. 0 is no limit (specification, timeout). */
  timeout(names: Names, fallback: number): number {
    return this.wholeNumber(names, 0, LONGEST_TIMER, fallback) || LONGEST_TIMER;
  }

  warn(message: string): void {
    this.#warn(message);
  }

  /** Warns of a wrong value. `used`: what is used instead. */
  wrong(name: string, value: string, allowed: string, used: unknown): void {
    this.#warn(
      `seqlock-metrics: ${name} is ${shortText(value)}; it must be ${allowed}. ${shortText(used)} is used instead`,
    );
  }

  #read<T>(names: Names, fallback: T, allowed: string, parse: (text: string) => T | undefined): T {
    const found = this.find(...names);
    if (found === undefined) return fallback;
    const value = parse(found.value);
    if (value === undefined) this.wrong(found.name, found.value, allowed, fallback);
    return value ?? fallback;
  }
}

/** A variable, and those that are read when it is not set. */
type Names = readonly [string, ...string[]];
