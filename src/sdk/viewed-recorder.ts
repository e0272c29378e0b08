/** What stands between an instrument and a stream, if a view or the aggregation of a reader needs it. */
import { context as activeContext, type Context } from '@opentelemetry/api';
import { shortText } from '../base/errors.ts';
import type { BoundSeries } from '../state/bound-cell.ts';
import type { RecordedStream } from '../state/stream-writer.ts';
import type { AttributeFilter } from './attribute-filter.ts';
import type { Destination, Recorder } from './recorder.ts';

/** A stream whose attributes pass through a filter. */
export function filtered(stream: RecordedStream, filter: AttributeFilter | undefined): Destination {
  if (filter?.process !== undefined)
    return { recorder: new Processed(stream, filter.process), cells: undefined };
  return { recorder: stream, cells: stream.lookupFor(filter?.keeps) };
}

/**
 * Passes attributes through code of the app, with the context of the call. Time and garbage are that code's.
 */
class Processed implements Recorder {
  readonly #stream: RecordedStream;
  readonly #process: NonNullable<AttributeFilter['process']>;

  constructor(stream: RecordedStream, process: NonNullable<AttributeFilter['process']>) {
    this.#stream = stream;
    this.#process = process;
  }

  record(value: number, attributes: unknown, context: Context | undefined): void {
    const stream = this.#stream;
    stream.record(value, this.#processed(attributes, context), context, stream.cells, attributes);
  }

  bind(attributes: unknown): BoundSeries {
    return this.#stream.bind(this.#processed(attributes, undefined), undefined, attributes);
  }

  remove(attributes: unknown): void {
    this.#stream.remove(this.#processed(attributes, undefined));
  }

  clear(): void {
    this.#stream.clear();
  }

  #processed(attributes: unknown, context: Context | undefined): unknown {
    try {
      return this.#process(attributes, context ?? activeContext.active());
    } catch (error) {
      warnOfProcessor(this.#stream, error);
      return undefined;
    }
  }
}

/** Code that fails may be meant to keep something out of the metrics: no attributes are recorded then. */
export function warnOfProcessor(stream: Pick<RecordedStream, 'warn'>, error: unknown): void {
  stream.warn(
    'processor',
    `an attributes processor of a view failed (${shortText(error)}); the measurements it fails for are recorded without attributes`,
  );
}

/**
 * Keeps useless values from a stream: gauges accept NaN and the infinities, sums and distributions do not.
 */
export class FiniteOnly implements Recorder {
  readonly #stream: RecordedStream;
  readonly #to: Destination;

  constructor(stream: RecordedStream, to: Destination) {
    this.#stream = stream;
    this.#to = to;
  }

  record(value: number, attributes: unknown, context: Context | undefined): void {
    const { recorder, cells } = this.#to;
    if (Number.isFinite(value)) recorder.record(value, attributes, context, cells);
    else this.#refuse(value);
  }

  bind(attributes: unknown): BoundSeries {
    const { recorder, cells } = this.#to;
    const series = recorder.bind(attributes, cells);
    return {
      record: (value) => {
        if (Number.isFinite(value)) series.record(value);
        else this.#refuse(value);
      },
    };
  }

  remove(attributes: unknown): void {
    this.#to.recorder.remove(attributes, this.#to.cells);
  }

  clear(): void {
    this.#to.recorder.clear();
  }

  #refuse(value: number): void {
    const { type } = this.#stream.description.aggregation;
    this.#stream.warn('non-finite', `${value} is not recorded: the aggregation ${type} needs finite numbers`);
  }
}
