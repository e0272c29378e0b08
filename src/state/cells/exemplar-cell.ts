/**
 * Exemplar cell: one measurement kept as an example, one place of a reservoir. One writer at a time; readers
 * in any thread.
 *
 *   float64   at                at+1    +2     +3              +7                 at+1+S
 *             +--------+--------+-------+------+------+- - - -+------+- - - - - -+----------+
 *             |version | 0      | value | time | ids 0 .. 3   | text 0 .. T-1    | slot 1 S |      S = 6 + T
 *             +--------+--------+-------+------+------+- - - -+------+- - - - - -+----------+
 *                                 slot 0
 *
 * time   milliseconds since the epoch
 * ids    the 24 bytes of trace id and span id, six a word; all zero (which is no valid id) where no span was
 *        active
 * text   filtered attributes as JSON in UTF-8, six bytes a word, ended by a zero byte if it is shorter. A
 *        stream whose view drops no attributes has none (T = 0).
 *
 * Six bytes make a whole number that a float64 holds exactly. Bytes laid over a float64 as they are could
 * form a NaN, whose bits a copy need not keep.
 *
 * There is one form for both memory orders: the version is published by a read-modify-write, as in STRICT
 * (docs/memory-model.md). So the slot may be filled in loops and calls, and a death leaves nothing to repair.
 * Exemplars are kept so seldom that this costs nothing.
 */
import { cellWords, readConsistent } from '../../memory/cell.ts';

const SLOTS = 1;

// Indices into a slot.
const VALUE = 0;
const TIME = 1;
const IDS = 2;
const ID_WORDS = 4;
const TEXT: number = IDS + ID_WORDS;

const LARGEST_WORD: number = 2 ** 48;
const BYTES_PER_WORD = 6;
const HEX_PER_WORD: number = 2 * BYTES_PER_WORD;
const TRACE_ID_HEX = 32;
const IDS_HEX: number = ID_WORDS * HEX_PER_WORD;
const NO_IDS: string = '0'.repeat(IDS_HEX);

/** What an exemplar says of the span that was active; hexadecimal ids. */
export interface ExemplarSpan {
  readonly traceId: string;
  readonly spanId: string;
}

/** An exemplar as its cell has it. */
export interface StoredExemplar {
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Undefined where no span was active. */
  readonly span: ExemplarSpan | undefined;
  /** JSON of the filtered attributes; empty where there are none. */
  readonly text: string;
}

/** Float64 words of a cell whose text takes up to `textWords` words. */
export function exemplarCellWords(textWords: number): number {
  return cellWords(TEXT + textWords, 0);
}

/** Bytes of text that fit. */
export function exemplarTextBytes(textWords: number): number {
  return textWords * BYTES_PER_WORD;
}

/** Words that so many bytes of text take. */
export function exemplarTextWords(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_WORD);
}

/**
 * Keeps an exemplar. `span`: undefined, or ids of 32 and 16 hexadecimal digits; anything else counts as
 * undefined. `text` must fit into the cell. Only the cell's writer may call it.
 */
export function writeExemplar(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  textWords: number,
  { value, time, span, text }: StoredExemplar,
): void {
  const version = Atomics.load(words, at << 1);
  const to = at + SLOTS + (~version & 1) * (TEXT + textWords);
  const ids = span === undefined ? NO_IDS : idsOf(span);
  const bytes = Buffer.alloc(exemplarTextBytes(textWords));
  bytes.write(text, 'utf8');
  doubles[to + VALUE] = value;
  doubles[to + TIME] = time;
  for (let i = 0; i < ID_WORDS; i++)
    doubles[to + IDS + i] = Number.parseInt(ids.slice(i * HEX_PER_WORD, (i + 1) * HEX_PER_WORD), 16);
  for (let i = 0; i < textWords; i++)
    doubles[to + TEXT + i] = bytes.readUIntBE(i * BYTES_PER_WORD, BYTES_PER_WORD);
  Atomics.exchange(words, at << 1, (version + 1) | 0);
}

function idsOf({ traceId, spanId }: ExemplarSpan): string {
  const ids = traceId + spanId;
  return traceId.length === TRACE_ID_HEX && ids.length === IDS_HEX && /^[0-9a-f]+$/i.test(ids) ? ids : NO_IDS;
}

/**
 * A word of six bytes. No CRC protects a cell: a word that cannot be one is damaged, and reads as nothing.
 */
function wordOf(value: number): number {
  return Number.isInteger(value) && value >= 0 && value < LARGEST_WORD ? value : 0;
}

/** Float64 words `readExemplar` needs to copy to. */
export function exemplarCopyWords(textWords: number): number {
  return TEXT + textWords;
}

/**
 * The exemplar in the cell; undefined when the copy did not succeed. A cell of version 0 was never written
 * to: check that first. Any thread.
 */
export function readExemplar(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  textWords: number,
  into: Float64Array,
): StoredExemplar | undefined {
  if (readConsistent(words, doubles, at, TEXT + textWords, 0, into) === 0) return undefined;
  let ids = '';
  for (let i = 0; i < ID_WORDS; i++)
    ids += wordOf(into[IDS + i]!)
      .toString(16)
      .padStart(HEX_PER_WORD, '0');
  const bytes = Buffer.alloc(exemplarTextBytes(textWords));
  for (let i = 0; i < textWords; i++)
    bytes.writeUIntBE(wordOf(into[TEXT + i]!), i * BYTES_PER_WORD, BYTES_PER_WORD);
  const end = bytes.indexOf(0);
  return {
    value: into[VALUE]!,
    time: into[TIME]!,
    span:
      ids === NO_IDS ? undefined : { traceId: ids.slice(0, TRACE_ID_HEX), spanId: ids.slice(TRACE_ID_HEX) },
    text: bytes.toString('utf8', 0, end === -1 ? bytes.length : end),
  };
}
