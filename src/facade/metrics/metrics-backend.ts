import type { Attributes } from '@opentelemetry/api';
import type { ExpositionOptions } from '../../export/family-plan.ts';
import type { MetricsDocument } from '../../export/json.ts';
import type { MetricDefinition } from './metric-definition.ts';
import type {
  CollectedMetrics,
  MetricsCounterSeries,
  MetricsGaugeSeries,
  MetricsHistogramSeries,
  MetricsMode,
} from './metrics-provider.ts';
import type { ValueGuard } from './value-guard.ts';

/**
 * Makes the series of one metric. Called once for each set of attributes, by the thread that has the backend.
 */
export type MakeSeries<S> = (attributes: Attributes) => S;

/** What stands behind a `MetricsProvider`: names and labels are settled before they come here. */
export interface MetricsBackend {
  readonly mode: MetricsMode;
  counter(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsCounterSeries>;
  gauge(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsGaugeSeries>;
  histogram(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsHistogramSeries>;
  /** All metrics, after observable callbacks have run. */
  collect(timeoutMillis: number | undefined): Promise<CollectedMetrics>;
  exportPrometheus(options: ExpositionOptions): string;
  exportJson(): MetricsDocument;
  shutdown(): Promise<void>;
}
