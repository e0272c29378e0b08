import { createRequire } from 'node:module';
import { clearInterval, performance, setInterval } from '../base/platform.ts';
import { tellOfLoss } from '../base/warnings.ts';
import type { ResourceMetrics } from '../collect/metric-data.ts';
import type { MetricSink, MetricSource, MetricSourceOptions } from '../collect/metric-source.ts';
import { SerialQueue } from '../base/event-loop.ts';
import { DataPoints } from '../export/data-points.ts';
import { DEFAULT_SELECTION, type InstrumentKind } from '../state/stream-choices.ts';
import { DeliveryRecord } from './delivery-record.ts';
import type { DeltaKeeper } from './delta-keeper.ts';
import type { ExporterPlan } from './options.ts';
import type { DeliveryStatus } from './page-protocol.ts';
import { NO_ACCOUNT, type PushAccount, type PushComponent, type PushMetrics } from './push-metrics.ts';
import { CountingSink } from './push-content.ts';
import { PushOutcome } from './push-outcome.ts';

/** What a push is made of. */
export interface PushSource {
  /** Makes a source of the store's metrics for one reader. */
  readonly newSource: (options: MetricSourceOptions) => MetricSource;
  /** What was pushed as deltas, also by earlier exporters. */
  readonly keeper: DeltaKeeper;
  /** Keeps account of the pushes, where that is wanted. */
  readonly metrics?: PushMetrics | undefined;
}

/** Where pushes go, and what of. */
export interface PushTarget<T> {
  /** Its name in warnings. */
  readonly name: string;
  readonly component: PushComponent;
  /** Makes what is sent. */
  readonly sink: MetricSink<T>;
  /**
   * Resolves to the number of data points that were refused. Rejects if it was not delivered within the time;
   * without `retries`, at the first failure.
   */
  send(content: T, timeoutMillis: number, retries: boolean): Promise<number>;
  /** A request that waits for its next try fails now. */
  giveUp?(): void;
  close?(): void;
}

export interface PushOptions {
  readonly intervalMillis: number;
  /** The time of a push with all its tries. */
  readonly timeoutMillis: number;
  readonly deltaKinds?: Iterable<InstrumentKind>;
  readonly histogramSelection?: string | undefined;
}

/**
 * The share of an interval that a push may take. It must end before the next begins, or pushes to a slow
 * collector would pile up.
 */
const SHARE = 0.9;
/** The time of the last push to a collector that has failed and never taken anything. */
const FORLORN_MILLIS = 500;

/** Pushes the metrics of a source at an interval, and on request; one push at a time. */
export class Push<T = unknown> {
  readonly #source: MetricSource;
  readonly #sink: CountingSink<T>;
  readonly #keeper: DeltaKeeper | undefined;
  readonly #target: PushTarget<T>;
  readonly #outcome: PushOutcome;
  readonly #record: DeliveryRecord;
  readonly #account: PushAccount;
  readonly #queue = new SerialQueue();
  readonly #timer: NodeJS.Timeout;
  readonly #timeoutMillis: number;
  #isUnderWay = false;
  /** The push that has not begun yet: it will have everything that is recorded by now. */
  #next: Promise<boolean> | undefined;
  #isNextBrief = false;

