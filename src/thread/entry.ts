/**
 * The exporter thread: reads the store, answers scrapes, pushes. Of the threads that record it knows only
 * their memory, so it goes on when all of them hang. It loads no code of the write side's SDK.
 */
import { diag, DiagLogLevel, type DiagLogFunction } from '@opentelemetry/api';
import { Console } from 'node:console';
import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { format } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import type { Level } from '../base/warnings.ts';
import { queueMicrotask, setImmediate, setTimeout } from '../base/platform.ts';
import { startExporter, type Exporter } from '../exporter/exporter.ts';
import type { ExporterPlan } from '../exporter/options.ts';
import { Region } from '../memory/region.ts';
import {
  DONE_INDEX,
  FAILED_INDEX,
  LAST_INDEX,
  REASON_LENGTH_INDEX,
  REASON_OFFSET,
  REQUESTED_INDEX,
  type ThreadData,
  type ThreadMessage,
} from './protocol.ts';

const LEASE_TRY_MILLIS = 10;

const { buffer, control: controlBuffer, plan, legacy } = workerData as ThreadData;
const control = new Int32Array(controlBuffer);
const reasonBytes = new Uint8Array(controlBuffer, REASON_OFFSET);

function post(message: ThreadMessage): void {
  parentPort!.postMessage(message);
}

async function run(): Promise<void> {
  forwardWarnings();
  printAtOnce();
  const region = Region.attach(buffer);
  const isShared = region.directory !== undefined;
  if (isShared && !(await leads(region))) {
    post({ type: 'follows' });
    answer(Atomics.load(control, REQUESTED_INDEX), true, '');
    setImmediate(() => process.exit()); // ends this thread only, once the message is sent
    return;
  }
  const takesAnyPort = isShared && plan.prometheus?.port === 0;
  const exporter = await startExporter(region, takesAnyPort ? withPort(region.exporterPort) : plan, legacy, {
    onListening(address) {
      if (takesAnyPort) region.noteExporterPort(address.port);
      post({ type: 'listening', address });
    },
    onFound: (name, addresses) => post({ type: 'found', name, addresses }),
  });
  // A flush that was requested from a thread that died is still requested.
  awaitFlush(exporter, Atomics.load(control, DONE_INDEX));
  // A StopMessage. It ends this thread only.
  parentPort!.once('message', () => void exporter.stop().then(() => process.exit()));
  post({ type: 'up' });
}

/**
 * Takes the lease of a store of several processes. If the host has asked for its last flush, it is the last
 * process that exports: then whoever still has the lease is about to end.
 */
async function leads({ lease }: Region): Promise<boolean> {
  while (!lease.take()) {
    const requested = Atomics.load(control, REQUESTED_INDEX);
    if (requested === 0 || requested !== Atomics.load(control, LAST_INDEX)) return false;
    await new Promise((resolve) => setTimeout(resolve, LEASE_TRY_MILLIS));
  }
  return true;
}

/** The plan with the port at which the leaders before have served. */
function withPort(port: number): ExporterPlan {
  return { ...plan, prometheus: { ...plan.prometheus!, port } };
}

/** Flushes when the host requests it. `seen`: the number of the latest flush that was begun or done. */
function awaitFlush(exporter: Exporter, seen: number): void {
  const requested = Atomics.load(control, REQUESTED_INDEX);
  if (requested !== seen)
    void exporter
      .flush(requested === Atomics.load(control, LAST_INDEX))
      .then((delivered) => answer(requested, delivered, exporter.reason));
  const wait = Atomics.waitAsync(control, REQUESTED_INDEX, requested);
  if (wait.async) void wait.value.then(() => awaitFlush(exporter, requested));
  else queueMicrotask(() => awaitFlush(exporter, requested));
}

function answer(requested: number, delivered: boolean, reason: string): void {
  const { written } = new TextEncoder().encodeInto(reason, reasonBytes);
  control[REASON_LENGTH_INDEX] = written;
  Atomics.store(control, FAILED_INDEX, delivered ? 0 : 1);
  Atomics.store(control, DONE_INDEX, requested);
  Atomics.notify(control, DONE_INDEX);
}

/** Passes warnings of this thread to the app's logger. */
function forwardWarnings(): void {
  const to =
    (level: Level): DiagLogFunction =>
    (...args) =>
      post({ type: 'diag', level, message: format(...args) });
  const quiet = (): void => {};
  diag.setLogger(
    { error: to('error'), warn: to('warn'), info: to('info'), debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true },
  );
}

/** A worker's output goes through the main thread, which may be blocked for ever. */
function printAtOnce(): void {
  const stream = (descriptor: number): Writable =>
    new Writable({
      write(text: Buffer, _encoding, done) {
        try {
          writeSync(descriptor, text);
        } catch {
          // It is closed, or full: nobody reads it.
        }
        done();
      },
    });
  globalThis.console = new Console({ stdout: stream(1), stderr: stream(2) });
}

run().catch((error: unknown) => {
  const { code = 'E_THREAD', message } = error as NodeJS.ErrnoException;
  post({ type: 'failed', code, message });
  // Nobody shall wait for a flush that never comes.
  answer(Atomics.load(control, REQUESTED_INDEX), false, message);
  setImmediate(() => process.exit(1)); // ends this thread only, once the message is sent
});
