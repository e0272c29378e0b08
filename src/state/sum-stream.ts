import { BoundCell, type BoundSeries } from './bound-cell.ts';
import { addToSum, SUM_CELL_WORDS, SUM_FIELDS } from './cells/sum-cell.ts';
import type { StreamDescription } from './records.ts';
import type { CellLookup } from './cell-lookup.ts';
import type { SlabAccess } from './slab-access.ts';
import { StreamWriter, type RecordedStream } from './stream-writer.ts';

/** A stream of running totals. */
export class SumStream extends StreamWriter implements RecordedStream {
  constructor(slab: SlabAccess, description: StreamDescription, limit: number) {
    super(slab, description, SUM_CELL_WORDS, limit, SUM_FIELDS);
  }

  /** Adds a finite number. */
  record(delta: number, attributes: unknown, context: unknown, cells: CellLookup, measured?: unknown): void {
    let at = cells.find(attributes);
    if (at <= 0) {
      at = this.admitOrLose(attributes, at, cells);
      if (at === 0) return;
    }
    if (cells.words[(at << 1) + 1] !== 0) this.endInterval(at);
    addToSum(cells.words, cells.doubles, at, delta);
    if (context !== undefined || --this.untilNextOffer < 0)
      this.offer(at, 0, delta, context, attributes, cells, measured);
  }

  /** Resolves attributes and cardinality once; see `BoundSum`. */
  bind(attributes: unknown, cells?: CellLookup, measured?: unknown): BoundSum {
    return new BoundSum(this, this.place(attributes, cells, measured));
  }
}

/**
 * One series of a sum stream. It ends no intervals, which would cost it 6 % (docs/design.md): where nothing
 * but this records to a series, its deltas are differences of totals.
 */
export class BoundSum extends BoundCell<SumStream> implements BoundSeries {
  record(delta: number, context?: unknown): void {
    if (this.at === 0 && !this.hasCellAgain()) return;
    addToSum(this.words, this.doubles, this.at, delta);
    if (context !== undefined || --this.stream.untilNextOffer < 0) this.offer(0, delta, context);
  }
}