  constructor({ newSource, keeper, metrics }: PushSource, target: PushTarget<T>, options: PushOptions) {
    const { intervalMillis, timeoutMillis, histogramSelection = DEFAULT_SELECTION } = options;
    const deltaKinds = new Set(options.deltaKinds);
    const kept = deltaKinds.size > 0 ? keeper.kept() : [];
    this.#source = newSource({
      resume: kept,
      deltaKinds,
      selection: (kind) => (kind === 'HISTOGRAM' ? histogramSelection : DEFAULT_SELECTION),
    });
    this.#keeper = deltaKinds.size > 0 ? keeper : undefined;
    this.#target = target;
    this.#sink = new CountingSink(target.sink);
    this.#outcome = new PushOutcome(target.name);
    this.#record = new DeliveryRecord(`Pushing by ${target.name}`);
    this.#account = metrics?.accountOf(target.component) ?? NO_ACCOUNT;
    this.#timeoutMillis = Math.min(timeoutMillis, Math.ceil(SHARE * intervalMillis));
    this.#timer = setInterval(() => {
      if (!this.#isUnderWay) void this.flush();
    }, intervalMillis);
    if (kept === undefined) this.#leaveOut();
  }

  /**
   * Pushes everything that is recorded by now. Resolves to false if it was not delivered; never rejects.
   * `isLast`: a collector that has never taken anything is tried once, and only briefly if it has failed
   * before. So a program does not wait at its end for a collector that is not there.
   */
  flush(isLast = false): Promise<boolean> {
    const isBrief = isLast && !this.#outcome.hasSucceeded;
    if (isBrief) this.#target.giveUp?.();
    this.#isNextBrief ||= isBrief;
    this.#next ??= this.#queue.take(async () => {
      const brief = this.#isNextBrief;
      this.#next = undefined;
      this.#isNextBrief = false;
      this.#isUnderWay = true;
      const isDelivered = await this.#push(brief);
      this.#isUnderWay = false;
      return isDelivered;
    });
    return this.#next;
  }

  /** Why the latest push was not delivered; undefined if it was. */
  get reason(): string | undefined {
    return this.#outcome.reason;
  }

  /** How the latest pushes went. */
  get status(): DeliveryStatus {
    return this.#record.status;
  }

  /** Stops pushing. */
  stop(): void {
    clearInterval(this.#timer);
    this.#target.close?.();
    this.#outcome.end();
  }

  async #push(isBrief: boolean): Promise<boolean> {
    const timeoutMillis =
      isBrief && this.#outcome.failing ? Math.min(this.#timeoutMillis, FORLORN_MILLIS) : this.#timeoutMillis;
    const begun = performance.now();
    let lost = 0;
    let end: (() => void) | undefined;
    try {
      // errors of callbacks are reported in their threads
      const { taken } = await this.#account.collect(() => this.#source.collect(timeoutMillis, this.#sink));
      const { content, points, deltaPoints } = taken;
      lost = deltaPoints;
      end = this.#keeper?.begin(this.#source.deltaStates());
      await this.#account.send(points, () => this.#target.send(content, timeoutMillis, !isBrief));
      this.#outcome.succeeded();
      this.#record.succeeded(performance.now() - begun, null);
      return true;
    } catch (error) {
      this.#outcome.failed(lost, error);
      this.#record.failed(error instanceof Error ? error.message : String(error));
      return false;
    } finally {
      end?.();
    }
  }

  /** Leaves out of all pushes what was recorded by now, because it is not known how much of it was pushed. */
  #leaveOut(): void {
    void this.#queue.take(() => this.#source.collect(undefined, { add() {}, end() {} }));
    tellOfLoss(
      'warn',
      'seqlock-metrics: the exporter thread died, and it had no memory left to note which deltas it had pushed. What was recorded since its last push is left out of the deltas. Lower the number of series, or push cumulative metrics',
    );
  }
}

const LONGEST_CONSOLE_MILLIS = 30_000;

/** Prints to standard output, through `console`. */
export function pushToConsole(
  source: PushSource,
  { intervalMillis }: NonNullable<ExporterPlan['console']>,
): Push {
  const require = createRequire(import.meta.url);
  const { ConsoleMetricExporter } =
    require('@opentelemetry/sdk-metrics') as typeof import('@opentelemetry/sdk-metrics');
  const exporter = new ConsoleMetricExporter();
  const target: PushTarget<ResourceMetrics> = {
    name: 'the console',
    sink: new DataPoints(),
    component: { type: 'ConsoleMetricExporter' },
    send: (metrics) =>
      new Promise((resolve, reject) => {
        // The official type names classes, but exporters use plain objects, and ours are such.
        exporter.export(metrics as unknown as Parameters<typeof exporter.export>[0], ({ code, error }) =>
          code === 0 ? resolve(0) : reject(error ?? new Error('no reason given')),
        );
      }),
  };
  return new Push(source, target, { intervalMillis, timeoutMillis: LONGEST_CONSOLE_MILLIS });
}
