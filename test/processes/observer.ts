/** A process with an observable gauge that tells when it was asked, and that hangs for some seconds when it is told to. */
import { MetricStore, SeqlockMeterProvider } from '../../src/index.ts';

const { directory } = JSON.parse(process.argv.at(-1)!) as { readonly directory: string };
const meter = new SeqlockMeterProvider({ store: MetricStore.open({ directory }) }).getMeter('observer');
meter.createObservableGauge('asked_at').addCallback((result) => {
  result.observe(Date.now(), { pid: process.pid });
});
meter.createCounter('counted').add(1);
process.on('message', (millis: number) => {
  process.send!('hangs');
  for (const until = performance.now() + millis; performance.now() < until;);
});
process.send!('ready');
