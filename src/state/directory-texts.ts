/**
 * The texts of attribute values in one slab's directory, by number. Most texts come again in other series.
 * The first record that has such a text writes it in full with a number; later records name the number.
 *
 * The latest record that assigns a number decides what it stands for. So a number of a record that was never
 * published can be assigned again, and a new owner of the slab starts with no numbers and assigns them again.
 */
import { RegionError } from '../base/errors.ts';

/** How many texts of a directory get numbers. Further texts are written in full each time. */
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

  /** Throws a `RegionError` if no writer assigns such a number. */
  set(number: number, text: string): void {
    if (number >= MAX_TEXTS) throw new RegionError('E_RANGE', `a directory has a text number ${number}`);
    this.#texts[number] = text;
  }

  /** The text of a number that an earlier record assigned. Throws a `RegionError` if none did. */
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

  /** Begins a record. The numbers of a record that was not published are assigned again. */
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

  /** Call it after the record is published, and not before: only then can readers know its texts. */
  publish(): void {
    for (const [text, number] of this.#pending) this.#numbers.set(text, number);
    this.#pending = [];
  }
}
