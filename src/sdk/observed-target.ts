import { canonicalAttributes } from '../state/attributes.ts';
import type { ObservedStream } from '../state/observed-stream.ts';
import type { CellLookup } from '../state/cell-lookup.ts';
import type { AttributeFilter } from './attribute-filter.ts';
import type { StreamPlan } from './stream-plan.ts';
import { warnOfProcessor } from './viewed-recorder.ts';

/**
 * Where the observations of an asynchronous instrument go: one of its streams, and what a view does to
 * attributes on the way.
 */
export class ObservedTarget {
  readonly stream: ObservedStream;
  readonly #cells: CellLookup;
  readonly #process: AttributeFilter['process'];
  /**
   * Its name as names are compared; undefined where the stream is that of one instrument, with its attributes
   * as they are.
   */
  readonly #instrument: string | undefined;

  constructor(stream: ObservedStream, { filter, name, instrument }: StreamPlan) {
    this.stream = stream;
    this.#instrument =
      filter === undefined && name === instrument.name ? undefined : instrument.name.toLowerCase();
    this.#cells = stream.lookupFor(filter?.keeps);
    this.#process = filter?.process;
  }

  /** The cell an observation belongs to; 0 when there is none. */
  cellOf(attributes: unknown): number {
    return this.stream.cellOf(this.#processed(attributes), this.#cells);
  }

  /**
   * What tells apart observations that may share a cell: in one round the later with the same attributes
   * counts, and those with others, or of another instrument, are put together.
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
