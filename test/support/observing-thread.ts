/** A worker thread whose observable instruments report what it was told. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Attributes, ObservableResult } from '@opentelemetry/api';
import { SeqlockMeterProvider } from '../../src/facade/meter-provider.ts';
import { collectWarnings } from './warnings.ts';

export type ObservableKind = 'Counter' | 'UpDownCounter' | 'Gauge';

export interface Observation {
  readonly kind: ObservableKind;
  readonly name: string;
  readonly value: number;
  readonly attributes?: Attributes;
  /** What its callback does beside observing the value first. */
  readonly afterwards?: 'throw' | 'hang' | 'record';
}

/** What the thread has been warned of, and how often its callbacks were called. */
export interface Observed {
  readonly warnings: readonly string[];
  readonly calls: Readonly<Record<string, number>>;
}

/** Sent to the thread: block its event loop for so long, or until the word is no longer 0. */
export interface Block {
  readonly blockMillis: number;
  readonly until?: Int32Array;
}

const { warnings } = collectWarnings();
const calls: Record<string, number> = {};
const meter = new SeqlockMeterProvider().getMeter('observing');
const recorded = meter.createCounter('recorded');
for (const { kind, name, value, attributes, afterwards } of workerData as readonly Observation[]) {
  const report = async (result: ObservableResult): Promise<void> => {
    calls[name] = (calls[name] ?? 0) + 1;
    result.observe(value, attributes);
    if (afterwards === 'throw') throw new Error(`${name} on purpose`);
    if (afterwards === 'record') recorded.add(1);
    if (afterwards === 'hang') await new Promise(() => {});
  };
  meter[`createObservable${kind}`](name).addCallback(report);
}
parentPort!.on('message', (message: Block | 'tell') => {
  if (message === 'tell') {
    parentPort!.postMessage({ warnings, calls } satisfies Observed);
    return;
  }
  const { blockMillis, until = new Int32Array(new SharedArrayBuffer(4)) } = message;
  parentPort!.postMessage('blocked');
  Atomics.wait(until, 0, 0, blockMillis);
});
parentPort!.postMessage('up');
