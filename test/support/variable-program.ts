/** Counts to ten in a store that an environment variable may name; prints which one, its total, and what was warned of. */
import { diag, DiagLogLevel } from '@opentelemetry/api';
import {
  createMetricsProvider,
  MetricStore,
  SeqlockMeterProvider,
  SeqlockMetricReader,
} from '../../src/index.ts';

const said: string[] = [];
const note = (message: string): void => void said.push(message);
const quiet = (): void => {};
diag.setLogger({ error: note, warn: note, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);

const [how, directory] = process.argv.slice(2);
let used: string | undefined;
let total: number;
if (how === 'open') {
  const store = MetricStore.open();
  const reader = new SeqlockMetricReader();
  const counter = new SeqlockMeterProvider({ store, readers: [reader] }).getMeter('m').createCounter('c');
  for (let i = 0; i < 10; i++) counter.add(1);
  used = store.directory;
  total = reader.snapshot().scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.value as number;
} else {
  const metrics = createMetricsProvider({
    mode: 'seqlock',
    ...(directory !== '' && { directory: directory! }),
  });
  const counter = metrics.counter('c', '');
  for (let i = 0; i < 10; i++) counter.inc(1);
  used = (metrics as { meterProvider: SeqlockMeterProvider }).meterProvider.store.directory;
  total = counter.value();
}
console.log(JSON.stringify({ directory: used ?? null, total, said }));
