import { noteRegistry, observeOtherThreads } from './collect-callbacks.ts';
import { metricText } from './metric-text.ts';
import type {
  Metric,
  MetricObject,
  MetricObjectWithValues,
  MetricValue,
  OpenMetricsContentType,
  PrometheusContentType,
  RegistryContentType,
} from './types.ts';

const PROMETHEUS: PrometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS: OpenMetricsContentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** What a registry needs of a metric. Programs also register objects of their own. */
export interface Registrable {
  name: string;
  readonly type?: unknown;
  get(): unknown;
  getForPromString?(): unknown;
  reset?(): void;
}

/** Metrics that are exported together. It belongs to its thread; what the metrics show is of all threads. */
export class Registry<BoundRegistryContentType extends RegistryContentType = PrometheusContentType> {
  static get PROMETHEUS_CONTENT_TYPE(): PrometheusContentType {
    return PROMETHEUS;
  }

  static get OPENMETRICS_CONTENT_TYPE(): OpenMetricsContentType {
    return OPEN_METRICS;
  }

  _metrics: Record<string, Registrable> = {};
  _defaultLabels: object = {};
  _contentType: BoundRegistryContentType;

  /** @throws TypeError for a content type that is none of the two. */
  constructor(regContentType: BoundRegistryContentType = PROMETHEUS as BoundRegistryContentType) {
    if (!isContentType(regContentType))
      throw new TypeError(`Content type ${regContentType as string} is unsupported`);
    this._contentType = regContentType;
    noteRegistry(this);
  }

  getMetricsAsArray(): MetricObject[] {
    return Object.values(this._metrics) as never;
  }

  async getMetricsAsString(metric: Registrable): Promise<string> {
    const data: unknown =
      typeof metric.getForPromString === 'function' ? await metric.getForPromString() : await metric.get();
    return metricText(data as never, this._defaultLabels, this.#isOpenMetrics);
  }

  get #isOpenMetrics(): boolean {
    return this.contentType === OPEN_METRICS;
  }

  /** All metrics as text. */
  async metrics(): Promise<string> {
    const others = observeOtherThreads();
    if (others !== undefined) await others;
    const isOpenMetrics = this.#isOpenMetrics;
    const texts = await Promise.all(
      Object.values(this._metrics).map((metric) => {
        if (isOpenMetrics && metric.type === 'counter') metric.name = metric.name.replace(/_total$/, '');
        return this.getMetricsAsString(metric);
      }),
    );
    return isOpenMetrics ? `${texts.join('\n')}\n# EOF\n` : `${texts.join('\n\n')}\n`;
  }

  /** @throws Error if there is another metric of that name. */
  registerMetric<T extends string>(metric: Metric<T>): void {
    // prom-client's type of metrics, which is public, has none of what every metric has in fact.
    const registrable = metric as unknown as Registrable;
    const { name } = registrable;
    if (this._metrics[name] && this._metrics[name] !== registrable)
      throw new Error(`A metric with the name ${name} has already been registered.`);
    this._metrics[name] = registrable;
  }

  /** Removes all metrics and default labels. */
  clear(): void {
    this._metrics = {};
    this._defaultLabels = {};
  }

  async getMetricsAsJSON(): Promise<MetricObjectWithValues<MetricValue<string>>[]> {
    const others = observeOtherThreads();
    if (others !== undefined) await others;
    const items = (await Promise.all(
      Object.values(this._metrics).map((metric) => metric.get()),
    )) as JsonMetric[];
    const defaults = Object.entries(this._defaultLabels);
    if (defaults.length > 0)
      for (const { values } of items)
        for (const value of values ?? []) {
          const labels = { ...value.labels };
          for (const [name, label] of defaults) labels[name] = labels[name] || label;
          value.labels = labels;
        }
    return items as never;
  }

  removeSingleMetric(name: string): void {
    delete this._metrics[name];
  }

  getSingleMetricAsString(name: string): Promise<string> {
    return this.getMetricsAsString(this._metrics[name]!);
  }

  getSingleMetric<T extends string>(name: string): Metric<T> | undefined {
    // As above, and callers name the labels: nothing here knows them.
    return this._metrics[name] as unknown as Metric<T> | undefined;
  }

  /** Labels that all series of this registry get unless they have them. */
  setDefaultLabels(labels: object): void {
    this._defaultLabels = labels;
  }

  resetMetrics(): void {
    for (const metric of Object.values(this._metrics)) metric.reset!();
  }

  get contentType(): BoundRegistryContentType {
    return this._contentType;
  }

  /** @throws Error for a content type that is none of the two. */
  setContentType(contentType: BoundRegistryContentType): void {
    if (!isContentType(contentType)) throw new Error(`Content type ${contentType as string} is unsupported`);
    this._contentType = contentType;
  }

  /** @throws Error if the registries differ in content type, or two metrics have one name. */
  static merge(registers: Registry<any>[]): Registry<any> {
    const { contentType } = registers[0]!;
    for (const registry of registers)
      if (registry.contentType !== contentType)
        throw new Error('Registers can only be merged if they have the same content type');
    const merged = new Registry<RegistryContentType>(contentType);
    for (const registry of registers)
      for (const metric of Object.values(registry._metrics)) merged.registerMetric(metric as never);
    return merged;
  }
}

interface JsonMetric {
  readonly values?: { labels: Record<string, unknown> }[];
}

function isContentType(type: unknown): boolean {
  return type === PROMETHEUS || type === OPEN_METRICS;
}

/** The registry that metrics are registered with by default. */
export const globalRegistry: Registry = new Registry();
