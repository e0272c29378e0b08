import { canonicalAttributes } from '../state/attributes.ts';
import type { MeasuredAttributes } from '../state/exemplar-reservoirs.ts';
import type { ObservedStream } from '../state/observed-stream.ts';
import type { CellLookup } from '../state/cell-lookup.ts';
import type { AttributeFilter } from './attribute-filter.ts';
import type { StreamPlan } from './stream-plan.ts';
import { warnOfProcessor } from './viewed-recorder.ts';

/**
 * Where the observations of an asynchronous instrument go: one of its streams, with what a view does to
 * attributes before.
 */
export class ObservedTarget {
  readonly stream: ObservedStream;
  readonly #cells: CellLookup;
  readonly #process: AttributeFilter['process'];
  /** Its name in lower case. Undefined if the stream belongs to one instrument, with unchanged attributes. */
  readonly #instrument: string | undefined;

  constructor(stream: ObservedStream, { filter, name, instrument }: StreamPlan) {
    this.stream = stream;
    this.#instrument =
      filter === undefined && name === instrument.name ? undefined : instrument.name.toLowerCase();
    this.#cells = stream.lookupFor(filter?.keeps);
    this.#process = filter?.process;
  }

  /** Where an observation goes: its cell, 0 if there is none, and what an exemplar of it carries. */
  place(attributes: unknown): { readonly cell: number; readonly measured: MeasuredAttributes | undefined } {
    const { exemplars } = this.stream;
    const processed = this.#processed(attributes);
    const cell = this.stream.cellOf(processed, this.#cells);
    const { keeps } = this.#cells;
    const measured = this.#process === undefined ? undefined : attributes;
    const ofExemplar = { attributes: processed, measured, keeps };
    return { cell, measured: exemplars.areKept ? exemplars.bound(cell, ofExemplar) : undefined };
  }

  /** Ends the series of an attribute set. */
  remove(attributes: unknown): void {
    this.stream.remove(this.#processed(attributes), this.#cells);
  }

  /**
   * Distinguishes observations that may share a cell. In one round the later of two with the same attributes
   * counts. Those with other attributes, or of another instrument, are added together.
   */
  keyOf(attributes: unknown, cell: number): string | number {
    if (this.#instrument === undefined && cell !== this.stream.overflowCell) return cell;
    const { keys, values } = canonicalAttributes(attributes, () => {});
    return JSON.stringify([this.#instrument, keys, values]);
  }

  /** Asynchronous instruments have no context (specification, view; the official SDK passes none either). */
  #processed(attributes: unknown): unknown {
    if (this.#process === undefined) return attributes;
    try {
      return this.#process(attributes, undefined);
    } catch (error) {
      warnOfProcessor(this.stream, error);
      return undefined;
    }
  }
}
