import type { MetricColumns } from '../collect/rows/column.ts';
import type { ExpositionOptions } from './family-plan.ts';
import { checkExpositionOptions, PrometheusText } from './prometheus-text.ts';

/**
 * Prometheus text 0.0.4 as a string. The text that was made last is kept, and brought up to date by the next
 * call with equal options.
 */
export class PrometheusPage {
  #text: PrometheusText | undefined;
  #key = '';

  /** Throws an `OptionError` on a wrong option. */
  of(columns: MetricColumns, options: ExpositionOptions): string {
    checkExpositionOptions(options, 'options of exportPrometheus');
    const key = JSON.stringify(options, (_, value: unknown) =>
      value instanceof RegExp ? String(value) : value,
    );
    if (this.#text === undefined || this.#key !== key) {
      this.#text = new PrometheusText({ openMetrics: false, escaping: 'underscores' }, options);
      this.#key = key;
    }
    this.#text.update(columns);
    return this.#text.toString();
  }
}
