/** A thread that runs another form of the cell protocol than the one that created it: it cannot join that one's store. */
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { parentPort } from 'node:worker_threads';
import { createMetricsProvider } from '../../src/index.ts';

const said: string[] = [];
const note = (message: string): void => void said.push(message);
const quiet = (): void => {};
diag.setLogger({ error: note, warn: note, info: note, debug: quiet, verbose: quiet }, DiagLogLevel.INFO);
const metrics = createMetricsProvider({ mode: 'seqlock' });
metrics.counter('c', '').inc(3);
parentPort!.postMessage({ mode: metrics.mode, value: metrics.counter('c', '').value(), said });
