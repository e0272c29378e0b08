import { canonicalAttributes } from './attributes.ts';
import type { ExemplarsRecord } from './exemplar-record.ts';
import {
  ExemplarReservoirs,
  type ExemplarChooser,
  type ExemplarGate,
  type ExemplarMemory,
  type ExemplarStream,
  type MeasuredAttributes,
} from './exemplar-reservoirs.ts';
import type { ReservoirChoice } from './stream-choices.ts';
import type { Aggregation } from './records.ts';

/**
 * What `untilNextOffer` is where nobody is to be asked. Small enough for V8 to keep it as a small integer.
 */
export const NO_OFFER = 0x3fff_ffff;

/** Which measurements of a stream become exemplars. None, until `keep` is called. */
export class StreamExemplars {
  #gate: ExemplarGate | undefined;
  #reservoirs: ExemplarReservoirs | undefined;
  #restored: readonly ExemplarsRecord[] = [];

  /** What a dead owner of the slab left of the stream. Call before `keep`. */
  restore(records: readonly ExemplarsRecord[]): void {
    this.#restored = records;
  }

  /**
   * From now on keeps exemplars of what `gate` lets through; the first call counts. `filters`: whether a
   * view may drop attributes of measurements. `makeChooser`: see `ExemplarReservoirs`.
   */
  keep(
    memory: ExemplarMemory,
    stream: ExemplarStream,
    aggregation: Aggregation,
    gate: ExemplarGate,
    choice: ReservoirChoice,
    filters: boolean,
    makeChooser?: () => ExemplarChooser,
  ): void {
    if (this.#reservoirs !== undefined) return;
    const buckets = aggregation.type === 'explicit-bucket-histogram' ? aggregation.boundaries.length + 1 : 0;
    this.#reservoirs = new ExemplarReservoirs(memory, stream, choice, buckets, filters, makeChooser);
    for (const record of this.#restored) this.#reservoirs.restore(record);
    this.#restored = [];
    this.#gate = gate;
  }

  /** Whether any are kept. */
  get areKept(): boolean {
    return this.#gate !== undefined;
  }

  /**
   * Offers a measurement that was recorded to `cell`; see `ExemplarReservoirs.offer`. `context`: the
   * caller's, if it passed one. Returns how many measurements after it need not be offered, unless they have
   * a context. Never throws.
   */
  offer(
    cell: number,
    bucket: number,
    value: number,
    context: unknown,
    attributes: MeasuredAttributes,
  ): number {
    if (this.#gate === undefined) return NO_OFFER;
    const span = this.#gate.spanOf(context);
    if (span !== undefined) this.#reservoirs!.offer(cell, bucket, value, span, attributes, context);
    return this.#gate.untilNextOffer;
  }

  /**
   * The attributes of measurements that are made later to the series of `cell`, copied where exemplars carry
   * some: the caller may change its objects.
   */
  bound(cell: number, { attributes, measured, keeps }: MeasuredAttributes): MeasuredAttributes {
    if (this.#reservoirs?.needsAttributes(cell) !== true) return NO_ATTRIBUTES;
    return {
      attributes: copyOf(attributes),
      measured: measured === undefined ? undefined : copyOf(measured),
      keeps,
    };
  }
}

const NO_ATTRIBUTES: MeasuredAttributes = { attributes: undefined, measured: undefined, keeps: undefined };

function copyOf(attributes: unknown): object {
  const { keys, values } = canonicalAttributes(attributes, () => {});
  return Object.fromEntries(keys.map((key, i) => [key, values[i]]));
}
