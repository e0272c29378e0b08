/** An app that records to a store directory without pause, until it is killed: each histogram value is 1, so sum and count are equal. */
import { SeqlockMeterProvider } from '../../src/facade/meter-provider.ts';
import { MetricStore } from '../../src/state/store.ts';

const meter = new SeqlockMeterProvider({
  store: MetricStore.open({ directory: process.argv[2]!, maxBytes: 2 ** 21 }),
}).getMeter('busy');
const values = meter.createHistogram('values');
const orders = meter.createCounter('orders');
for (let i = 0; i < 20; i++) orders.add(1, { shop: i });
values.record(1);
process.send?.('ready');
const record = (): void => {
  for (let i = 0; i < 20_000; i++) values.record(1, { route: i % 3 });
  setImmediate(record);
};
record();
