import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { checkDeadline, type Deadline } from '../base/deadline.ts';
import { clearInterval, clearTimeout, performance, setInterval, setTimeout } from '../base/platform.ts';
import { ExporterThreadError } from '../base/errors.ts';
import { withoutContext } from '../base/no-context.ts';
import { unknownKey } from '../base/options.ts';
import { announce, tell, tellOfLoss, Warnings, type Level } from '../base/warnings.ts';
import { keeperMemory, type KeeperPlace } from '../exporter/delta-keeper.ts';
import type { Legacy } from '../exporter/exporter.ts';
import { planOf, type ExporterPlan, summaryOf } from '../exporter/options.ts';
import { DELTA_KINDS } from '../exporter/otlp-options.ts';
import type { Region } from '../memory/region.ts';
import { NEW_PUSHED_FILE, PUSHED_FILE } from '../memory/store-directory.ts';
import { Succession } from '../memory/succession.ts';
import type { MetricStore } from '../state/store.ts';
import { listExporter } from '../state/store-exporters.ts';
import { writerOf } from '../state/store-writer.ts';
import { FlushRequests, type FlushOutcome } from './flush-requests.ts';
import { atAppEnd } from './last-export.ts';
import { checkThreadOptions, lastExportOf, storeOf, type ExporterThreadOptions } from './options.ts';
import type { StopMessage, ThreadData, ThreadMessage } from './protocol.ts';
import { RestartPause } from './restart-pause.ts';

/** An exporter thread that is up, or that waits until the process ends which exports the same store. */
export interface ExporterThread {
  /** Where it serves Prometheus; undefined when it does not, or another process does or has its port. */
  readonly address: AddressInfo | undefined;
  /**
   * Pushes all that was recorded so far. Rejects with an `ExporterThreadError` (`E_FLUSH`) when that was not
   * delivered, or not within `timeoutMillis` milliseconds (default 30,000). Where another process exports the
   * store, it does nothing: what was recorded is in the store, and that process pushes it at its interval.
   */
  forceFlush(options?: Deadline): Promise<void>;
  /**
   * Pushes once more, for at most `timeoutMillis` milliseconds (default 30,000), and ends the thread. Open
   * connections have a second to end. If the app exits meanwhile, its exit waits for the push. Pushes nothing
   * where another process exports the store. Never rejects; a second call does nothing.
   */
  stop(options?: Deadline): Promise<void>;
}

const DEFAULT_TIMEOUT_MILLIS = 30_000;
/** How often a process looks whether the one that exports the store has ended. */
const FOLLOW_MILLIS = 200;
/** How long the thread may take to end after it was told to. */
const LONGEST_END_MILLIS = 2000;

/**
 * Starts a thread that exports a store: it answers scrapes and pushes, even while every other thread hangs.
 * It ends with the app and never keeps it alive. If it dies (for example, out of memory), it is started
 * again, and the new thread goes on from the store: no totals are lost. If the port is taken, the thread
 * warns and tries it until it is free. Call it once, in any thread of the process, best in the main thread.
 *
 * Of a store of several processes (a store directory), one process exports for all. Each of them calls this,
 * with the same options. When the one that exports ends, however it ends, another notices it within 200 ms,
 * starts its thread and takes over the address. Until then the others have a timer for this, and no thread.
 *
 * @throws OptionError (as a rejection) on a wrong option. ExporterThreadError when the thread cannot listen
 * (a code of the system) or cannot start (`E_THREAD`).
 */
export async function startExporterThread(options: ExporterThreadOptions): Promise<ExporterThread> {
  const host = new ExporterThreadHost(options);
  await host.started;
  announce(host.summary());
  return host;
}

export interface HostOptions {
  /**
   * Starts without a caller that waits: it does not keep the process alive, and if a thread cannot be started
   * now, it tries again. Default false.
   */
  readonly inBackground?: boolean;
  /**
   * Key of the aggregation of histograms that are pushed by OTLP (`state/stream-choices.ts`). Default: of
   * the default aggregation.
   */
  readonly histogramSelection?: string | undefined;
  /** Says that this process has taken over. Default: the package's `announce`. */
  readonly announce?: (message: string) => void;
}

