/**
 * Attributes that are known in advance are resolved once. What `bind` returns then records without a look-up.
 */
import { metrics } from '@opentelemetry/api';
import { bind, SeqlockMeterProvider, SeqlockMetricReader } from 'seqlock-metrics';

const reader = new SeqlockMetricReader();
const provider = new SeqlockMeterProvider({ readers: [reader] });
metrics.setGlobalMeterProvider(provider);

const meter = metrics.getMeter('queue');
const done = bind(meter.createCounter('messages'), { queue: 'mail', outcome: 'done' });
const size = bind(meter.createHistogram('message.size', { unit: 'By' }), { queue: 'mail' });
for (let i = 1; i <= 1000; i++) {
  done.add(1);
  size.record(i);
}

const [messages, sizes] = reader.snapshot().scopeMetrics[0]!.metrics;
console.log(messages!.dataPoints[0]!.value); // 1000
console.log(sizes!.dataPoints[0]!.value); // { min: 1, max: 1000, sum: 500500, count: 1000, buckets: ... }
await provider.shutdown();
