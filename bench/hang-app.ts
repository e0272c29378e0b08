/**
 * The app of `hanging.ts`, in a process of its own: hang-app.js <contender> <series>. Two workers and the main thread record; on request
 * the main thread, or a worker, goes round in a loop that never yields.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { expose, labelsOf, type Exposing } from './exposed.ts';
import { StallWatch } from './stall-watch.ts';

export type HangRequest =
  | { readonly do: 'block main' | 'block a worker'; readonly millis: number }
  | { readonly do: 'watch' | 'stall' };

const [contender, series] = (isMainThread ? process.argv.slice(2) : workerData) as [Exposing, string];

function block(millis: number): void {
  for (const end = performance.now() + millis; performance.now() < end;);
}

async function worker(): Promise<void> {
  const { record } = await expose(contender, { isWorker: true });
  setInterval(() => record(labelsOf(0), 1), 1);
  parentPort!.on('message', block);
  parentPort!.postMessage('up');
}

async function main(): Promise<void> {
  const { record, port } = await expose(contender);
  for (let i = 0; i < Number(series); i++) record(labelsOf(i), 1);
  // The official SDK has no way to bring workers' metrics together, prom-client none for threads.
  const workers = contender === 'ours' || contender === 'pio' ? [start(), start()] : [];
  await Promise.all(workers.map((one) => once(one, 'message')));
  let watch: StallWatch | undefined;
  process.on('message', (request: HangRequest) => {
    if (request.do === 'block main') block(request.millis);
    else if (request.do === 'block a worker') workers[0]?.postMessage(request.millis);
    else if (request.do === 'watch') (watch ??= new StallWatch()).reset();
    process.send!({ stall: watch?.longestMillis() });
  });
  process.on('disconnect', () => process.exit());
  process.send!({ port });
}

function start(): Worker {
  return new Worker(new URL(import.meta.url), { workerData: [contender, series] });
}

if (isMainThread) await main();
else await worker();
