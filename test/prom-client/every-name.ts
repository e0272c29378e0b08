/**
 * Uses every name of prom-client's types. `npm run check:prom-client` compiles it against prom-client and against
 * what takes its place; here it is compiled against the sources.
 */
import client from '../../src/prom-client/prom-client.ts';
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  contentType,
  Counter,
  exponentialBuckets,
  Gauge,
  Histogram,
  linearBuckets,
  openMetricsContentType,
  prometheusContentType,
  Pushgateway,
  register,
  Registry,
  Summary,
  validateMetricName,
} from '../../src/prom-client/prom-client.ts';
import type {
  Aggregator,
  Charset,
  Collector,
  CounterConfiguration,
  DefaultMetricsCollectorConfiguration,
  GaugeConfiguration,
  HistogramConfiguration,
  IncreaseDataWithExemplar,
  Metric,
  MetricType,
  ObserveDataWithExemplar,
  OpenMetricsContentType,
  OpenMetricsMIME,
  OpenMetricsVersion,
  PrometheusContentType,
  PrometheusMIME,
  PrometheusMetricsVersion,
  RegistryContentType,
  SummaryConfiguration,
} from '../../src/prom-client/prom-client.ts';

const counterOptions: CounterConfiguration<'a' | 'b'> = {
  name: 'c',
  help: 'h',
  labelNames: ['a', 'b'] as const,
  registers: [register],
  aggregator: 'sum' satisfies Aggregator,
  enableExemplars: false,
  collect() {
    this.inc({ a: 1 });
  },
};
const counter = new Counter(counterOptions);
counter.inc();
counter.inc(2);
counter.inc({ a: 'x', b: 5 }, 2);
const increase: IncreaseDataWithExemplar<'a' | 'b'> = {
  value: 1,
  labels: { a: 1 },
  exemplarLabels: { b: 'x' },
};
counter.inc(increase);
const counterChild: Counter.Internal = counter.labels('x', 'y');
counterChild.inc(1);
counter.labels({ a: 'x' }).inc();
counter.reset();
counter.remove('x', 'y');
counter.remove({ a: 'x' });
// @ts-expect-error: no such label
counter.inc({ c: 1 });

const gaugeOptions: GaugeConfiguration<'a'> = { name: 'g', help: 'h', labelNames: ['a'] };
const gauge: client.Gauge<'a'> = new client.Gauge(gaugeOptions);
gauge.set(1);
gauge.set({ a: 'x' }, 1);
gauge.inc({ a: 'x' });
gauge.dec({ a: 'x' }, 2);
gauge.setToCurrentTime({ a: 'x' });
const stopGauge: (labels?: { a?: string | number }) => number = gauge.startTimer({ a: 'x' });
const gaugeChild: Gauge.Internal<'a'> = gauge.labels('x');
gaugeChild.inc();
gaugeChild.dec(1);
gaugeChild.set(1);
gaugeChild.setToCurrentTime();
gaugeChild.startTimer()({ a: 'x' });

const histogramOptions: HistogramConfiguration<'a'> = {
  name: 'h',
  help: 'h',
  labelNames: ['a'],
  buckets: linearBuckets(1, 1, 3),
};
const histogram = new Histogram(histogramOptions);
histogram.observe(1);
histogram.observe({ a: 'x' }, 1);
const observation: ObserveDataWithExemplar<'a'> = { value: 1, labels: { a: 1 }, exemplarLabels: { a: 'x' } };
histogram.observe(observation);
const seconds: number = histogram.startTimer({ a: 'x' }, { a: 'x' })({ a: 'x' }, { a: 'x' });
histogram.zero({ a: 'x' });
const histogramChild: Histogram.Internal<'a'> = histogram.labels({ a: 'x' });
histogramChild.observe(1);
histogramChild.startTimer()({ a: 'x' });
const bucketOptions: Histogram.Config = { buckets: exponentialBuckets(1, 2, 3) };

const summaryOptions: SummaryConfiguration<'a'> = {
  name: 's',
  help: 'h',
  percentiles: [0.5],
  maxAgeSeconds: 60,
  ageBuckets: 5,
  pruneAgedBuckets: true,
  compressCount: 10,
};
const summary = new Summary(summaryOptions);
summary.observe(1);
summary.observe({ a: 'x' }, 1);
const summaryChild: Summary.Internal<'a'> = summary.labels('x');
summaryChild.observe(1);
const percentileOptions: Summary.Config = { percentiles: [0.5] };

const open = new Registry<OpenMetricsContentType>();
open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
const metric: Metric<'a'> | undefined = register.getSingleMetric<'a'>('g');
metric?.reset();
(register.getSingleMetric('c') as Counter).inc();
register.registerMetric(gauge);
register.setDefaultLabels({ app: 'x' });
register.removeSingleMetric('c');
const merged: Registry = Registry.merge([register, new client.Registry()]);
const cluster = new AggregatorRegistry<PrometheusContentType>();
AggregatorRegistry.setRegistries([register, open]);
AggregatorRegistry.setRegistries(open);

const defaults: DefaultMetricsCollectorConfiguration<PrometheusContentType> = {
  register,
  prefix: 'p_',
  gcDurationBuckets: [1],
  eventLoopMonitoringPrecision: 10,
  labels: { app: 'x' },
};
collectDefaultMetrics(defaults);
const groups: string[] = collectDefaultMetrics.metricsList;
collectDefaultMetrics({ register: open });

const types: [RegistryContentType, PrometheusContentType, OpenMetricsContentType] = [
  contentType,
  prometheusContentType,
  openMetricsContentType,
];
const words: [Charset, PrometheusMIME, PrometheusMetricsVersion, OpenMetricsMIME, OpenMetricsVersion] = [
  'utf-8',
  'text/plain',
  '0.0.4',
  'application/openmetrics-text',
  '1.0.0',
];
const collector: Collector = () => {};
const valid: boolean = validateMetricName('c');

export async function all(type: MetricType): Promise<unknown[]> {
  const gateway = new Pushgateway('http://localhost:9091', { timeout: 1 }, register);
  const parameters: Pushgateway.Parameters = { jobName: 'j', groupings: { a: 'x' } };
  const { resp, body } = await gateway.pushAdd(parameters);
  await gateway.push(parameters);
  await gateway.delete(parameters);
  const json = await register.getMetricsAsJSON();
  const [{ name, help, type: jsonType, aggregator, values }] = json as [(typeof json)[0]];
  const got = await histogram.get();
  const bucketName: string | undefined = got.values[0]?.metricName;
  const value: number | undefined = (await counter.get()).values[0]?.value;
  const label: string | number | undefined = (await counter.get()).values[0]?.labels.a;
  const text: string = await register.metrics();
  const one: string = await register.getSingleMetricAsString('c');
  const clusterText: string = await cluster.clusterMetrics();
  const together: Registry = AggregatorRegistry.aggregate([json]);
  const array = register.getMetricsAsArray();
  register.resetMetrics();
  register.clear();
  return [
    resp,
    body,
    name,
    help,
    jsonType === type,
    aggregator,
    values,
    bucketName,
    value,
    label,
    text,
    one,
    clusterText,
    together,
    array,
    merged,
    defaults,
    groups,
    types,
    words,
    collector,
    valid,
    seconds,
    stopGauge(),
    bucketOptions,
    percentileOptions,
  ];
}