/** Looks after an exporter thread, in the thread that started it. */
export class ExporterThreadHost implements ExporterThread {
  address: AddressInfo | undefined;
  /**
   * Resolves when the thread runs for the first time. Rejects, and undoes everything, if it does not get
   * there.
   */
  readonly started: Promise<void>;
  readonly #store: MetricStore;
  /** Of a store of several processes alone. */
  readonly #succession: Succession | undefined;
  readonly #flushes = new FlushRequests();
  readonly #legacy: Legacy & { readonly addresses: Record<string, NonNullable<Legacy['addresses']>[string]> };
  readonly #forget: () => void;
  readonly #warnings = new Warnings();
  readonly #announce: (message: string) => void;
  #plan: ExporterPlan;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looks: NodeJS.Timeout | undefined;
  #notBefore = 0;
  readonly #pause = new RestartPause();
  #stopped: Promise<void> | undefined;
  /** The latest flush, and a checksum of what was recorded when it was requested. */
  #latest: { readonly number: number; readonly fingerprint: number; readonly isLast: boolean } | undefined;

  /** Throws an `OptionError`. */
  constructor(
    options: ExporterThreadOptions,
    { inBackground = false, histogramSelection, announce: say = announce }: HostOptions = {},
  ) {
    this.#plan = {
      ...planOf(options, 'options of startExporterThread', checkThreadOptions),
      histogramSelection,
    };
    this.#announce = say;
    this.#store = storeOf(options);
    const { otlp } = this.#plan;
    const { region } = this.#store;
    const hasDeltas = otlp !== undefined && DELTA_KINDS[otlp.temporality].length > 0;
    this.#legacy = { keeper: keeperOf(region, hasDeltas), addresses: {} };
    if (region.directory !== undefined) this.#succession = new Succession(region.directory);
    const lastExport = lastExportOf(options);
    const unlist = listExporter(region.buffer, this);
    const cancel =
      lastExport === undefined
        ? () => {}
        : atAppEnd(lastExport, {
            observe: () => writerOf(region).observeNow(),
            request: () => this.#requestLastFlush(),
            wait: (number, timeoutMillis) => this.#waitForLastFlush(number, timeoutMillis),
            reason: () => this.#flushes.reason,
          });
    this.#forget = () => {
      unlist();
      cancel();
      clearInterval(this.#looks);
      this.#succession?.close();
    };
    // Whatever starts the thread again later must not hold the caller's context.
    this.started = withoutContext(() => this.#start(inBackground));
    this.started.catch(() => {}); // whoever waits for it gets the error
  }

