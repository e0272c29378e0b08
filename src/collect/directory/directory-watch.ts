import type { ExtentCursor } from '../../memory/directory-log.ts';
import { EXTENT_USED_WORD } from '../../memory/layout.ts';
import type { Region } from '../../memory/region.ts';

/**
 * Tells whether directories have grown since they were read. It costs one load for each; reading on takes ten
 * times as long.
 */
export class DirectoryWatch {
  readonly #region: Region;
  #walkedTo = -1;
  #words: Int32Array;
  #usedIndices: number[] = [];
  #readTo: number[] = [];

  constructor(region: Region) {
    this.#region = region;
    this.#words = region.words;
  }

  /**
   * Remembers how far everything was read: extents up to `walkedTo`, and the last extent of each slab as its
   * cursor says.
   */
  note(walkedTo: number, cursors: readonly ExtentCursor[]): void {
    this.#walkedTo = walkedTo;
    this.#words = this.#region.words;
    this.#usedIndices = cursors.map(({ extent }) => (extent.offset >> 2) + EXTENT_USED_WORD);
    this.#readTo = cursors.map(({ readTo }) => readTo);
  }

  hasNews(): boolean {
    if (this.#region.usedBytes !== this.#walkedTo) return true;
    const words = this.#words;
    const indices = this.#usedIndices;
    for (let i = 0; i < indices.length; i++)
      if (Atomics.load(words, indices[i]!) > this.#readTo[i]!) return true;
    return false;
  }
}
