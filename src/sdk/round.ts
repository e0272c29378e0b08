import type { MeasuredAttributes } from '../state/exemplar-reservoirs.ts';
import type { ObservedStream } from '../state/observed-stream.ts';
import type { ObservedTarget } from './observed-target.ts';

interface Observation {
  readonly cell: number;
  readonly value: number;
  /** What an exemplar of it carries; undefined where none are kept. */
  readonly measured: MeasuredAttributes | undefined;
}

/** The values of one round of callbacks, until they are written. */
export class Round {
  readonly #observations = new Map<ObservedStream, Map<string | number, Observation>>();

  /** Keeps a value. If it is observed twice with the same attributes, the later counts. */
  observe(target: ObservedTarget, value: number, attributes: unknown): void {
    const { stream } = target;
    let observations = this.#observations.get(stream);
    if (observations === undefined) this.#observations.set(stream, (observations = new Map()));
    const { cell, measured } = target.place(attributes);
    if (cell === 0) return;
    const key = target.keyOf(attributes, cell);
    observations.delete(key); // so that it comes last: of levels the last one counts
    observations.set(key, { cell, value, measured });
  }

  /** Adds what another callback observed, as later than everything here. */
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
   * The values of a stream by cell. Several attribute sets may share a cell: those beyond the cardinality
   * limit, and those that a view makes equal. Totals add up (data model, spatial aggregation); of levels the
   * last one counts.
   */
  valuesOf(stream: ObservedStream): ReadonlyMap<number, number> {
    const adds = stream.description.aggregation.type === 'sum';
    const values = new Map<number, number>();
    for (const { cell, value } of this.#observations.get(stream)?.values() ?? [])
      values.set(cell, adds ? (values.get(cell) ?? 0) + value : value);
    return values;
  }

  /** Offers what was observed as exemplars. Call it when the values are written. */
  offerExemplars(): void {
    for (const [stream, observations] of this.#observations)
      for (const { cell, value, measured } of observations.values())
        if (measured !== undefined) stream.offerObserved(cell, value, measured);
  }
}
