/** A worker thread whose observable instruments report what it was told. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Attributes, ObservableResult } from '@opentelemetry/api';
import { SeqlockMeterProvider } from '../../src/facade/meter-provider.ts';

export type ObservableKind = 'Counter' | 'UpDownCounter' | 'Gauge';

export interface Observation {
  readonly kind: ObservableKind;
  readonly name: string;
  readonly value: number;
  readonly attributes?: Attributes;
}

/** Sent to the thread: block its event loop for so long, or until the word is no longer 0. */
export interface Block {
  readonly blockMillis: number;
  readonly until?: Int32Array;
}

const meter = new SeqlockMeterProvider().getMeter('observing');
for (const { kind, name, value, attributes } of workerData as readonly Observation[]) {
  const report = (result: ObservableResult): void => result.observe(value, attributes);
  meter[`createObservable${kind}`](name).addCallback(report);
}
parentPort!.on('message', ({ blockMillis, until = new Int32Array(new SharedArrayBuffer(4)) }: Block) => {
  parentPort!.postMessage('blocked');
  Atomics.wait(until, 0, 0, blockMillis);
});
parentPort!.postMessage('up');
