import type { Resource } from '../collect/metric-data.ts';
import type { MetricSink } from '../collect/metric-source.ts';
import type { MetricColumn } from '../collect/rows/column.ts';

/** What a push sends. */
export interface PushContent<T> {
  readonly content: T;
  readonly points: number;
  /** Changes, which are lost with the push. The next push has a later value of a gauge. */
  readonly deltaPoints: number;
}

/** Counts the rows that a sink takes. */
export class CountingSink<T> implements MetricSink<PushContent<T>> {
  readonly #sink: MetricSink<T>;
  #points = 0;
  #deltaPoints = 0;

  constructor(sink: MetricSink<T>) {
    this.#sink = sink;
  }

  add(column: MetricColumn, endMillis: number): void {
    const { rows, description } = column;
    this.#points += rows;
    if (description.isDelta === true && description.kind !== 'gauge') this.#deltaPoints += rows;
    this.#sink.add(column, endMillis);
  }

  end(resource: Resource): PushContent<T> {
    const counted = {
      content: this.#sink.end(resource),
      points: this.#points,
      deltaPoints: this.#deltaPoints,
    };
    this.#points = 0;
    this.#deltaPoints = 0;
    return counted;
  }
}
