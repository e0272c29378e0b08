import type { Attributes } from '@opentelemetry/api';
import type { MetricColumn } from '../collect/metric-column.ts';
import { newestByBucket, type ExemplarTexts } from './exemplar-text.ts';
import { writeNumber, MAX_NUMBER_BYTES } from './number-text.ts';
import { CHUNK_BYTES, PageChunk } from './page-chunk.ts';
import type { RowTemplate } from './row-template.ts';

const NO_TAILS: ReadonlyMap<number, Buffer> = new Map<number, Buffer>();

/** How many lines of new rows may still be made in this update; below 1: no more, and rows are missing. */
export interface Room {
  lines: number;
}

/** Labels of a row; undefined when the row is to be left out. */
export type LabelsOfRow = (attributes: Attributes, row: number) => string | undefined;

let text: Buffer = Buffer.alloc(0);
let numbers: Float64Array = new Float64Array(1024);

/** All lines of one column within a family, in chunks of whole rows. */
export class TextSection {
  readonly column: MetricColumn;
  readonly chunks: PageChunk[] = [];
  readonly #template: RowTemplate;
  readonly #exemplars: ExemplarTexts;
  readonly #seen: Attributes[] = [];
  readonly #rows: number[] = []; // rows of the column that have lines
  readonly #chunkRows: number[] = []; // index in #rows of each chunk's first row

  constructor(column: MetricColumn, template: RowTemplate, exemplars: ExemplarTexts) {
    this.column = column;
    this.#template = template;
    this.#exemplars = exemplars;
  }

  /** True when every row shown stands where it stood, so that numbers are all that may have changed. */
  isAligned(): boolean {
    const seen = this.#seen;
    const { attributes, rows } = this.column;
    if (rows < seen.length) return false;
    for (let i = 0; i < seen.length; i++) if (seen[i] !== attributes[i]) return false;
    return true;
  }

  /** Shows the column's numbers, and rows it did not have before, as far as there is room. Only while `isAligned`. */
  update(labelsOf: LabelsOfRow, room: Room): void {
    const template = this.#template;
    const width = template.lines.length;
    for (let c = 0; c < this.chunks.length; c++) {
      const chunk = this.chunks[c]!;
      const first = this.#chunkRows[c]!;
      const count = chunk.slots / width;
      if (numbers.length < chunk.slots) numbers = new Float64Array(2 * chunk.slots);
      let at = 0;
      for (let i = 0; i < count; i++) at = template.numbers(this.column, this.#rows[first + i]!, numbers, at);
      chunk.update(numbers);
    }
    if (this.column.rows > this.#seen.length) this.#append(labelsOf, room);
    if (template.hasExemplars) this.#updateExemplars();
  }

  #updateExemplars(): void {
    const { exemplars, description } = this.column;
    const width = this.#template.lines.length;
    this.chunks.forEach((chunk, c) => {
      if (exemplars === undefined) {
        chunk.updateTails(NO_TAILS);
        return;
      }
      const tails = new Map<number, Buffer>();
      for (let slot = 0, i = this.#chunkRows[c]!; slot < chunk.slots; slot += width, i++) {
        const ofRow = exemplars.get(this.#rows[i]!);
        if (ofRow === undefined) continue;
        newestByBucket(ofRow, description.boundaries).forEach((exemplar, bucket) =>
          tails.set(slot + bucket, this.#exemplars.textOf(exemplar)),
        );
      }
      chunk.updateTails(tails);
    });
  }

  #append(labelsOf: LabelsOfRow, room: Room): void {
    if (room.lines <= 0) return;
    const { attributes } = this.column;
    const width = this.#template.lines.length;
    const rows = Math.min(this.column.rows, this.#seen.length + Math.ceil(room.lines / width));
    // What fits exactly leaves no room, and is found to be all by the next update.
    room.lines -= (rows - this.#seen.length) * width;
    // The last chunk may have room: its rows are written again, together with the new ones.
    let first = this.#rows.length;
    const open = this.chunks.at(-1);
    const reopened = open !== undefined && open.length < CHUNK_BYTES;
    if (reopened) {
      this.chunks.pop();
      first = this.#chunkRows.pop()!;
    }
    const pending: string[] = [];
    for (let i = first; i < this.#rows.length; i++) pending.push(labelsOf(attributes[this.#rows[i]!]!, -1)!);
    for (let row = this.#seen.length; row < rows; row++) {
      this.#seen.push(attributes[row]!);
      const labels = labelsOf(attributes[row]!, row);
      if (labels === undefined) continue;
      this.#rows.push(row);
      pending.push(labels);
    }
    this.#write(first, pending);
  }

  /** Writes rows from `first` on, whose labels are given, as new chunks. */
  #write(first: number, labels: readonly string[]): void {
    const { lines } = this.#template;
    const room = 2 * CHUNK_BYTES;
    if (text.length < room) text = Buffer.allocUnsafeSlow(room);
    if (numbers.length < lines.length) numbers = new Float64Array(2 * lines.length);
    let end = 0;
    let chunkFirst = first;
    let starts: number[] = [];
    let sizes: number[] = [];
    let shown: number[] = [];
    const finish = (next: number): void => {
      this.chunks.push(new PageChunk(text.subarray(0, end), starts, sizes, shown));
      this.#chunkRows.push(chunkFirst);
      chunkFirst = next;
      starts = [];
      sizes = [];
      shown = [];
      end = 0;
    };
    labels.forEach((ofRow, i) => {
      this.#template.numbers(this.column, this.#rows[first + i]!, numbers, 0);
      for (let l = 0; l < lines.length; l++) {
        const { before, after, bare } = lines[l]!;
        const head = ofRow === '' ? bare : before + ofRow + after;
        const needed = end + 3 * head.length + MAX_NUMBER_BYTES + 1;
        if (needed > text.length) text = enlarged(text, end, needed);
        end += text.write(head, end);
        const numberEnd = writeNumber(text, end, numbers[l]!);
        starts.push(end);
        sizes.push(numberEnd - end);
        shown.push(numbers[l]!);
        text[numberEnd] = 10; // line feed
        end = numberEnd + 1;
      }
      if (end >= CHUNK_BYTES) finish(first + i + 1);
    });
    if (starts.length > 0) finish(first + labels.length);
    if (text.length > 16 * CHUNK_BYTES) text = Buffer.alloc(0); // one huge row must not stay for ever
  }
}

function enlarged(buffer: Buffer, used: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(2 * needed);
  buffer.copy(larger, 0, 0, used);
  return larger;
}
