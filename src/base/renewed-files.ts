import { readFileSync, statSync } from 'node:fs';
import { performance } from './platform.ts';

/** How long what was made of files is used before they are looked at again. */
const LOOK_MILLIS = 1000;

/** Reads a file, and notes that what is made depends on it. */
export type ReadFile = (path: string) => string;

/**
 * What is made of files, and made anew when one of them has changed: certificates, passwords. There is no
 * timer: the files are looked at when the value is asked for. All calls are synchronous, so that a busy
 * thread pool holds up nobody.
 */
export class RenewedFiles<T> {
  readonly #make: (read: ReadFile) => T;
  readonly #onFailure: (error: unknown) => void;
  #value: T;
  #stamps: ReadonlyMap<string, string> = new Map();
  #lookedAt: number;

  /**
   * Throws what `make` throws. Later failures are told to `onFailure`, and the value made last stays in use.
   */
  constructor(make: (read: ReadFile) => T, onFailure: (error: unknown) => void) {
    this.#make = make;
    this.#onFailure = onFailure;
    this.#value = this.#made();
    this.#lookedAt = performance.now();
  }

  /** The value; another object when it was made anew. */
  get value(): T {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MILLIS) return this.#value;
    this.#lookedAt = now;
    try {
      if ([...this.#stamps].some(([path, stamp]) => stampOf(path) !== stamp)) this.#value = this.#made();
    } catch (error) {
      this.#onFailure(error); // perhaps in mid-change: the next look tries again
    }
    return this.#value;
  }

  #made(): T {
    const stamps = new Map<string, string>();
    const value = this.#make((path) => {
      // before it is read: what is written meanwhile is seen by the next look
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
