import type { Context } from '@opentelemetry/api';
import type { CellLookup } from '../state/cell-lookup.ts';
import type { BoundSeries } from '../state/bound-cell.ts';

/**
 * Where the measurements of a synchronous instrument go. Usually it is the instrument's only stream, so that
 * the call goes straight to it. Views may make it several streams, streams behind code of the app, or none.
 */
export interface Recorder {
  /** `cells`: the look-up of the stream's cells; see `Destination`. */
  record(
    value: number,
    attributes: unknown,
    context: Context | undefined,
    cells: CellLookup | undefined,
  ): void;
  /** Resolves attributes and cardinality now. */
  bind(attributes: unknown, cells: CellLookup | undefined): BoundSeries;
  /** Ends the series of an attribute set, in all threads. */
  remove(attributes: unknown, cells: CellLookup | undefined): void;
  /** Ends all series, in all threads. */
  clear(): void;
}

/**
 * A recorder and the look-up to call it with. A view that drops attributes needs no recorder of its own: it
 * is another look-up of the cells of the same stream. So V8 sees one kind of recorder with and without such
 * views.
 */
export interface Destination {
  readonly recorder: Recorder;
  /** Undefined if the recorder is not a stream. */
  readonly cells: CellLookup | undefined;
}

/** Several destinations, each of which takes every measurement. */
class EachRecorder implements Recorder {
  readonly #destinations: readonly Destination[];

  constructor(destinations: readonly Destination[]) {
    this.#destinations = destinations;
  }

  record(value: number, attributes: unknown, context: Context | undefined): void {
    const destinations = this.#destinations;
    for (let i = 0; i < destinations.length; i++) {
      const { recorder, cells } = destinations[i]!;
      recorder.record(value, attributes, context, cells);
    }
  }

  bind(attributes: unknown): BoundSeries {
    return new EachBound(this.#destinations.map(({ recorder, cells }) => recorder.bind(attributes, cells)));
  }

  remove(attributes: unknown): void {
    for (const { recorder, cells } of this.#destinations) recorder.remove(attributes, cells);
  }

  clear(): void {
    for (const { recorder } of this.#destinations) recorder.clear();
  }
}

class EachBound implements BoundSeries {
  readonly #series: readonly BoundSeries[];

  constructor(series: readonly BoundSeries[]) {
    this.#series = series;
  }

  record(value: number, context?: unknown): void {
    const all = this.#series;
    for (let i = 0; i < all.length; i++) all[i]!.record(value, context);
  }
}

/** For an instrument whose measurements nobody wants (drop aggregation). */
export const NO_RECORDER: Recorder & BoundSeries = {
  record: () => {},
  bind: () => NO_RECORDER,
  remove: () => {},
  clear: () => {},
};

/** One destination for all of `destinations`; if there is one, that itself. */
export function fanOut(destinations: readonly Destination[]): Destination {
  if (destinations.length === 0) return { recorder: NO_RECORDER, cells: undefined };
  if (destinations.length === 1) return destinations[0]!;
  return { recorder: new EachRecorder(destinations), cells: undefined };
}
