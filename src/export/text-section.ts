import type { Attributes } from '@opentelemetry/api';
import { performance } from '../base/platform.ts';
import type { MetricColumn, MetricColumns } from '../collect/rows/column.ts';
import { ByteText } from './byte-text.ts';
import { ChunkBuilder } from './chunk-builder.ts';
import { newestByBucket, type ExemplarTexts } from './exemplar-text.ts';
import { CHUNK_BYTES, type PageChunk } from './page-chunk.ts';
import type { RowTemplate } from './row-template.ts';
import { exemplarsOf, sumOf, type ColumnRow } from './summed-rows.ts';

const NO_TAILS: ReadonlyMap<number, Buffer> = new Map<number, Buffer>();

/** How many rows are made between two looks at the clock, over all sections. */
const ROWS_BETWEEN_LOOKS = 32;
let made = 0;

/** Writes the labels of a row to `into`, and nothing else. False if the row gets no lines of its own. */
export type LabelsOfRow = (attributes: Attributes, row: number, into: ByteText) => boolean;

let numbers: Float64Array = new Float64Array(1024);

// Of use to one call of `grow` at a time. Of a section each they would be most of its memory where it has one
// row, and stores have a hundred thousand instruments.
const labels = new ByteText();
const lines = new ChunkBuilder();

/** All lines of one column within a family, in chunks of whole rows. */
export class TextSection {
  readonly column: MetricColumn;
  readonly chunks: PageChunk[] = [];
  readonly #template: RowTemplate;
  readonly #exemplars: ExemplarTexts;
  readonly #seen: Attributes[] = [];
  readonly #rows: number[] = []; // rows of the column that have lines
  readonly #chunkRows: number[] = []; // index in #rows of each chunk's first row
  // Rows whose lines show a sum: they, and what is added to them.
  readonly #summed = new Map<number, [ColumnRow, ...ColumnRow[]]>();
  #snapshot: MetricColumns | undefined; // whose numbers are shown ...
  #updated = 0; // ... in so many chunks

  constructor(column: MetricColumn, template: RowTemplate, exemplars: ExemplarTexts) {
    this.column = column;
    this.#template = template;
    this.#exemplars = exemplars;
  }

  /** True if every row has kept its place, so that only numbers may have changed. */
  isAligned(): boolean {
    const seen = this.#seen;
    const { attributes, rows } = this.column;
    if (rows < seen.length) return false;
    for (let i = 0; i < seen.length; i++) if (seen[i] !== attributes[i]) return false;
    return true;
  }

  /** From now on the lines of `row` show the sum of it and `other`. */
  addTo(row: number, other: ColumnRow): void {
    const rows = this.#summed.get(row);
    if (rows === undefined) this.#summed.set(row, [{ column: this.column, row }, other]);
    else rows.push(other);
  }

  /**
   * Shows rows the column did not have before, until `performance.now()` is past `until`. False when there
   * are more. Only while `isAligned`.
   */
  grow(labelsOf: LabelsOfRow, until: number): boolean {
    const { attributes, rows } = this.column;
    if (rows === this.#seen.length) return true;
    lines.clear(); // of what a call left that threw
    // If the last chunk has room, its rows are written again, together with the new ones.
    const open = this.chunks.at(-1);
    if (open !== undefined && open.length < CHUNK_BYTES) {
      this.chunks.pop();
      for (const row of this.#rows.splice(this.#chunkRows.pop()!)) {
        labelsOf(attributes[row]!, -1, labels);
        this.#write(row);
      }
    }
    while (this.#seen.length < rows) {
      const row = this.#seen.length;
      this.#seen.push(attributes[row]!);
      if (labelsOf(attributes[row]!, row, labels)) this.#write(row);
      if (++made % ROWS_BETWEEN_LOOKS === 0 && performance.now() > until) break;
    }
    if (!lines.isEmpty) this.chunks.push(lines.finish());
    return this.#seen.length === rows;
  }

  /**
   * Shows the column's numbers in the rows that have lines, until `performance.now()` is past `until`. False
   * if there may be more: the next call for this snapshot continues. Only while `isAligned`.
   */
  update(snapshot: MetricColumns, until: number): boolean {
    if (snapshot !== this.#snapshot) this.#updated = 0;
    this.#snapshot = snapshot;
    while (this.#updated < this.chunks.length) {
      this.#updateChunk(this.#updated++);
      if (performance.now() > until) return false;
    }
    return true;
  }

  #updateChunk(c: number): void {
    const chunk = this.chunks[c]!;
    const template = this.#template;
    const count = chunk.slots / template.lines.length;
    const first = this.#chunkRows[c]!;
    if (numbers.length < chunk.slots) numbers = new Float64Array(2 * chunk.slots);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const row = this.#rows[first + i]!;
      const summed = this.#summed.size === 0 ? undefined : this.#summed.get(row);
      at =
        summed === undefined
          ? template.numbers(this.column, row, numbers, at)
          : template.numbers(sumOf(summed), 0, numbers, at);
    }
    chunk.update(numbers);
    if (template.hasExemplars) chunk.updateTails(this.#tailsOf(first, count));
  }

  /** The exemplars of some rows, by slot of their chunk. */
  #tailsOf(first: number, count: number): ReadonlyMap<number, Buffer> {
    const { exemplars, description } = this.column;
    if (exemplars === undefined && this.#summed.size === 0) return NO_TAILS;
    const width = this.#template.lines.length;
    const tails = new Map<number, Buffer>();
    for (let i = 0; i < count; i++) {
      const row = this.#rows[first + i]!;
      const summed = this.#summed.get(row);
      const ofRow = summed === undefined ? exemplars?.get(row) : exemplarsOf(summed);
      if (ofRow === undefined) continue;
      newestByBucket(ofRow, description.boundaries).forEach((exemplar, bucket) =>
        tails.set(i * width + bucket, this.#exemplars.textOf(exemplar)),
      );
    }
    return tails;
  }

  /** Writes the lines of a row with `labels`. */
  #write(row: number): void {
    const templates = this.#template.lines;
    if (lines.isEmpty) this.#chunkRows.push(this.#rows.length);
    this.#rows.push(row);
    if (numbers.length < templates.length) numbers = new Float64Array(2 * templates.length);
    this.#template.numbers(this.column, row, numbers, 0);
    for (let l = 0; l < templates.length; l++) lines.add(templates[l]!, labels, numbers[l]!);
    if (lines.isFull) this.chunks.push(lines.finish());
  }
}
