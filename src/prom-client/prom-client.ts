/**
 * `seqlock-metrics/prom-client`: takes the place of prom-client 15. See docs/prom-client.md.
 *
 * The default export is what prom-client's `module.exports` is, for `import client from` and `require`.
 */
import * as names from './names.ts';
import { register } from './names.ts';

const client: typeof names = Object.defineProperty({ ...names }, 'contentType', {
  configurable: false,
  enumerable: true,
  get: () => register.contentType,
  set(type) {
    register.setContentType(type);
  },
});

/** The types that prom-client has beside its values, for `client.Counter<'method'>` as a type. */
// oxlint-disable-next-line no-redeclare -- a value and types under one name, as prom-client is
declare namespace client {
  export type Aggregator = names.Aggregator;
  export type AggregatorRegistry<T extends names.RegistryContentType> = names.AggregatorRegistry<T>;
  export type Charset = names.Charset;
  export type Collector = names.Collector;
  export type Counter<T extends string = string> = names.Counter<T>;
  export type CounterConfiguration<T extends string> = names.CounterConfiguration<T>;
  export type DefaultMetricsCollectorConfiguration<T extends names.RegistryContentType> =
    names.DefaultMetricsCollectorConfiguration<T>;
  export type Gauge<T extends string = string> = names.Gauge<T>;
  export type GaugeConfiguration<T extends string> = names.GaugeConfiguration<T>;
  export type Histogram<T extends string = string> = names.Histogram<T>;
  export type HistogramConfiguration<T extends string> = names.HistogramConfiguration<T>;
  export type IncreaseDataWithExemplar<T extends string> = names.IncreaseDataWithExemplar<T>;
  export type Metric<T extends string = string> = names.Metric<T>;
  export type MetricObject = names.MetricObject;
  export type MetricType = names.MetricType;
  export type ObserveDataWithExemplar<T extends string> = names.ObserveDataWithExemplar<T>;
  export type OpenMetricsContentType = names.OpenMetricsContentType;
  export type OpenMetricsMIME = names.OpenMetricsMIME;
  export type OpenMetricsVersion = names.OpenMetricsVersion;
  export type PrometheusContentType = names.PrometheusContentType;
  export type PrometheusMIME = names.PrometheusMIME;
  export type PrometheusMetricsVersion = names.PrometheusMetricsVersion;
  export type Pushgateway<T extends names.RegistryContentType> = names.Pushgateway<T>;
  export type Registry<T extends names.RegistryContentType = names.PrometheusContentType> = names.Registry<T>;
  export type RegistryContentType = names.RegistryContentType;
  export type Summary<T extends string = string> = names.Summary<T>;
  export type SummaryConfiguration<T extends string> = names.SummaryConfiguration<T>;
}

export * from './names.ts';
export { client as default, client as 'module.exports' };
