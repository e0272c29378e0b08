/**
 * The app of the end-to-end tests: a process of its own with worker threads, instrumented with OpenTelemetry's API. Its parent
 * starts it with `fork`, gives it `AppOptions` as JSON, and sends it commands. It ends when its parent does.
 */
import { diag, DiagLogLevel, metrics, type DiagLogger } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { fileURLToPath } from 'node:url';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { SeqlockMeterProvider } from '../../../src/index.ts';
import { addUp, addUpValues, type Books, type Values } from './account.ts';
import { Recorder } from './instruments.ts';
import { Load } from './load.ts';
import { readersFor, threadFor } from './outputs.ts';
import type { AppOptions, Command, Farewell, Reply, Request, Vitals } from './protocol.ts';

const options = JSON.parse(process.argv[2]!) as AppOptions;
const said: string[] = [];
const say =
  (level: string) =>
  (...words: unknown[]): void => {
    said.push(`${level} ${words.map(String).join(' ')}`);
  };
const logger: DiagLogger = {
  error: say('error'),
  warn: say('warn'),
  info: say('info'),
  debug: say('debug'),
  verbose: say('verbose'),
};
diag.setLogger(logger, DiagLogLevel.INFO);

const provider = new SeqlockMeterProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop', 'service.instance.id': options.instance }),
  readers: readersFor(options.outputs),
});
metrics.setGlobalMeterProvider(provider);
const starting = threadFor(options.outputs, provider.store); // before instruments are made: it may want deltas of them
const recorder = new Recorder();
const load = new Load(recorder);
recorder.widen(options.wide ?? 0);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const workers = Array.from(
  { length: options.workers },
  () => new Worker(fileURLToPath(new URL('./worker.js', import.meta.url))),
);

let asked = 0;

/** Asks every worker, and waits for all. */
function ask(command: Command): Promise<unknown[]> {
  const id = --asked;
  return Promise.all(
    workers.map(
      (worker) =>
        new Promise((resolve) => {
          const hear = (reply: Reply): void => {
            if (reply.id !== id) return;
            worker.off('message', hear);
            resolve(reply.value);
          };
          worker.on('message', hear);
          worker.postMessage({ ...command, id } satisfies Request);
        }),
    ),
  );
}

async function books(): Promise<Books> {
  return addUp([recorder.books, ...((await ask({ do: 'books' })) as Books[])]);
}

function vitals(): Vitals {
  const longestDelayMillis = delay.max / 1e6;
  globalThis.gc!();
  delay.reset(); // also of the time that took
  const { heapUsed: heapBytes, rss: residentBytes } = process.memoryUsage();
  return { longestDelayMillis, heapBytes, residentBytes };
}

async function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'record':
      recorder.record(command.rounds);
      await ask(command);
      return undefined;
    case 'start':
      load.start();
      await ask(command);
      return undefined;
    case 'stop':
      load.stop();
      await ask(command);
      return undefined;
    case 'books':
      return books();
    case 'values':
      return addUpValues([recorder.values, ...((await ask(command)) as Values[])]);
    case 'flush':
      return provider.forceFlush(); // the exporter thread's pushes, too
    case 'hang':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, command.millis);
      return undefined;
    case 'vitals':
      return vitals();
    case 'said':
      return said;
    case 'shutdown':
      return shutdown();
  }
}

async function shutdown(): Promise<void> {
  await thread?.stop();
  await provider.shutdown();
}

process.on('message', (request: Request) => {
  obey(request).then(
    (value) => process.send!({ id: request.id, value } satisfies Reply),
    (error: unknown) => process.send!({ id: request.id, error: String(error) } satisfies Reply),
  );
});
process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => void leave());

/** As an app in production ends: work is stopped, metrics are exported once more, the process goes. */
async function leave(): Promise<void> {
  await obey({ do: 'stop' });
  await shutdown();
  const farewell: Farewell = { farewell: await books() };
  process.send!(farewell, () => process.exit(0));
}

const thread = await starting;
process.send!({ id: 0 } satisfies Reply); // it is up
