import { Warnings } from '../../base/warnings.ts';
import { performance } from '../../base/platform.ts';
import type { ExpositionOptions } from '../../export/family-plan.ts';
import type { MetricsDocument } from '../../export/json.ts';
import { FamilyRegistry } from './family-registry.ts';
import { CounterFamily, GaugeFamily, HistogramFamily } from './metric-family.ts';
import { defineMetric } from './metric-definition.ts';
import type { MetricsBackend } from './metrics-backend.ts';
import type {
  CollectedMetrics,
  MetricsCounter,
  MetricsFamilyOptions,
  MetricsGauge,
  MetricsHistogram,
  MetricsMode,
  MetricsProvider,
} from './metrics-provider.ts';
import { ValueGuard } from './value-guard.ts';

/** What all providers have in common: names, labels and checks. */
export abstract class BaseMetricsProvider<B extends MetricsBackend> implements MetricsProvider {
  readonly mode: MetricsMode;
  readonly exposition: ExpositionOptions = { targetInfoEnabled: false };
  protected readonly backend: B;
  readonly #warnings: Warnings = new Warnings();
  readonly #registry: FamilyRegistry = new FamilyRegistry(this.#warnings);
  readonly #started = performance.now();

  constructor(backend: B) {
    this.backend = backend;
    this.mode = backend.mode;
  }

  counter<L extends string = string>(
    name: string,
    help: string,
    options?: MetricsFamilyOptions<L>,
  ): MetricsCounter<L> {
    const definition = defineMetric('counter', name, help, options);
    return this.#registry.family(definition, () => {
      const make = this.backend.counter(definition, new ValueGuard(definition, this.#warnings));
      return new CounterFamily(definition, this.#warnings, make);
    });
  }

  gauge<L extends string = string>(
    name: string,
    help: string,
    options?: MetricsFamilyOptions<L>,
  ): MetricsGauge<L> {
    const definition = defineMetric('gauge', name, help, options);
    return this.#registry.family(definition, () => {
      const make = this.backend.gauge(definition, new ValueGuard(definition, this.#warnings));
      return new GaugeFamily(definition, this.#warnings, make);
    });
  }

  histogram<L extends string = string>(
    name: string,
    help: string,
    buckets?: readonly number[],
    options?: MetricsFamilyOptions<L>,
  ): MetricsHistogram<L> {
    const definition = defineMetric('histogram', name, help, options, buckets);
    return this.#registry.family(definition, () => {
      const make = this.backend.histogram(definition, new ValueGuard(definition, this.#warnings));
      return new HistogramFamily(definition, this.#warnings, make);
    });
  }

  /** For `createPrometheusHandler`, and readers of other SDKs. */
  collect({ timeoutMillis }: { readonly timeoutMillis?: number } = {}): Promise<CollectedMetrics> {
    return this.backend.collect(timeoutMillis);
  }

  exportPrometheus(options: ExpositionOptions = {}): string {
    return this.backend.exportPrometheus({ ...this.exposition, ...options });
  }

  exportJson(): MetricsDocument {
    return this.backend.exportJson();
  }

  uptimeSeconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  shutdown(): Promise<void> {
    return this.backend.shutdown();
  }
}
