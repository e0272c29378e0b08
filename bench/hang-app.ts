/**
 * The app of `hanging.ts`, in a process of its own: hang-app.js <contender> <series> [OTLP URL]. Two workers and the main thread record; on
 * request the main thread, or a worker, or both, go round in a loop that never yields.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { expose, labelsOf, type Exposing } from './exposed.ts';
import { StallWatch } from './stall-watch.ts';

export type Block = 'a worker' | 'main thread and a worker';

export type HangRequest =
  { readonly block: Block; readonly millis: number } | { readonly do: 'watch' | 'tell' };

interface WorkerData {
  readonly contender: Exposing;
  /** It records to so many before it says that it is up. */
  readonly series: number;
}

function loop(millis: number): void {
  for (const end = performance.now() + millis; performance.now() < end;);
}

async function worker({ contender, series }: WorkerData): Promise<void> {
  const { record } = await expose(contender, { isWorker: true, observes: true });
  for (let i = 0; i < series; i++) record(labelsOf(i), 1);
  setInterval(() => record(labelsOf(0), 1), 1);
  parentPort!.on('message', loop);
  parentPort!.postMessage('up');
}

async function main(contender: Exposing, series: number, otlpUrl: string | undefined): Promise<void> {
  const { record, port } = await expose(contender, { hasWorkers: true, observes: true, otlpUrl });
  // The official SDK has no way to bring workers' metrics together, prom-client none for threads. That of pio is for metrics of workers alone.
  const ofWorker = contender === 'pio' ? series : 0;
  const workers =
    contender === 'ours' || contender === 'pio' ? [start(contender, 0), start(contender, ofWorker)] : [];
  for (let i = ofWorker; i < series; i++) record(labelsOf(i), 1);
  await Promise.all(workers.map((one) => once(one, 'message')));
  let watch: StallWatch | undefined; // keeps the loop turning, so only when it is asked for
  process.on('message', (request: HangRequest) => {
    if ('block' in request) {
      workers[0]?.postMessage(request.millis);
      if (request.block !== 'a worker') loop(request.millis);
      return;
    }
    if (request.do === 'watch') {
      // The turning loop leaves garbage. V8 clears it away with a thread that waits for a core while a scrape has it: no part of the scrape's stalls.
      globalThis.gc?.();
      (watch ??= new StallWatch()).reset();
    }
    process.send!({ stalls: watch?.stalls() });
  });
  process.on('disconnect', () => process.exit());
  process.send!({ port });
}

function start(contender: Exposing, series: number): Worker {
  return new Worker(new URL(import.meta.url), { workerData: { contender, series } satisfies WorkerData });
}

if (isMainThread) {
  const [contender, series, otlpUrl] = process.argv.slice(2) as [Exposing, string, string?];
  await main(contender, Number(series), otlpUrl);
} else await worker(workerData as WorkerData);
