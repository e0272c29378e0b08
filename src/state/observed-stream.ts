import {
  LAST_VALUE_CELL_WORDS,
  LAST_VALUE,
  readLastValueInto,
  setLastValue,
} from './cells/last-value-cell.ts';
import type { MeasuredAttributes } from './exemplar-reservoirs.ts';
import type { ExemplarsRecord } from './exemplar-record.ts';
import type { RestoredSeries } from './inheritance.ts';
import type { StreamDescription } from './records.ts';
import type { CellLookup } from './cell-lookup.ts';
import type { SlabAccess } from './slab-access.ts';
import { StreamWriter } from './stream-writer.ts';

/**
 * A stream of observed values: what the callbacks of an asynchronous instrument reported in the latest round,
 * each stamped with the round's tick. What a round does not write again is no longer reported
 * (`doorbell.ts`).
 *
 * A counter that a dead owner of the slab observed goes on counting from where it stood: its last values are
 * added to what is observed now, and written in every round. So a total over all threads never falls.
 */
export class ObservedStream extends StreamWriter {
  readonly #inherited = new Map<number, number>(); // cell -> value
  readonly #monotonic: boolean;

  constructor(slab: SlabAccess, description: StreamDescription, limit: number) {
    super(slab, description, LAST_VALUE_CELL_WORDS, limit);
    this.#monotonic = description.aggregation.type === 'sum' && description.aggregation.monotonic;
  }

  protected override restore(series: readonly RestoredSeries[], exemplars: readonly ExemplarsRecord[]): void {
    super.restore(series, exemplars);
    if (!this.#monotonic) return;
    const copy = new Float64Array(LAST_VALUE_CELL_WORDS);
    for (const { cell, over } of series) {
      if (over) continue;
      readLastValueInto(this.cells.words, this.cells.doubles, cell, copy);
      if (copy[LAST_VALUE] !== 0) this.#inherited.set(cell, copy[LAST_VALUE]!);
    }
  }

  /**
   * An observed total counts from when the instrument was made (specification, start timestamps). One that
   * comes back after a removal counts from then.
   */
  protected override startTime(): number {
    return this.hasEnded ? super.startTime() : this.description.created;
  }

  protected override forget(cell: number): void {
    this.#inherited.delete(cell);
  }

  /** The cell of an observation; 0 when there is none. Several attribute sets may share the overflow cell. */
  cellOf(attributes: unknown, cells?: CellLookup): number {
    const at = this.locate(attributes, cells);
    if (at === 0) this.lose();
    return at;
  }

  /**
   * Offers an observation that was written as an exemplar. There is no span: callbacks run in no context
   * (specification, exemplar).
   */
  offerObserved(cell: number, value: number, attributes: MeasuredAttributes): void {
    this.exemplars.offer(cell, 0, value, undefined, attributes);
  }

  /** Writes the values of one round by cell. The caller publishes the round afterwards. */
  writeRound(values: ReadonlyMap<number, number>, tick: number): void {
    for (const [cell, value] of values)
      setLastValue(
        this.cells.words,
        this.cells.doubles,
        cell,
        value + (this.#inherited.get(cell) ?? 0),
        tick,
      );
    for (const [cell, value] of this.#inherited)
      if (!values.has(cell)) setLastValue(this.cells.words, this.cells.doubles, cell, value, tick);
  }
}
