import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { withTimeout, type Deadline } from '../base/deadline.ts';
import { listOf, rule, type Check } from '../base/options.ts';
import { tellOfLoss } from '../base/warnings.ts';
import type { StoreExporter } from '../state/store-exporters.ts';

export const checkReaders: Check = listOf(
  rule(
    'a metric reader: an object with setMetricProducer and collect',
    (value) => typeof (value as Partial<IMetricReader> | null)?.setMetricProducer === 'function',
  ),
  'an array of metric readers',
);

/** Extra time for readers that keep the time-out themselves and report more about it. */
const GRACE_MILLIS = 100;

/**
 * A hidden method of the official periodic reader: it collects and exports once, and rejects if that fails.
 */
interface ExportingReader {
  _doRun?: () => Promise<void>;
}

/**
 * The readers of a provider and the exporters of its store in other threads, and requests to all of them. If
 * one fails, or takes too long, all others are still asked and waited for.
 *
 * The official periodic reader reports a failed export to a global handler, and its `forceFlush` resolves all
 * the same; the specification wants the caller to know. So its exports are watched. It reports to nobody that
 * it gave up an export for lack of time.
 */
export class Readers {
  readonly #readers: readonly IMetricReader[];
  readonly #exporters: () => readonly StoreExporter[];
  readonly #failures = new Map<IMetricReader, unknown[]>();

  constructor(readers: readonly IMetricReader[], exporters: () => readonly StoreExporter[]) {
    this.#readers = [...readers];
    this.#exporters = exporters;
    for (const reader of readers) this.#watch(reader);
  }

  /** Rejects with the error of the one that failed, or with an `AggregateError` of several. */
  forceFlush(options: Deadline | undefined): Promise<void> {
    return this.#all('flushed', options, [
      ...this.#readers.map(async (reader) => {
        const [failure] = await this.#failuresOf(reader, () => reader.forceFlush(options));
        if (failure !== undefined) throw failure;
      }),
      ...this.#exporters().map((exporter) => exporter.forceFlush(options)),
    ]);
  }

  /**
   * Shuts all down. A failed export is only a warning: nobody can do anything about it any more, and many
   * callers do not expect a rejection. `ends`: the store ends too, and so do its exporters.
   */
  shutdown(options: Deadline | undefined, ends: boolean): Promise<void> {
    return this.#all('shut down', options, [
      ...this.#readers.map(async (reader) => {
        for (const failure of await this.#failuresOf(reader, () => reader.shutdown(options)))
          tellOfLoss('warn', `seqlock-metrics: the last export of a reader failed: ${String(failure)}`);
      }),
      ...this.#exporters().map(
        // it has reported it
        (exporter) => (ends ? exporter.stop(options) : exporter.forceFlush(options).catch(() => {})),
      ),
    ]);
  }

  async #all(done: string, { timeoutMillis }: Deadline = {}, asked: readonly Promise<void>[]): Promise<void> {
    const outcomes = await Promise.allSettled(
      asked.map((one) =>
        timeoutMillis === undefined ? one : withTimeout(timeoutMillis + GRACE_MILLIS, one),
      ),
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

  /** The errors of the exports that the reader made because of `ask`. */
  async #failuresOf(reader: IMetricReader, ask: () => Promise<void>): Promise<readonly unknown[]> {
    const failures = this.#failures.get(reader) ?? [];
    failures.splice(0);
    await ask();
    return failures;
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

/**
 * A reader in another thread, as a provider sees it: it says what it wants, so that the store records that,
 * and is asked to flush and to shut down. It reads the store by itself, and gets no producer.
 */
export interface RemoteReader extends IMetricReader {
  readonly readsElsewhere: true;
}

export function isRemote(reader: IMetricReader | RemoteReader): reader is RemoteReader {
  return 'readsElsewhere' in reader && reader.readsElsewhere;
}
