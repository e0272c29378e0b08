/** Entry of a worker thread of the app: records what it is told to, and keeps its own account. */
import { metrics } from '@opentelemetry/api';
import { parentPort } from 'node:worker_threads';
import { SeqlockMeterProvider } from '../../../src/index.ts';
import { Recorder } from './instruments.ts';
import { Load } from './load.ts';
import type { Reply, Request } from './protocol.ts';

metrics.setGlobalMeterProvider(new SeqlockMeterProvider());
const recorder = new Recorder();
const load = new Load(recorder);

parentPort!.on('message', (request: Request) => {
  if (request.do === 'record') recorder.record(request.rounds);
  if (request.do === 'start') load.start();
  if (request.do === 'stop') load.stop();
  const reply: Reply = {
    id: request.id,
    ...(request.do === 'books' && { value: recorder.books }),
    ...(request.do === 'values' && { value: recorder.values }),
  };
  parentPort!.postMessage(reply);
});
