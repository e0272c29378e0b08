import { OptionError } from '../base/errors.ts';
import { allowedNames, isObject, type Check } from '../base/options.ts';

/**
 * A part of a configuration, and where it stands. It is asked for each key that is known, and then to `end`:
 * a key that nobody has asked for is an error. A key whose value is null is as if it were left out.
 * All methods throw an `OptionError` that names the place.
 */
export class Section {
  readonly path: string;
  readonly #entries: ReadonlyMap<string, unknown>;
  readonly #known = new Set<string>();

  /** `value`: null for an empty section. */
  constructor(value: unknown, path: string) {
    if (value !== null && !isObject(value)) throw new OptionError(path, value, 'a mapping');
    this.path = path;
    this.#entries = new Map(Object.entries(value ?? {}));
  }

  /** A value, checked; undefined if it is left out. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- `check` has seen that it is a T
  value<T>(key: string, check: Check): T | undefined {
    const found = this.#take(key);
    if (found === undefined) return undefined;
    check(found, this.#pathOf(key));
    return found as T;
  }

  /** One of the keys of `values`, as what stands there. */
  oneOf<T>(key: string, values: Readonly<Record<string, T>>): T | undefined {
    const found = this.#take(key);
    if (found === undefined) return undefined;
    if (typeof found !== 'string' || !Object.hasOwn(values, found))
      throw new OptionError(this.#pathOf(key), found, allowedNames(Object.keys(values), found));
    return values[found];
  }

  section(key: string): Section | undefined {
    const found = this.#take(key);
    return found === undefined ? undefined : new Section(found, this.#pathOf(key));
  }

  /** A list of sections; empty if it is left out. */
  sections(key: string): Section[] {
    const found = this.#take(key) ?? [];
    if (!Array.isArray(found)) throw new OptionError(this.#pathOf(key), found, 'a list');
    return found.map((one, i) => new Section(one, `${this.#pathOf(key)}[${i}]`));
  }

  /** What the only key of the section chooses. */
  choice<T extends string>(names: readonly T[]): readonly [T, Section] {
    const [[key, value] = [undefined, undefined], ...others] = this.#entries;
    const name = names.find((one) => one === key);
    if (name === undefined || others.length > 0)
      throw new OptionError(this.path, [...this.#entries.keys()].join(', '), allowedNames(names, key));
    return [name, new Section(value ?? null, this.#pathOf(name))];
  }

  end(): void {
    for (const key of this.#entries.keys())
      if (!this.#known.has(key))
        throw new OptionError(`key of ${this.path}`, key, allowedNames([...this.#known], key));
  }

  #take(key: string): unknown {
    this.#known.add(key);
    return this.#entries.get(key) ?? undefined;
  }

  #pathOf(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }
}