  /** True if another process exports the store, or none does at the moment. */
  get #follows(): boolean {
    return this.#succession !== undefined && this.#worker === undefined;
  }

  get #pushes(): boolean {
    return this.#plan.otlp !== undefined || this.#plan.console !== undefined;
  }

  /** One line that says where it serves and pushes. */
  summary(): string {
    if (this.#follows)
      return `seqlock-metrics: another process exports the store in ${this.#store.directory}; this one takes over when that one ends`;
    return summaryOf(this.#plan, this.address);
  }

  async forceFlush(options: Deadline = {}): Promise<void> {
    checkDeadline(options, 'options of forceFlush');
    const { timeoutMillis = DEFAULT_TIMEOUT_MILLIS } = options;
    if (this.#stopped !== undefined || this.#follows) return;
    const outcome = await this.#flushes.whenDone(this.#requestFlush(false), timeoutMillis);
    if (outcome !== 'delivered')
      throw new ExporterThreadError(
        'E_FLUSH',
        outcome === 'late'
          ? `the exporter thread has not delivered the metrics within ${timeoutMillis} ms`
          : `the exporter thread could not deliver the metrics: ${this.#flushes.reason}`,
      );
  }

  stop(options: Deadline = {}): Promise<void> {
    // No error: it is stopped whatever else is wrong.
    const unknown = unknownKey('stop', options, ['timeoutMillis']);
    if (unknown !== undefined) tell('warn', `seqlock-metrics: ${unknown}`);
    const { timeoutMillis = DEFAULT_TIMEOUT_MILLIS } = options;
    this.#stopped ??= this.#stop(timeoutMillis);
    return this.#stopped;
  }

  async #stop(timeoutMillis: number): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#looks);
    if (this.#succession?.leave() === true && this.#worker === undefined && this.#pushes)
      await this.#spawn(true).catch(() => {}); // it waits for the lease
    const worker = this.#worker;
    if (worker !== undefined) await this.#flushes.whenDone(this.#requestFlush(true), timeoutMillis);
    this.#forget(); // until here, an app that exits waits for the flush
    if (this.#worker === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LONGEST_END_MILLIS); // also keeps the process alive meanwhile
      worker!.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      worker!.postMessage({ stop: true } satisfies StopMessage);
    });
    await worker!.terminate();
  }

  async #start(inBackground: boolean): Promise<void> {
    const bornAt = performance.now();
    if (this.#succession !== undefined)
      this.#looks = setInterval(() => this.#lookForLeader(), FOLLOW_MILLIS).unref();
    try {
      await (this.#succession === undefined ? this.#spawn(!inBackground) : this.#tryToLead(!inBackground));
    } catch (error) {
      if (inBackground && isTransient(error)) {
        this.#restartLater(error as Error, performance.now() - bornAt);
        return;
      }
      this.#stopped = Promise.resolve();
      this.#forget();
      throw error;
    }
  }

  #lookForLeader(): void {
    if (this.#worker !== undefined) this.#succession!.join(); // it may have left, and then not ended
    if (this.#worker !== undefined || this.#stopped !== undefined || performance.now() < this.#notBefore)
      return;
    const bornAt = performance.now();
    this.#tryToLead(false).then(
      () => {
        if (this.#worker !== undefined) this.#announce(this.summary());
      },
      (error: Error) => {
        if (this.#stopped === undefined) this.#restartLater(error, performance.now() - bornAt);
      },
    );
  }

  /** Starts the thread if no process has one that exports the store, and none is starting one. */
  async #tryToLead(keepAlive: boolean): Promise<void> {
    const succession = this.#succession!;
    const { lease, directory } = this.#store.region;
    if (succession.join() && lease.isFree() && succession.tryToStart())
      try {
        await this.#spawn(keepAlive);
      } finally {
        succession.endStart();
      }
    else if (lease.obstacle !== undefined) {
      const { reason, fix } = lease.obstacle;
      this.#warnings.loss(
        'lease',
        reason,
        `seqlock-metrics: this process cannot export the store in ${directory}: ${reason}. ${fix}`,
      );
    }
  }

  /** Resolves when the thread runs. Rejects if it ends before that, or the system cannot start one. */
  async #spawn(keepAlive: boolean): Promise<void> {
    const worker = this.#newWorker();
    if (!keepAlive) worker.unref();
    await this.#whenUp(worker);
  }

  /** Throws if the system cannot start a thread. */
  #newWorker(): Worker {
    const entry = fileURLToPath(new URL('./entry.js', import.meta.url));
    const { NODE_OPTIONS: _, ...env } = process.env; // the app's preloaded modules are not for this thread
    try {
      // Loaded by `require`, since `import` takes a thread of libuv's pool, and the app may have none free.
      this.#worker = new Worker(`require(${JSON.stringify(entry)})`, {
        eval: true,
        name: 'seqlock-metrics exporter',
        workerData: {
          isSeqlockExporter: true,
          buffer: this.#store.region.buffer,
          control: this.#flushes.control,
          plan: this.#plan,
          legacy: this.#legacy,
        } satisfies ThreadData,
        // Node options of the app (its own telemetry, loaders) are not for this thread.
        execArgv: ['--disable-warning=ExperimentalWarning'], // about `require` of ES modules
        env,
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new ExporterThreadError('E_THREAD', `a thread cannot be started (${code ?? message})`);
    }
    return this.#worker;
  }

  #whenUp(worker: Worker): Promise<void> {
    const bornAt = performance.now();
    return new Promise((resolve, reject) => {
      let isUp = false;
      let death: Error | undefined;
      let follows = false;
      worker.on('message', (message: ThreadMessage) => {
        switch (message.type) {
          case 'follows':
            follows = true;
            break;
          case 'up':
            isUp = true;
            worker.unref();
            resolve();
            break;
          case 'listening':
            this.#noteAddress(message.address);
            break;
          case 'found':
            this.#legacy.addresses[message.name] = message.addresses;
            break;
          case 'diag':
            relay(message.level, message.message);
            break;
          case 'failed':
            death = this.#errorOf(message.code, message.message);
        }
      });
      worker.on('error', (error) => (death ??= error));
      worker.once('exit', (code) => {
        this.#worker = undefined;
        if (this.#succession !== undefined) this.address = undefined; // another process may take it
        if (follows) return resolve();
        this.#flushes.noteDeath(this.#stopped === undefined && this.#succession === undefined);
        death ??= new ExporterThreadError('E_THREAD', `the exporter thread ended with exit code ${code}`);
        if (!isUp) reject(death);
        else if (this.#stopped === undefined) this.#restartLater(death, performance.now() - bornAt);
      });
    });
  }

  /** Its successor serves at the same port. */
  #noteAddress(address: AddressInfo): void {
    this.address = address;
    const { prometheus } = this.#plan;
    if (prometheus !== undefined)
      this.#plan = { ...this.#plan, prometheus: { ...prometheus, port: address.port } };
  }

  #errorOf(code: string, message: string): ExporterThreadError {
    const { prometheus } = this.#plan;
    switch (code) {
      case 'EACCES':
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
        return new ExporterThreadError(
          code,
          `the exporter thread cannot serve Prometheus at ${prometheus?.host}:${prometheus?.port} (${message}): choose another prometheus.host or prometheus.port`,
        );
      default:
        return new ExporterThreadError(code, `the exporter thread cannot start: ${message}`);
    }
  }

  #restartLater(death: Error, livedMillis: number): void {
    const wait = this.#pause.after(livedMillis);
    const unless = this.#succession === undefined ? '' : ', unless another process takes over first';
    tellOfLoss(
      'warn',
      `seqlock-metrics: the exporter thread died (${death.message}). It is started again in ${wait} ms${unless}; what was recorded is kept in the store`,
    );
    this.#notBefore = performance.now() + wait;
    if (this.#succession === undefined) this.#timer = setTimeout(() => this.#restart(), wait).unref();
  }

  #restart(): void {
    const bornAt = performance.now();
    this.#spawn(false).catch((error: unknown) => {
      if (this.#stopped === undefined) this.#restartLater(error as Error, performance.now() - bornAt);
    });
  }

  #requestFlush(isLast: boolean): number {
    const fingerprint = this.#store.region.fingerprint();
    this.#latest = { number: this.#flushes.request(isLast), fingerprint, isLast };
    return this.#latest.number;
  }

  /** Replaces a dead thread at once: a worker needs no event loop but its own. */
  #requestLastFlush(): number | undefined {
    const isLast = this.#succession?.leave() ?? true;
    if (!isLast && this.#worker === undefined) return undefined;
    writerOf(this.#store.region).setAnswering(false); // this thread waits here, and nobody shall wait for it
    const number = this.#deliveredAnyway() ?? this.#requestFlush(true);
    if (this.#worker !== undefined || this.#flushes.isDone(number)) return number;
    clearTimeout(this.#timer);
    try {
      this.#whenUp(this.#newWorker()).catch(() => {});
      this.#worker!.unref();
    } catch {
      this.#flushes.fail(number);
    }
    return number;
  }

  /**
   * The number of a flush that has everything that was recorded, and was delivered or is the last one and
   * under way.
   */
  #deliveredAnyway(): number | undefined {
    if (this.#latest === undefined) return undefined;
    const { number, fingerprint, isLast } = this.#latest;
    if (fingerprint !== this.#store.region.fingerprint()) return undefined;
    const covers = this.#flushes.isDone(number) ? !this.#flushes.hasFailed : isLast;
    return covers ? number : undefined;
  }

  #waitForLastFlush(number: number, timeoutMillis: number): FlushOutcome {
    const outcome = this.#flushes.waitFor(number, timeoutMillis);
    writerOf(this.#store.region).setAnswering(true); // the process may live on
    return outcome;
  }
}

function keeperOf({ directory, storeId, maxBytes }: Region, hasDeltas: boolean): KeeperPlace {
  if (directory === undefined) return keeperMemory(hasDeltas ? maxBytes : 0);
  return {
    path: join(directory, PUSHED_FILE),
    newPath: join(directory, NEW_PUSHED_FILE),
    storeId: storeId!,
  };
}

/** It may be possible to start a thread later. */
function isTransient(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'E_THREAD';
}

/** Messages of the exporter thread are about losses, except those of level info. */
function relay(level: Level, message: string): void {
  if (level === 'info') tell(level, message);
  else tellOfLoss(level, message);
}
