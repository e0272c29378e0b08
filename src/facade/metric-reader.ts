import { MetricReader, type MetricReaderOptions } from '@opentelemetry/sdk-metrics';
import type { SeqlockReadStats } from '../collect/rows/cell-reader.ts';
import type { ResourceMetrics } from '../collect/metric-data.ts';
import type { ExpositionOptions } from '../export/family-plan.ts';
import { columnsOf } from '../export/foreign-metrics.ts';
import { metricsDocument, type MetricsDocument } from '../export/json.ts';
import { observeNext, sourceOf, type SeqlockMetricProducer } from '../export/metric-producer.ts';
import { PrometheusPage } from '../export/prometheus-text.ts';

/**
 * A pull reader of a `SeqlockMeterProvider`. It has `collect()` like every reader, and synchronous reads. All
 * methods belong to the thread that made the reader; they may be called while other threads record.
 */
export class SeqlockMetricReader extends MetricReader {
  readonly #page = new PrometheusPage();
  readonly #hasOtherProducers: boolean;
  #producer: SeqlockMetricProducer | undefined;

  constructor(options?: MetricReaderOptions) {
    super(options);
    this.#hasOtherProducers = (options?.metricProducers?.length ?? 0) > 0;
  }

  /** Called once, by the provider. Throws a `TypeError` if that is not a `SeqlockMeterProvider`. */
  override setMetricProducer(producer: Parameters<MetricReader['setMetricProducer']>[0]): void {
    if (!isSnapshotProducer(producer))
      throw new TypeError(
        'a SeqlockMetricReader works with a SeqlockMeterProvider only; for another provider use a reader of @opentelemetry/sdk-metrics',
      );
    super.setMetricProducer(producer);
    this.#producer = producer;
  }

  /**
   * All metrics of the store as they are now, over all threads. Throws an `Error` if the reader has no
   * provider.
   */
  snapshot(): ResourceMetrics {
    return this.#attached().snapshot();
  }

  /**
   * The Prometheus text (0.0.4) of `snapshot()`, with the names that `createPrometheusHandler` uses.
   * Observable instruments have the values of their latest round, and the call starts the next round. To have
   * callbacks run before, call `await reader.collect()` first, or use the handler. Metrics of the reader's
   * `metricProducers` are in the handler's text only.
   *
   * @throws OptionError on a wrong option. An `Error` if the reader has no provider.
   */
  exportPrometheus(options: ExpositionOptions = {}): string {
    const producer = this.#attached();
    const source = sourceOf(producer);
    // The producer of another copy of the package has no columns.
    const text = this.#page.of(source?.columns() ?? columnsOf(producer.snapshot(), () => {}), options);
    if (source !== undefined) void observeNext(source);
    return text;
  }

  /** `snapshot()` as a plain JSON value; `metricsJsonSchema` describes its form. */
  exportJson(): MetricsDocument {
    return metricsDocument(this.snapshot());
  }

  /** What reading shared memory has cost this reader so far, `collect` and `snapshot` together. */
  readStats(): SeqlockReadStats {
    return this.#attached().readStats();
  }

  /**
   * The producer that the reader reads, for a handler or exporter that takes snapshots itself. Throws an
   * `Error` if the reader has no provider.
   */
  get producer(): SeqlockMetricProducer {
    return this.#attached();
  }

  /**
   * True if `collect` has more than `producer` has: the metrics of the `metricProducers` that the reader was
   * made with.
   */
  get hasOtherProducers(): boolean {
    return this.#hasOtherProducers;
  }

  #attached(): SeqlockMetricProducer {
    if (this.#producer === undefined)
      throw new Error(
        'the reader has no provider yet: pass it as new SeqlockMeterProvider({ readers: [reader] })',
      );
    return this.#producer;
  }

  /** Does nothing: a pull reader holds nothing. */
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  /** Does nothing: a pull reader pushes nothing. */
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** Checks what it can do, not its class: another copy of the package has another class. */
function isSnapshotProducer(
  producer: object,
): producer is SeqlockMetricProducer & Parameters<MetricReader['setMetricProducer']>[0] {
  return typeof (producer as Partial<SeqlockMetricProducer>).snapshot === 'function';
}
