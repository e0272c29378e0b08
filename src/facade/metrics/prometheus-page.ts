import type { MetricColumns } from '../../collect/snapshot/metric-column.ts';
import { PrometheusText } from '../../export/prometheus-text.ts';

/** Prometheus text of a provider's metrics. Their names are Prometheus names already and stay as they are. */
export class PrometheusPage {
  readonly #text = new PrometheusText(
    { openMetrics: false, escaping: 'underscores' },
    { translationStrategy: 'NoTranslation', withoutScopeInfo: true, withoutTargetInfo: true },
  );

  of(columns: MetricColumns): string {
    this.#text.update(columns);
    return this.#text.toString();
  }
}
