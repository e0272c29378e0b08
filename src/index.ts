export { ExporterThreadError, OptionError, RegionError } from './base/errors.ts';
export { SeqlockMetricProducer } from './collect/metric-producer.ts';
export { SeqlockMetricReader } from './facade/metric-reader.ts';
export { SeqlockMeterProvider } from './facade/meter-provider.ts';
export { metricsJsonSchema } from './export/json-schema.ts';
export { createPrometheusHandler } from './export/prometheus-handler.ts';
export { Seqlock } from './memory/seqlock.ts';
export { bind } from './sdk/bind.ts';
export { MetricStore } from './state/store.ts';
export { startExporterThread } from './thread/exporter-thread.ts';
export type { RegionErrorCode } from './base/errors.ts';
export type { ReadStats } from './collect/cell-reader.ts';
export type { SeqlockMetricProducerOptions } from './collect/metric-producer.ts';
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
export type { JsonMetric, MetricsDocument } from './export/json.ts';
export type { TranslationStrategy } from './export/prometheus-name.ts';
export type { PrometheusHandler, PrometheusHandlerOptions } from './export/prometheus-handler.ts';
export type { Collectable, ScrapeSource } from './export/scrape-source.ts';
export type { SeqlockMeterProviderOptions } from './facade/meter-provider.ts';
export type { SeqlockOptions } from './memory/seqlock.ts';
export type { GaugeOptions } from './sdk/instrument-descriptor.ts';
export type { SeqlockViewOptions } from './sdk/view-options.ts';
export type { BoundCounter, BoundRecorder } from './sdk/instruments.ts';
export type { SeqlockMeter } from './sdk/meter.ts';
export type { MetricStoreOptions } from './state/store.ts';
export type { ExporterThread } from './thread/exporter-thread.ts';
export type {
  ExporterThreadOptions,
  LastExportOptions,
  OtlpPushOptions,
  PrometheusServerOptions,
} from './thread/options.ts';
