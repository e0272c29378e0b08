import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { withoutContext } from '../base/no-context.ts';
import { tell, tellOfLoss, type Level } from '../base/warnings.ts';
import { ExporterThreadError } from '../base/errors.ts';
import { performance, setTimeout, clearTimeout } from '../base/platform.ts';
import { keeperMemory, type KeeperMemory } from '../exporter/delta-keeper.ts';
import { planOf, type ExporterPlan } from '../exporter/options.ts';
import { DELTA_KINDS, temporalityOf } from '../exporter/temporality.ts';
import { requestDeltas } from '../state/delta-requests.ts';
import type { MetricStore } from '../state/store.ts';
import { writerOf } from '../state/store-writer.ts';
import { environmentOfThread } from './thread-environment.ts';
import { FlushRequests, type FlushOutcome } from './flush-requests.ts';
import { atAppEnd } from './last-export.ts';
import { checkThreadOptions, lastExportOf, storeOf, type ExporterThreadOptions } from './options.ts';
import { CONTROL_BYTES, type StopMessage, type ThreadData, type ThreadMessage } from './protocol.ts';

interface Deadline {
  readonly timeoutMillis?: number;
}

/** An exporter thread that is up. */
export interface ExporterThread {
  /** Where it serves Prometheus; undefined when it does not. */
  readonly address: AddressInfo | undefined;
  /** Pushes now. Rejects when it was not delivered, or not within `timeoutMillis` (default 30,000). */
  forceFlush(options?: Deadline): Promise<void>;
  /** Pushes once more, for at most `timeoutMillis` (default 30,000), and ends the thread. Never rejects; called again, it does nothing. */
  stop(options?: Deadline): Promise<void>;
}

const DEFAULT_TIMEOUT_MILLIS = 30_000;
const FIRST_BACKOFF_MILLIS = 100;
const LONGEST_BACKOFF_MILLIS = 30_000;
/** After so long a life a thread is well, and its next death the first. */
const WELL_AFTER_MILLIS = 60_000;

/**
 * Starts a thread that exports a store: it answers scrapes and pushes, also while every other thread hangs. It ends with the app and never
 * keeps it alive. When it dies it is started again; nothing is lost, since the numbers are in the store.
 *
 * Rejects with an `OptionError` on a wrong option, and with an `ExporterThreadError` when the port is taken (`EADDRINUSE`), a package is
 * missing (`E_PACKAGE`) or the thread cannot start.
 */
export async function startExporterThread(options: ExporterThreadOptions): Promise<ExporterThread> {
  const host = new ExporterThreadHost(options);
  await host.started;
  return host;
}

export interface HostOptions {
  /** The process stays up until the thread is. Default true. */
  readonly keepAlive?: boolean;
  /** Key of the aggregation of histograms that are pushed by OTLP (`state/aggregation-choice.ts`). Default: of the default aggregation. */
  readonly histogramSelection?: string | undefined;
}

/** The thread that started an exporter thread, as far as it looks after it. */
export class ExporterThreadHost implements ExporterThread {
  address: AddressInfo | undefined;
  /** Resolves when the thread is up for the first time; rejects, and all is undone, when it does not get there. */
  readonly started: Promise<void>;
  readonly #store: MetricStore;
  readonly #flushes = new FlushRequests(new SharedArrayBuffer(CONTROL_BYTES));
  readonly #keeper: KeeperMemory;
  readonly #forget: () => void;
  #plan: ExporterPlan;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #backoffMillis = FIRST_BACKOFF_MILLIS;
  #stopped: Promise<void> | undefined;

  /** Throws an `OptionError`. */
  constructor(options: ExporterThreadOptions, { keepAlive = true, histogramSelection }: HostOptions = {}) {
    this.#plan = {
      ...planOf(options, 'options of startExporterThread', checkThreadOptions),
      histogramSelection,
    };
    this.#store = storeOf(options);
    const { otlp } = this.#plan;
    const { region } = this.#store;
    const deltaKinds = otlp === undefined ? [] : DELTA_KINDS[temporalityOf(otlp, process.env)];
    requestDeltas(region, deltaKinds); // now, and not when the thread is up: instruments may be made in the next line
    this.#keeper = keeperMemory(deltaKinds.length > 0 ? region.maxBytes : 0);
    const lastExport = lastExportOf(options);
    this.#forget =
      lastExport === undefined
        ? () => {}
        : atAppEnd(lastExport, {
            observe: () => writerOf(region).observeNow(),
            request: () => this.#requestLastFlush(),
            wait: (number, timeoutMillis) => this.#waitForLastFlush(number, timeoutMillis),
            fingerprint: () => region.fingerprint(),
          });
    this.started = withoutContext(() => this.#start(keepAlive)); // or what starts a thread anew holds the caller's
    this.started.catch(() => {}); // whoever waits for it hears of it
  }

