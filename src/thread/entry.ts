/**
 * The exporter thread: reads the store, answers scrapes, pushes. It knows nothing of the threads that record but their memory, so that it
 * goes on when all of them hang; it loads no code of the write side's SDK.
 */
import { diag, DiagLogLevel, type DiagLogFunction } from '@opentelemetry/api';
import { Console } from 'node:console';
import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { format } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { SeqlockMetricProducer, type SeqlockMetricProducerOptions } from '../collect/metric-producer.ts';
import { PulseReader } from '../memory/pulse.ts';
import { Region } from '../memory/region.ts';
import { blockedThreads, LOOK_MILLIS } from './blocked-threads.ts';
import { servePrometheus, type PrometheusServer } from './prometheus-server.ts';
import { DeltaKeeper } from './delta-keeper.ts';
import * as protocol from './protocol.ts';
import { pushOtlp, pushToConsole, type Push, type PushSource } from './push.ts';

const { buffer, control: controlBuffer, plan, keeper } = workerData as protocol.ThreadData;
const control = new Int32Array(controlBuffer);
const region = Region.attach(buffer);
const pulses = new PulseReader(region);

function post(message: protocol.ThreadMessage): void {
  parentPort!.postMessage(message);
}

/** Each reader has its own: it keeps what it has read. */
function newProducer(options: SeqlockMetricProducerOptions = {}): SeqlockMetricProducer {
  const { selfMetrics } = plan;
  return new SeqlockMetricProducer(
    { region },
    { ...options, selfMetrics, moreMetrics: [blockedThreads(pulses)] },
  );
}

async function run(): Promise<void> {
  forwardWarnings();
  printAtOnce();
  if (!region.noteReader())
    diag.warn(
      'seqlock-metrics: the exporter thread reads a store that another thread reads too: its metrics are exported twice. Give the provider no readers where there is an exporter thread',
    );
  setInterval(() => pulses.look(), LOOK_MILLIS); // also keeps this thread up
  const pushes: Push[] = [];
  const source: PushSource = { newProducer, keeper: new DeltaKeeper(control, keeper) };
  if (plan.otlp !== undefined) pushes.push(await pushOtlp(source, plan.otlp, plan.histogramSelection));
  if (plan.console !== undefined) pushes.push(await pushToConsole(source, plan.console));
  const server = plan.prometheus && (await servePrometheus(newProducer(), plan.prometheus, plan.exposition));
  awaitFlush(pushes);
  parentPort!.once('message', () => void stop(pushes, server)); // there is one message, a StopMessage
  post({ type: 'up', address: server?.address });
}

/** Flushes when the host asks for it, and when it had asked a thread that died of it. */
function awaitFlush(pushes: readonly Push[]): void {
  const requested = Atomics.load(control, protocol.REQUESTED_INDEX);
  if (requested !== Atomics.load(control, protocol.DONE_INDEX)) {
    void flush(pushes).then((delivered) => {
      answer(requested, delivered);
      awaitFlush(pushes);
    });
    return;
  }
  const wait = Atomics.waitAsync(control, protocol.REQUESTED_INDEX, requested);
  if (wait.async) void wait.value.then(() => awaitFlush(pushes));
  else queueMicrotask(() => awaitFlush(pushes));
}

function answer(requested: number, delivered: boolean): void {
  Atomics.store(control, protocol.FAILED_INDEX, delivered ? 0 : 1);
  Atomics.store(control, protocol.DONE_INDEX, requested);
  Atomics.notify(control, protocol.DONE_INDEX);
}

async function flush(pushes: readonly Push[]): Promise<boolean> {
  const outcomes = await Promise.allSettled(pushes.map((push) => push.flush()));
  return outcomes.every((outcome) => outcome.status === 'fulfilled' && outcome.value);
}

async function stop(pushes: readonly Push[], server: PrometheusServer | undefined): Promise<void> {
  await Promise.allSettled([...pushes.map((push) => push.shutdown()), server?.close()]);
  process.exit(); // of this thread alone
}

/** What this thread warns of goes to the logger of the app. */
function forwardWarnings(): void {
  const to =
    (level: protocol.DiagLevel): DiagLogFunction =>
    (...args) =>
      post({ type: 'diag', level, message: format(...args) });
  const quiet = (): void => {};
  diag.setLogger(
    { error: to('error'), warn: to('warn'), info: to('info'), debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true },
  );
}

/** A worker's output goes through the main thread, which may never turn again. */
function printAtOnce(): void {
  const stream = (descriptor: number): Writable =>
    new Writable({
      write(text: Buffer, _encoding, done) {
        try {
          writeSync(descriptor, text);
        } catch {
          // Closed, or full: nobody reads it.
        }
        done();
      },
    });
  globalThis.console = new Console({ stdout: stream(1), stderr: stream(2) });
}

run().catch((error: unknown) => {
  const { code = 'E_THREAD', message } = error as NodeJS.ErrnoException;
  post({ type: 'failed', code, message });
  answer(Atomics.load(control, protocol.REQUESTED_INDEX), false); // nobody is to wait for a flush that never comes
  setImmediate(() => process.exit(1)); // of this thread alone, when the message is out
});
