import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { withTimeout } from '../base/deadline.ts';
import { listOf, rule, table, type Check } from '../base/options.ts';

export interface Deadline {
  readonly timeoutMillis?: number;
}

export const checkReaders: Check = listOf(
  rule(
    'a metric reader: an object with setMetricProducer and collect',
    (value) => typeof (value as Partial<IMetricReader> | null)?.setMetricProducer === 'function',
  ),
  'an array of metric readers',
);

/** Of `forceFlush` and the like. */
export const checkDeadline: Check = table<Deadline>({
  timeoutMillis: rule('a number of milliseconds from 0', (value) => typeof value === 'number' && value >= 0),
});

/** Kept back for readers that keep to the time-out themselves and say more of it. */
const GRACE_MILLIS = 100;

/** What the official periodic reader has and does not show: it collects and exports once, and rejects when that fails. */
interface ExportingReader {
  _doRun?: () => Promise<void>;
}

/**
 * The readers of a provider, and what is asked of all of them. One that fails, or takes too long, keeps no other from being asked and
 * waited for.
 *
 * The official periodic reader tells a global handler of an export that failed, and its `forceFlush` resolves all the same; the
 * specification wants the caller to hear of it. So its exports are watched. An export that it gave up for time it tells nobody.
 */
export class Readers {
  readonly #readers: readonly IMetricReader[];
  readonly #failures = new Map<IMetricReader, unknown[]>();

  constructor(readers: readonly IMetricReader[]) {
    this.#readers = [...readers];
    for (const reader of readers) this.#watch(reader);
  }

  /** Rejects with the error of the one reader that failed, or with an `AggregateError` of several. */
  forceFlush(options: Deadline | undefined): Promise<void> {
    return this.#all('flushed', options, (reader) => reader.forceFlush(options));
  }

  /** Likewise. */
  shutdown(options: Deadline | undefined): Promise<void> {
    return this.#all('shut down', options, (reader) => reader.shutdown(options));
  }

  async #all(
    done: string,
    { timeoutMillis }: Deadline = {},
    ask: (reader: IMetricReader) => Promise<void>,
  ): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.#readers.map((reader) => {
        const asked = this.#asked(reader, ask);
        return timeoutMillis === undefined ? asked : withTimeout(timeoutMillis + GRACE_MILLIS, asked);
      }),
    );
    const errors = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    );
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1)
      throw new AggregateError(
        errors,
        `${errors.length} of ${outcomes.length} metric readers could not be ${done}: ${errors.map(String).join('; ')}`,
      );
  }

  async #asked(reader: IMetricReader, ask: (reader: IMetricReader) => Promise<void>): Promise<void> {
    const failures = this.#failures.get(reader);
    failures?.splice(0);
    await ask(reader);
    if (failures !== undefined && failures.length > 0) throw failures[0];
  }

  #watch(reader: ExportingReader & IMetricReader): void {
    const run = reader._doRun;
    if (typeof run !== 'function') return;
    const failures: unknown[] = [];
    this.#failures.set(reader, failures);
    reader._doRun = async () => {
      try {
        await run.call(reader);
      } catch (error) {
        failures.push(error);
        throw error;
      }
    };
  }
}
