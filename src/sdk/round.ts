import type { ObservedStream } from '../state/observed-stream.ts';
import type { ObservedTarget } from './observed-target.ts';

interface Observation {
  readonly cell: number;
  readonly value: number;
}

/** The values of one round of callbacks, until they are written. */
export class Round {
  readonly #observations = new Map<ObservedStream, Map<string | number, Observation>>();

  /** Keeps a value. Observed twice with the same attributes, the later counts. */
  observe(target: ObservedTarget, value: number, attributes: unknown): void {
    const { stream } = target;
    let observations = this.#observations.get(stream);
    if (observations === undefined) this.#observations.set(stream, (observations = new Map()));
    const cell = target.cellOf(attributes);
    if (cell === 0) return;
    const key = target.keyOf(attributes, cell);
    observations.delete(key); // to come last: of levels the last counts
    observations.set(key, { cell, value });
  }

  /** Takes in what another callback observed: later than all that is here. */
  add(other: Round): void {
    for (const [stream, theirs] of other.#observations) {
      let observations = this.#observations.get(stream);
      if (observations === undefined) this.#observations.set(stream, (observations = new Map()));
      for (const [key, observation] of theirs) {
        observations.delete(key);
        observations.set(key, observation);
      }
    }
  }

  /**
   * The values of a stream by cell. Several attribute sets may share one: those beyond the cardinality limit,
   * and those of which a view leaves only the same. Totals add up (data model, spatial aggregation); of
   * levels the last counts.
   */
  valuesOf(stream: ObservedStream): ReadonlyMap<number, number> {
    const adds = stream.description.aggregation.type === 'sum';
    const values = new Map<number, number>();
    for (const { cell, value } of this.#observations.get(stream)?.values() ?? [])
      values.set(cell, adds ? (values.get(cell) ?? 0) + value : value);
    return values;
  }
}
