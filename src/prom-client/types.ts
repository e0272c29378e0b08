/** The types of prom-client 15.1, under its names. */
export type Charset = 'utf-8';
export type PrometheusMIME = 'text/plain';
export type PrometheusMetricsVersion = '0.0.4';
export type OpenMetricsMIME = 'application/openmetrics-text';
export type OpenMetricsVersion = '1.0.0';
export type OpenMetricsContentType = `${OpenMetricsMIME}; version=${OpenMetricsVersion}; charset=${Charset}`;
export type PrometheusContentType =
  `${PrometheusMIME}; version=${PrometheusMetricsVersion}; charset=${Charset}`;
export type RegistryContentType = PrometheusContentType | OpenMetricsContentType;

/** How values of several threads or processes become one. */
export type Aggregator = 'omit' | 'sum' | 'first' | 'min' | 'max' | 'average';

/** As in prom-client, a type only: at run time `type` is a text such as 'counter'. */
export declare enum MetricType {
  Counter,
  Gauge,
  Histogram,
  Summary,
}

export type Collector = () => void;
export type CollectFunction<T> = (this: T) => void | Promise<void>;
export type LabelValues<T extends string> = Partial<Record<T, string | number>>;

export interface MetricObject {
  name: string;
  help: string;
  type: MetricType;
  aggregator: Aggregator;
  collect: CollectFunction<any>;
}

export interface MetricValue<T extends string> {
  value: number;
  labels: LabelValues<T>;
}

export type MetricValueWithName<T extends string> = MetricValue<T> & { metricName?: string };

export interface MetricObjectWithValues<T extends MetricValue<string>> extends MetricObject {
  values: T[];
}

export interface IncreaseDataWithExemplar<T extends string> {
  value?: number;
  labels?: LabelValues<T>;
  exemplarLabels?: LabelValues<T>;
}

export interface ObserveDataWithExemplar<T extends string> {
  value: number;
  labels?: LabelValues<T>;
  exemplarLabels?: LabelValues<T>;
}

/** What metrics of all classes have. */
export interface Metric<T extends string = string> {
  get(): Promise<MetricObjectWithValues<MetricValue<T>>>;
  labels(labels: LabelValues<T>): object;
  labels(...values: string[]): object;
  reset(): void;
  remove(labels: LabelValues<T>): void;
  remove(...values: string[]): void;
}
