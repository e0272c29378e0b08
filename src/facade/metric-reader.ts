import { MetricReader } from '@opentelemetry/sdk-metrics';
import type { ReadStats } from '../collect/rows/cell-reader.ts';
import type { ResourceMetrics } from '../collect/metric-data.ts';
import type { ExpositionOptions } from '../export/family-plan.ts';
import { columnsOf } from '../export/foreign-metrics.ts';
import { metricsDocument, type MetricsDocument } from '../export/json.ts';
import { sourceOf, type SeqlockMetricProducer } from '../export/metric-producer.ts';
import { checkExpositionOptions, PrometheusText } from '../export/prometheus-text.ts';

/**
 * A pull reader of a `SeqlockMeterProvider`: `collect()` as every reader has it, and synchronous reads beside it.
 * All methods belong to the thread that made the reader; they may be called while other threads record.
 */
export class SeqlockMetricReader extends MetricReader {
  #text: PrometheusText | undefined;
  #textKey = '';
  #producer: SeqlockMetricProducer | undefined;

  /** Called once, by the provider. Throws when that is not a `SeqlockMeterProvider`. */
  override setMetricProducer(producer: Parameters<MetricReader['setMetricProducer']>[0]): void {
    if (!isSnapshotProducer(producer))
      throw new TypeError(
        'SeqlockMetricReader reads a SeqlockMeterProvider; for another provider use a reader of @opentelemetry/sdk-metrics',
      );
    super.setMetricProducer(producer);
    this.#producer = producer;
  }

  /** All metrics of the store as they are now, over all threads. Throws when no provider has the reader. */
  snapshot(): ResourceMetrics {
    return this.#attached().snapshot();
  }

  /**
   * The Prometheus text (0.0.4) of `snapshot()`. Each call with other options makes a text of its own; the one made last is kept
   * and only brought up to date by the next call with equal options.
   */
  exportPrometheus(options: ExpositionOptions = {}): string {
    checkExpositionOptions(options, 'options of exportPrometheus');
    const producer = this.#attached();
    const key = JSON.stringify(options, (_, value: unknown) =>
      value instanceof RegExp ? String(value) : value,
    );
    if (this.#text === undefined || this.#textKey !== key) {
      this.#text = new PrometheusText({ openMetrics: false, escaping: 'underscores' }, options);
      this.#textKey = key;
    }
    // Of a provider of another copy of the package there are no columns.
    this.#text.update(sourceOf(producer)?.columns() ?? columnsOf(producer.snapshot(), () => {}));
    return this.#text.toString();
  }

  /** `snapshot()` as a plain JSON value, whose form `metricsJsonSchema` describes. */
  exportJson(): MetricsDocument {
    return metricsDocument(this.snapshot());
  }

  /** What reading shared memory has cost this reader so far, `collect` and `snapshot` together. */
  readStats(): ReadStats {
    return this.#attached().readStats();
  }

  /** What the reader reads: for a handler or exporter that takes snapshots itself. Throws when no provider has the reader. */
  get producer(): SeqlockMetricProducer {
    return this.#attached();
  }

  #attached(): SeqlockMetricProducer {
    if (this.#producer === undefined)
      throw new Error('the reader belongs to no provider: pass it in readers of new SeqlockMeterProvider');
    return this.#producer;
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** By what it can do and not by its class, which another copy of the package would have too. */
function isSnapshotProducer(
  producer: object,
): producer is SeqlockMetricProducer & Parameters<MetricReader['setMetricProducer']>[0] {
  return typeof (producer as Partial<SeqlockMetricProducer>).snapshot === 'function';
}
