/** Makes series until the store is full and beyond, in a process that must not notice; says what it recorded. */
import { diag } from '@opentelemetry/api';
import { MetricStore, SeqlockMeterProvider } from '../../src/index.ts';
import { STREAMS, type FillerJob, type FillerMessage } from './jobs.ts';

const job = JSON.parse(process.argv.at(-1)!) as FillerJob;
let recorded = 0;
const warnings: string[] = [];
const ignore = (): void => {};
diag.setLogger({
  verbose: ignore,
  debug: ignore,
  info: ignore,
  error: ignore,
  warn: (text: string) => void warnings.push(text),
});
let refused: string | undefined;
try {
  const store = MetricStore.open({ directory: job.directory, maxBytes: 64 * 2 ** 20 });
  const meter = new SeqlockMeterProvider({ store }).getMeter('filler');
  const counters = Array.from({ length: STREAMS }, (_, i) => meter.createCounter(`filled_${i}`));
  for (let i = 0; i < job.series; i++) {
    counters[i % STREAMS]!.add(1, { long: `${job.name} ${i}`.padEnd(300, '.') });
    recorded++;
    if (i % 512 === 0) await new Promise(setImmediate);
  }
  // Those that there are go on, and none moves.
  for (let i = 0; i < 2000; i++) {
    counters[i % STREAMS]!.add(1, { long: `${job.name} ${i}`.padEnd(300, '.') });
    recorded++;
  }
} catch (error) {
  refused = (error as { readonly code?: string }).code ?? String(error);
}
process.send!({ recorded, warnings, ...(refused !== undefined && { refused }) } satisfies FillerMessage);
process.disconnect();