  async forceFlush({ timeoutMillis = DEFAULT_TIMEOUT_MILLIS }: Deadline = {}): Promise<void> {
    if (this.#stopped !== undefined) return;
    const outcome = await this.#flushes.whenDone(this.#flushes.request(), timeoutMillis);
    if (outcome !== 'delivered')
      throw new ExporterThreadError(
        'E_FLUSH',
        outcome === 'late'
          ? `the exporter thread has not delivered within ${timeoutMillis} ms`
          : 'the exporter thread could not deliver; its warnings say why',
      );
  }

  stop({ timeoutMillis = DEFAULT_TIMEOUT_MILLIS }: Deadline = {}): Promise<void> {
    this.#stopped ??= this.#stop(timeoutMillis);
    return this.#stopped;
  }

  async #stop(timeoutMillis: number): Promise<void> {
    this.#forget();
    clearTimeout(this.#timer);
    const worker = this.#worker;
    if (worker === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMillis); // also keeps the process up meanwhile
      worker.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      worker.postMessage({ stop: true } satisfies StopMessage);
    });
    await worker.terminate();
  }

  async #start(keepAlive: boolean): Promise<void> {
    try {
      const { address } = await this.#spawn(this.#plan, keepAlive);
      this.address = address;
      // A thread that takes its place serves at the same port.
      const { prometheus } = this.#plan;
      if (prometheus !== undefined && address !== undefined)
        this.#plan = { ...this.#plan, prometheus: { ...prometheus, port: address.port } };
    } catch (error) {
      this.#stopped = Promise.resolve();
      this.#forget();
      throw error;
    }
  }

  /** Resolves when the thread is up, rejects when it ends before. */
  #spawn(plan: ExporterPlan, keepAlive: boolean): Promise<{ readonly address: AddressInfo | undefined }> {
    const worker = new Worker(new URL('./entry.js', import.meta.url), {
      name: 'seqlock-metrics exporter',
      workerData: {
        isSeqlockExporter: true,
        buffer: this.#store.region.buffer,
        control: this.#flushes.control,
        plan,
        keeper: this.#keeper,
      } satisfies ThreadData,
      // What the app is started with (its own telemetry, loaders) is not for this thread.
      execArgv: [],
      env: environmentOfThread(plan),
    });
    this.#worker = worker;
    if (!keepAlive) worker.unref();
    const bornAt = performance.now();
    return new Promise((resolve, reject) => {
      let isUp = false;
      let death: Error | undefined;
      worker.on('message', (message: ThreadMessage) => {
        if (message.type === 'diag') relay(message.level, message.message);
        else if (message.type === 'failed') death = this.#errorOf(message.code, message.message, plan);
        else {
          isUp = true;
          worker.unref();
          resolve({ address: message.address });
        }
      });
      worker.on('error', (error) => (death ??= error));
      worker.once('exit', (code) => {
        this.#worker = undefined;
        this.#flushes.noteDeath();
        death ??= new ExporterThreadError('E_THREAD', `the exporter thread ended with ${code}`);
        if (!isUp) reject(death);
        else if (this.#stopped === undefined) this.#restartLater(death, performance.now() - bornAt);
      });
    });
  }

  #errorOf(code: string, message: string, { prometheus }: ExporterPlan): ExporterThreadError {
    const where = prometheus && `${prometheus.host}:${prometheus.port}`;
    switch (code) {
      case 'EADDRINUSE':
        return new ExporterThreadError(
          code,
          `the exporter thread cannot serve Prometheus at ${where}: something else listens there. End that, or choose another prometheus.port (OTEL_EXPORTER_PROMETHEUS_PORT); 0 takes any free one`,
        );
      case 'EACCES':
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
        return new ExporterThreadError(
          code,
          `the exporter thread cannot serve Prometheus at ${where} (${message}): choose another prometheus.host or prometheus.port`,
        );
      default:
        return new ExporterThreadError(code, `the exporter thread cannot start: ${message}`);
    }
  }

  #restartLater(death: Error, livedMillis: number): void {
    if (livedMillis > WELL_AFTER_MILLIS) this.#backoffMillis = FIRST_BACKOFF_MILLIS;
    const wait = this.#backoffMillis;
    this.#backoffMillis = Math.min(2 * wait, LONGEST_BACKOFF_MILLIS);
    tellOfLoss(
      'warn',
      `seqlock-metrics: the exporter thread died and is started again in ${wait} ms: ${death.message}`,
    );
    this.#timer = setTimeout(() => this.#restart(), wait).unref();
  }

  #restart(): void {
    clearTimeout(this.#timer);
    const bornAt = performance.now();
    this.#spawn(this.#plan, false).catch((error: unknown) => {
      if (this.#stopped === undefined) this.#restartLater(error as Error, performance.now() - bornAt);
    });
  }

  /** A dead thread is replaced at once, by one that only pushes: a worker needs no event loop but its own. */
  #requestLastFlush(): number {
    writerOf(this.#store.region).setAnswering(false); // it waits here, and nobody is to wait for it
    const number = this.#flushes.request();
    if (this.#worker === undefined)
      this.#spawn({ ...this.#plan, prometheus: undefined }, false).catch(() => {});
    return number;
  }

  #waitForLastFlush(number: number, timeoutMillis: number): FlushOutcome {
    const outcome = this.#flushes.waitFor(number, timeoutMillis);
    writerOf(this.#store.region).setAnswering(true); // the process may live on
    return outcome;
  }
}

/** What the exporter thread has to tell is of losses, but for good news. */
function relay(level: Level, message: string): void {
  if (level === 'info') tell(level, message);
  else tellOfLoss(level, message);
}
