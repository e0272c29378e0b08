/** Several writers of one store in one thread: each is made to look like another thread's. */
import { fileURLToPath } from 'node:url';
import { SLAB_BYTES, SLAB_OWNER_WORD, SLAB_TABLE_OFFSET } from '../../src/memory/layout.ts';
import type { Region } from '../../src/memory/region.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { DEAD_MARK, otherLiveMark } from './marks.ts';

function setOwner(region: Region, writer: StoreWriter, mark: number): void {
  Atomics.store(region.words, (SLAB_TABLE_OFFSET + writer.slab! * SLAB_BYTES) / 4 + SLAB_OWNER_WORD, mark);
}

/** A writer of this thread that is of the same kind as threads that run `script`, and so inherits from them. */
export function heirOf(script: URL, region: Region, first: (heir: StoreWriter) => void): StoreWriter {
  const own = process.argv[1]!;
  process.argv[1] = fileURLToPath(script);
  try {
    const heir = new StoreWriter(region);
    first(heir);
    return heir;
  } finally {
    process.argv[1] = own;
  }
}

/** A new writer with a slab of its own, or with that of a writer that was buried. */
export function newWriter(region: Region): StoreWriter {
  const writer = new StoreWriter(region);
  writer.acquire();
  setOwner(region, writer, otherLiveMark());
  return writer;
}

/** From now on the writer counts as dead. Do not use it any more. */
export function bury(writer: StoreWriter): void {
  setOwner(writer.region, writer, DEAD_MARK);
}
