import { lengthened } from '../base/array-room.ts';
import { ByteText } from './byte-text.ts';
import { MAX_NUMBER_BYTES, writeNumber } from './number-text.ts';
import { CHUNK_BYTES, PageChunk } from './page-chunk.ts';
import type { LineTemplate } from './row-template.ts';

const LINE_FEED = 10;

/** The chunk that is being made. Used for one chunk after the other. */
export class ChunkBuilder {
  readonly #text = new ByteText();
  #starts = new Int32Array(1024);
  #sizes = new Uint8Array(1024);
  #shown = new Float64Array(1024);
  #slots = 0;

  get isEmpty(): boolean {
    return this.#slots === 0;
  }

  /** True when no more rows should be added. */
  get isFull(): boolean {
    return this.#text.length >= CHUNK_BYTES;
  }

  /** Adds a line with this number and these labels, which may be empty. */
  add({ before, after, unlabelled }: LineTemplate, labels: ByteText, number: number): void {
    const text = this.#text;
    if (labels.length === 0) text.copy(unlabelled);
    else {
      text.copy(before);
      text.append(labels);
      text.copy(after);
    }
    text.reserve(MAX_NUMBER_BYTES + 1);
    const slot = this.#slots++;
    if (slot === this.#starts.length) this.#grow();
    const start = text.length;
    const end = writeNumber(text.bytes, start, number);
    text.length = end;
    text.byte(LINE_FEED);
    this.#starts[slot] = start;
    this.#sizes[slot] = end - start;
    this.#shown[slot] = number;
  }

  /** The chunk of the lines added since the last one. */
  finish(): PageChunk {
    const slots = this.#slots;
    const chunk = new PageChunk(
      this.#text.bytes.subarray(0, this.#text.length),
      this.#starts.slice(0, slots),
      this.#sizes.slice(0, slots),
      this.#shown.slice(0, slots),
    );
    this.clear();
    return chunk;
  }

  /** Forgets the lines added since the last chunk. */
  clear(): void {
    this.#text.clear();
    this.#slots = 0;
  }

  #grow(): void {
    const length = 2 * this.#starts.length;
    this.#starts = lengthened(this.#starts, length);
    this.#sizes = lengthened(this.#sizes, length);
    this.#shown = lengthened(this.#shown, length);
  }
}
