/** The names of prom-client. */
import { openStoreEarly } from './metric-store.ts';
import { globalRegistry, Registry } from './registry.ts';
import type { OpenMetricsContentType, PrometheusContentType, RegistryContentType } from './types.ts';

// Now, and not with the first metric: workers that are started before it must find the store.
openStoreEarly();

export { AggregatorRegistry } from './aggregator-registry.ts';
export { aggregators } from './aggregators.ts';
export { exponentialBuckets, linearBuckets } from './buckets.ts';
export { Counter, type CounterConfiguration } from './counter.ts';
export { collectDefaultMetrics, type DefaultMetricsCollectorConfiguration } from './default-metrics.ts';
export { Gauge, type GaugeConfiguration } from './gauge.ts';
export { Histogram, type HistogramConfiguration } from './histogram.ts';
export { Pushgateway } from './push-gateway.ts';
export { Registry } from './registry.ts';
export { Summary, type SummaryConfiguration } from './summary.ts';
export { validateMetricName } from './validation.ts';
export type {
  Aggregator,
  Charset,
  Collector,
  IncreaseDataWithExemplar,
  Metric,
  MetricObject,
  MetricObjectWithValues,
  MetricType,
  MetricValue,
  MetricValueWithName,
  ObserveDataWithExemplar,
  OpenMetricsContentType,
  OpenMetricsMIME,
  OpenMetricsVersion,
  PrometheusContentType,
  PrometheusMIME,
  PrometheusMetricsVersion,
  RegistryContentType,
} from './types.ts';

/** The registry that metrics are registered with by default. */
export const register: Registry = globalRegistry;
/** The content type of `register` when this module was loaded; the default export has the present one. */
export const contentType: RegistryContentType = register.contentType;
export const prometheusContentType: PrometheusContentType = Registry.PROMETHEUS_CONTENT_TYPE;
export const openMetricsContentType: OpenMetricsContentType = Registry.OPENMETRICS_CONTENT_TYPE;
