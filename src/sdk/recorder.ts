import type { Context } from '@opentelemetry/api';
import type { BoundSeries } from '../state/stream-writer.ts';

/**
 * Where the measurements of a synchronous instrument go. An instrument without views has one stream, and that is its recorder: the call
 * goes straight to it. Views make it several streams, streams behind a filter, or none.
 */
export interface Recorder {
  record(value: number, attributes: unknown, context: Context | undefined): void;
  /** Resolves attributes and cardinality now. */
  bind(attributes: unknown): BoundSeries;
}

/** Several recorders, each of which takes every measurement. */
class EachRecorder implements Recorder {
  readonly #recorders: readonly Recorder[];

  constructor(recorders: readonly Recorder[]) {
    this.#recorders = recorders;
  }

  record(value: number, attributes: unknown, context: Context | undefined): void {
    const recorders = this.#recorders;
    for (let i = 0; i < recorders.length; i++) recorders[i]!.record(value, attributes, context);
  }

  bind(attributes: unknown): BoundSeries {
    return new EachBound(this.#recorders.map((recorder) => recorder.bind(attributes)));
  }
}

class EachBound implements BoundSeries {
  readonly #series: readonly BoundSeries[];

  constructor(series: readonly BoundSeries[]) {
    this.#series = series;
  }

  record(value: number): void {
    const all = this.#series;
    for (let i = 0; i < all.length; i++) all[i]!.record(value);
  }
}

/** Of an instrument whose measurements nobody wants (drop aggregation). */
export const NO_RECORDER: Recorder & BoundSeries = {
  record: () => {},
  bind: () => NO_RECORDER,
};

/** One recorder for all of `recorders`: the one itself where it is alone. */
export function recorderOf(recorders: readonly Recorder[]): Recorder {
  if (recorders.length === 0) return NO_RECORDER;
  return recorders.length === 1 ? recorders[0]! : new EachRecorder(recorders);
}
