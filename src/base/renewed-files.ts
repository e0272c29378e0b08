import { readFileSync, statSync } from 'node:fs';
import { performance } from './platform.ts';

/** How long a value is used before its files are checked again. */
const LOOK_MILLIS = 1000;

/** Reads a file, and notes that what is made depends on it. */
export type ReadFile = (path: string) => string;

/**
 * A value made of files, such as certificates or passwords. It is made again when one of them has changed.
 * There is no timer: the files are checked when the value is asked for. All calls are synchronous, so a busy
 * thread pool delays nobody.
 */
export class RenewedFiles<T> {
  readonly #make: (read: ReadFile) => T;
  readonly #onFailure: (error: unknown) => void;
  #value: T;
  #stamps: ReadonlyMap<string, string> = new Map();
  #lookedAt: number;

  /** Throws what `make` throws. Later failures go to `onFailure`, and the previous value stays in use. */
  constructor(make: (read: ReadFile) => T, onFailure: (error: unknown) => void) {
    this.#make = make;
    this.#onFailure = onFailure;
    this.#value = this.#made();
    this.#lookedAt = performance.now();
  }

  /** The value; a new object each time it is made again. */
  get value(): T {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MILLIS) return this.#value;
    this.#lookedAt = now;
    try {
      if ([...this.#stamps].some(([path, stamp]) => stampOf(path) !== stamp)) this.#value = this.#made();
    } catch (error) {
      this.#onFailure(error); // perhaps a file is being changed: the next check tries again
    }
    return this.#value;
  }

  #made(): T {
    const stamps = new Map<string, string>();
    const value = this.#make((path) => {
      // taken before reading: the next check sees what is written meanwhile
      stamps.set(path, stampOf(path));
      return readFileSync(path, 'utf8');
    });
    this.#stamps = stamps;
    return value;
  }
}

function stampOf(path: string): string {
  const { mtimeMs, ino, size } = statSync(path);
  return `${mtimeMs} ${ino} ${size}`;
}
