/**
 * One of the processes of a store that records metrics of all kinds: `node kinds-program.js <directory>`. It
 * does what messages tell it, and answers each.
 */
import { context, diag, trace } from '@opentelemetry/api';
import { AggregationTemporality, AggregationType } from '@opentelemetry/sdk-metrics';
import { createMetricsProvider, SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { BlockedThreads } from '../../src/exporter/blocked-threads.ts';
import { Acknowledged, COUNTED } from '../processes/acknowledged.ts';
import { FEW, traceOf, type Kinds, type KindsJob, type KindsTask } from './kinds.ts';
import { GAUGE_MERGES } from '../../src/state/stream-choices.ts';
import { MetricStore } from '../../src/state/store.ts';

const directory = process.argv[2]!;
const quiet = (): void => {};
diag.setLogger({ error: quiet, warn: quiet, info: quiet, debug: quiet, verbose: quiet }); // several read the store

const store = MetricStore.open({ directory });
const [reader, deltas] = [
  new SeqlockMetricReader(),
  new SeqlockMetricReader({ aggregationTemporalitySelector: () => AggregationTemporality.DELTA }),
];
const provider = new SeqlockMeterProvider({
  store,
  readers: [reader, deltas],
  exemplarFilter: 'trace_based',
  selfMetrics: true,
  views: [
    { instrumentName: 'exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
    { instrumentName: 'few', aggregationCardinalityLimit: FEW },
  ],
});
const meter = provider.getMeter('kinds');
const threads = new BlockedThreads(store.region);
let observed = 0;

async function collected(from: SeqlockMetricReader): Promise<Kinds> {
  const { resourceMetrics } = await from.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap(({ metrics: all }) => all);
  return Object.fromEntries(
    metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ attributes, value, ...rest }) => {
        const { exemplars = [] } = rest as { exemplars?: { traceId?: string; value: number }[] };
        return { attributes, value, exemplars: exemplars.map((one) => [one.traceId, one.value] as const) };
      }),
    ]),
  );
}

function record({ number, values, traced, gauge, sets }: KindsTask): void {
  const inSpan = trace.setSpanContext(context.active(), {
    traceId: traceOf(number),
    spanId: '3'.repeat(16),
    traceFlags: 1,
  });
  const [explicit, exponential] = [
    meter.createHistogram('explicit', { advice: { explicitBucketBoundaries: [1, 10, 100] } }),
    meter.createHistogram('exponential'),
  ];
  for (const value of values) for (const histogram of [explicit, exponential]) histogram.record(value);
  explicit.record(traced, {}, inSpan);
  for (const merge of GAUGE_MERGES) meter.createGauge(`gauge.${merge}`, { merge }).record(gauge);
  meter.createUpDownCounter('balance').add(-number);
  for (const set of sets) meter.createCounter('few').add(number, { set });
}

function recordForEver(path: string, number: number): never {
  const counter = meter.createCounter('delivered');
  const histogram = meter.createHistogram('delivered.sizes');
  const noted = new Acknowledged(path);
  for (let n = 0; ; n++) {
    counter.add(0.25, { n: n % 7 });
    histogram.record(n % 50, { n: n % 3 });
    noted.words[noted.index(number, COUNTED)]!++;
  }
}

async function run(job: KindsJob): Promise<unknown> {
  switch (job.do) {
    case 'record':
      return record(job);
    case 'record for ever':
      setImmediate(recordForEver, job.noted, job.number);
      return undefined;
    case 'observe':
      if (observed === 0)
        meter.createObservableGauge('observed').addCallback((result) => {
          result.observe(observed, { pid: process.pid });
        });
      observed = job.value;
      return undefined;
    case 'shared gauge': {
      const metrics = createMetricsProvider({ mode: 'seqlock', directory });
      const gauge = metrics.gauge('in_flight', 'requests');
      gauge[job.method](job.value);
      return gauge.value();
    }
    case 'collect':
      return collected(reader);
    case 'collect deltas':
      return collected(deltas);
    case 'look at threads':
      threads.look();
      return threads.metric.read();
  }
}

process.on('message', (job: KindsJob) => void run(job).then((answer) => process.send!({ answer })));
process.on('disconnect', () => process.exit());
process.send!({ answer: 'ready' });
