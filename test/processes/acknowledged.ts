/**
 * Where the writers of this script note what they have recorded: a file that each process maps, so that a note is kept like a
 * record is, whatever kills the process. A place is a writer's own; it counts a note up after the record call has returned.
 */
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { mapFile } from '../../src/memory/native.ts';

const PLACES = 8192;
const WORDS_PER_PLACE = 16; // a cache line: writers do not slow each other
const BYTES = PLACES * WORDS_PER_PLACE * 4;

export const COUNTED = 0;
export const TIMED = 1;

export class Acknowledged {
  readonly words: Int32Array;

  constructor(path: string) {
    const fd = openSync(path, 'a+');
    closeSync(fd);
    const shared = openSync(path, 'r+');
    ftruncateSync(shared, BYTES); // always to the same length
    const buffer = new SharedArrayBuffer(BYTES, { maxByteLength: BYTES });
    mapFile(buffer, shared);
    closeSync(shared);
    this.words = new Int32Array(buffer, 0, BYTES >> 2);
  }

  /** Index of the word of a place for one kind of record. */
  index(place: number, kind: number): number {
    if (place >= PLACES) throw new Error(`no place ${place}`);
    return place * WORDS_PER_PLACE + kind;
  }

  total(kind: number): number {
    let total = 0;
    for (let place = 0; place < PLACES; place++) total += this.words[this.index(place, kind)]!;
    return total;
  }
}
