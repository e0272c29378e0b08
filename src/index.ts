export { ExporterThreadError, OptionError, RegionError } from './base/errors.ts';
export { SeqlockMetricProducer } from './export/metric-producer.ts';
export { SeqlockMetricReader } from './facade/metric-reader.ts';
export { SeqlockMeterProvider } from './facade/meter-provider.ts';
export { ComparingMetricsProvider } from './facade/metrics/comparing-metrics-provider.ts';
export { createMetricsProvider } from './facade/metrics/create-metrics-provider.ts';
export { HistogramStats } from './facade/metrics/histogram-stats.ts';
export { MAX_BUCKETS, RESPONSE_TIME_BUCKETS, SIZE_BUCKETS } from './facade/metrics/metric-definition.ts';
export { SeqlockMetricsProvider } from './facade/metrics/seqlock-metrics-provider.ts';
export { StandardMetricsProvider } from './facade/metrics/standard-metrics-provider.ts';
export { Timer } from './facade/metrics/timer.ts';
export { metricsJsonSchema } from './export/json-schema.ts';
export { createPrometheusHandler } from './export/prometheus-handler.ts';
export { Seqlock } from './memory/seqlock.ts';
export { bind } from './sdk/bind.ts';
export { remove } from './sdk/remove.ts';
export { MetricStore } from './state/store.ts';
export { startExporterThread } from './thread/exporter-thread.ts';
export type { RegionErrorCode } from './base/errors.ts';
export type { SeqlockReadStats } from './collect/rows/cell-reader.ts';
export type { SeqlockMetricProducerOptions } from './export/metric-producer.ts';
export type {
  DataPoint,
  ExponentialHistogramMetric,
  ExponentialHistogramValue,
  GaugeMetric,
  HistogramMetric,
  HistogramValue,
  Metric,
  MetricDescriptor,
  ResourceMetrics,
  ScopeMetrics,
  SumMetric,
} from './collect/metric-data.ts';
export type { ExpositionOptions } from './export/family-plan.ts';
export type {
  JsonExemplar,
  JsonExponentialBuckets,
  JsonExponentialHistogramPoint,
  JsonHistogramPoint,
  JsonMetric,
  JsonNumber,
  JsonNumberPoint,
  JsonPoint,
  JsonValue,
  MetricsDocument,
} from './export/json.ts';
export type { TranslationStrategy } from './export/prometheus-name.ts';
export type { PrometheusHandler, PrometheusHandlerOptions } from './export/prometheus-handler.ts';
export type { Collectable, ScrapeSource } from './export/scrape-source.ts';
export type { PrometheusServerOptions } from './exporter/options.ts';
export type { OtlpPushOptions, OtlpTlsFiles } from './exporter/otlp-options.ts';
export type { SeqlockMeterProviderOptions } from './facade/meter-provider.ts';
export type { MetricsComparison } from './facade/metrics/comparing-metrics-provider.ts';
export type { MetricDifference } from './facade/metrics/comparing-series.ts';
export type { CreatedMetricsProvider } from './facade/metrics/create-metrics-provider.ts';
export type { HistogramBucket } from './facade/metrics/histogram-stats.ts';
export type { MetricsConfig } from './facade/metrics/metrics-config.ts';
export type {
  CollectedMetrics,
  MetricsCounter,
  MetricsCounterSeries,
  MetricsFamilyOptions,
  MetricsGauge,
  MetricsGaugeSeries,
  MetricsHistogram,
  MetricsHistogramSeries,
  MetricsLabels,
  MetricsLabelValue,
  MetricsMode,
  MetricsProvider,
} from './facade/metrics/metrics-provider.ts';
export type { OperationCost } from './facade/metrics/operation-cost.ts';
export type { SeqlockMetricsProviderOptions } from './facade/metrics/seqlock-metrics-provider.ts';
export type { StandardMetricsProviderOptions } from './facade/metrics/standard-backend.ts';
export type { SecondsRecorder } from './facade/metrics/timer.ts';
export type { SeqlockOptions } from './memory/seqlock.ts';
export type { GaugeOptions } from './sdk/instrument-descriptor.ts';
export type { ExemplarReservoir, OfferedMeasurement, SeqlockViewOptions } from './sdk/view-options.ts';
export type { BoundCounter, BoundRecorder } from './sdk/instruments.ts';
export type { RecordingInstrument, SeqlockMeter } from './sdk/meter.ts';
export type { MetricStoreOptions } from './state/store.ts';
export type { ExporterThread } from './thread/exporter-thread.ts';
export type { ExporterThreadOptions, LastExportOptions } from './thread/options.ts';
