/**
 * The texts of attribute values in one slab's directory by number. Most come again in other series: a record
 * gives such a text in full and with a number the first time it is there, and later ones name the number.
 *
 * A number stands for what the latest record says that gives it. So a number that was taken for a record
 * nobody published can be given again, and an heir of the slab begins with none and gives them anew.
 */
import { RegionError } from '../base/errors.ts';

/** Texts that a directory gives numbers to; what exceeds them is written in full each time. */
export const MAX_TEXTS = 8192;

/** Makes a text of the UTF-8 bytes from `start` to `end`. */
export type TextOfBytes = (bytes: Buffer, start: number, end: number) => string;

const utf8Text: TextOfBytes = (bytes, start, end) => bytes.toString('utf8', start, end);

/** The reader's side. */
export class DirectoryTexts {
  /** Makes the texts that are written in full. */
  readonly textOf: TextOfBytes;
  readonly #texts: string[] = [];

  constructor(textOf: TextOfBytes = utf8Text) {
    this.textOf = textOf;
  }

  /** Throws a `RegionError` where no writer gives such a number. */
  set(number: number, text: string): void {
    if (number >= MAX_TEXTS) throw new RegionError('E_RANGE', `a directory has a text number ${number}`);
    this.#texts[number] = text;
  }

  /** The text of a number that a record before has given. Throws a `RegionError` where none has. */
  get(number: number): string {
    const text = this.#texts[number];
    if (text === undefined) throw new RegionError('E_RANGE', `a directory has no text number ${number}`);
    return text;
  }
}

/** The writer's side. Only the slab's owner. */
export class TextNumbers {
  readonly #numbers = new Map<string, number>();
  #pending: [string, number][] = [];
  #next = 0;

  /** Begins a record. The numbers of one that was not published are given again. */
  begin(): void {
    this.#next -= this.#pending.length;
    this.#pending = [];
  }

  /** The number of a text that a published record has. */
  numberOf(text: string): number | undefined {
    return this.#numbers.get(text);
  }

  /** A number for a text that the record gives in full; undefined when all are used up. */
  take(text: string): number | undefined {
    if (this.#next === MAX_TEXTS) return undefined;
    this.#pending.push([text, this.#next]);
    return this.#next++;
  }

  /**
   * Call when the record is published, and not before: only then are its texts there for readers of later
   * ones.
   */
  publish(): void {
    for (const [text, number] of this.#pending) this.#numbers.set(text, number);
    this.#pending = [];
  }
}
