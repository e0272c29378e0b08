/**
 * The directory's record of a series' exemplars: a block of exemplar cells, one a place of the reservoir, all
 * of one size.
 *
 *   EXEMPLARS  0        4        8        12       16           20
 *              +--------+--------+--------+--------+------------+
 *              | stream | cell   | block  | places | text words |
 *              +--------+--------+--------+--------+------------+
 *
 * cell    the series', which says whose exemplars these are; block: the first exemplar cell. Both float64
 *         indices in the region.
 *
 * A series has no block until its first measurement that is kept as an exemplar, and never more than one.
 */
import { exemplarCellWords } from './cells/exemplar-cell.ts';

export interface ExemplarsRecord {
  readonly stream: number;
  readonly cell: number;
  readonly block: number;
  readonly places: number;
  readonly textWords: number;
}

const BLOCK_OFFSET = 8;
const RECORD_BYTES = 20;

export function encodeExemplars({ stream, cell, block, places, textWords }: ExemplarsRecord): Buffer {
  const payload = Buffer.alloc(RECORD_BYTES);
  [stream, cell, block, places, textWords].forEach((field, i) => payload.writeUInt32LE(field, 4 * i));
  return payload;
}

/** Writes the block's place into an encoded record. It is known only after room was found for both. */
export function setExemplarBlock(payload: Buffer, block: number): void {
  payload.writeUInt32LE(block, BLOCK_OFFSET);
}

export function decodeExemplars(payload: Buffer): ExemplarsRecord {
  const [stream, cell, block, places, textWords] = [0, 1, 2, 3, 4].map((i) =>
    payload.readUInt32LE(4 * i),
  ) as [number, number, number, number, number];
  return { stream, cell, block, places, textWords };
}

/** Float64 words of a block. */
export function exemplarBlockWords(places: number, textWords: number): number {
  return places * exemplarCellWords(textWords);
}
