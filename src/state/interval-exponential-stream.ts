import { intervalEpoch } from '../memory/interval-epoch.ts';
import { ExponentialShape, initExponential } from './cells/exponential-histogram-cell.ts';
import { recordToIntervalExponential } from './cells/interval-exponential-cell.ts';
import { notFinite } from './exponential-histogram-stream.ts';
import type { Aggregation, StreamDescription } from './records.ts';
import type { SeriesCells } from './series-cells.ts';
import type { MeasuredAttributes } from './exemplar-reservoirs.ts';
import { StreamWriter, type BoundSeries, type RecordedStream, type SlabAccess } from './stream-writer.ts';

const MAX = Number.MAX_VALUE;

type ExponentialHistogramAggregation = Extract<Aggregation, { type: 'exponential-histogram' }>;

/** A stream of base-2 exponential histograms that keep the extremes of intervals, for readers with delta temporality. */
export class IntervalExponentialStream extends StreamWriter implements RecordedStream {
  readonly #shape: ExponentialShape;

  constructor(
    slab: SlabAccess,
    description: StreamDescription,
    id: number,
    limit: number,
    { maxSize, maxScale, negative }: ExponentialHistogramAggregation,
  ) {
    const shape = new ExponentialShape(maxSize, maxScale, negative, true);
    super(slab, description, id, shape.cellWords, limit);
    this.#shape = shape;
  }

  /** Counts a finite number, from 0 unless the aggregation allows negative ones. NaN and the infinities are refused. */
  record(
    value: number,
    attributes: unknown,
    context?: unknown,
    cells: SeriesCells = this.cells,
    measured?: unknown,
  ): void {
    if (!(value >= -MAX && value <= MAX)) {
      this.refuse(value);
      return;
    }
    let at = cells.find(attributes);
    if (at <= 0) at = this.admit(attributes, at, cells);
    if (at === 0) {
      this.lose();
      return;
    }
    const { words, doubles } = cells;
    recordToIntervalExponential(words, doubles, at, this.#shape, value, intervalEpoch(words));
    const span = this.exemplars.spanOf(context);
    if (span !== undefined)
      this.exemplars.offer(at, 0, value, span, { attributes, measured, keeps: cells.keeps });
  }

  /** Resolves attributes and cardinality once; see `BoundIntervalExponential`. */
  bind(attributes: unknown, cells?: SeriesCells, measured?: unknown): BoundIntervalExponential {
    const at = this.locate(attributes, cells);
    const bound = this.exemplars.bound({ attributes, measured, keeps: cells?.keeps });
    return new BoundIntervalExponential(this, this.#shape, this.cells, at, bound);
  }

  /** See `ExponentialHistogramStream`. */
  refuse(value: number): void {
    this.warn('non-finite', notFinite(value));
  }

  protected override initCell(doubles: Float64Array, at: number): void {
    initExponential(doubles, at, this.#shape);
  }
}

/** One series of such a stream. */
export class BoundIntervalExponential implements BoundSeries {
  readonly #stream: IntervalExponentialStream;
  readonly #shape: ExponentialShape;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;
  readonly #attributes: MeasuredAttributes;

  constructor(
    stream: IntervalExponentialStream,
    shape: ExponentialShape,
    { words, doubles }: SeriesCells,
    at: number,
    attributes: MeasuredAttributes,
  ) {
    this.#stream = stream;
    this.#shape = shape;
    this.#words = words;
    this.#doubles = doubles;
    this.#at = at;
    this.#attributes = attributes;
  }

  record(value: number, context?: unknown): void {
    if (!(value >= -MAX && value <= MAX)) {
      this.#stream.refuse(value);
      return;
    }
    if (this.#at === 0) {
      this.#stream.lose();
      return;
    }
    const words = this.#words;
    recordToIntervalExponential(words, this.#doubles, this.#at, this.#shape, value, intervalEpoch(words));
    const { exemplars } = this.#stream;
    const span = exemplars.spanOf(context);
    if (span !== undefined) exemplars.offer(this.#at, 0, value, span, this.#attributes);
  }
}
