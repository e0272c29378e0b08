/** Reading values synchronously, in the thread that has the reader: no await, no export. */
import { metrics } from '@opentelemetry/api';
import { SeqlockMeterProvider, SeqlockMetricReader } from 'seqlock-metrics';

const reader = new SeqlockMetricReader();
const provider = new SeqlockMeterProvider({ readers: [reader] });
metrics.setGlobalMeterProvider(provider);

const orders = metrics.getMeter('shop').createCounter('orders');
orders.add(2, { payment: 'card' });
orders.add(1, { payment: 'cash' });

for (const { metrics: found } of reader.snapshot().scopeMetrics)
  for (const { descriptor, dataPoints } of found)
    for (const { attributes, value } of dataPoints) console.log(descriptor.name, attributes, value);

const { totalReads, staleReads } = reader.readStats();
console.log(`${totalReads} cells read, ${staleReads} of them stale`);
await provider.shutdown();
