/** A thread whose published store is none: what the package of another thread put there, say. */
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { parentPort, setEnvironmentData } from 'node:worker_threads';

setEnvironmentData('seqlock-metrics.store', new SharedArrayBuffer(2 ** 20));
const { createMetricsProvider } = await import('../../src/index.ts');

const said: string[] = [];
const note = (message: string): void => void said.push(message);
const quiet = (): void => {};
diag.setLogger({ error: note, warn: note, info: note, debug: quiet, verbose: quiet }, DiagLogLevel.INFO);
const metrics = createMetricsProvider({ mode: 'seqlock' });
metrics.counter('c', '').inc(3);
parentPort!.postMessage({ mode: metrics.mode, value: metrics.counter('c', '').value(), said });
