import type {
  AggregationOption,
  AggregationTemporality,
  AggregationType,
  CollectionResult,
  IMetricReader,
  InstrumentType,
  MetricCollectOptions,
  MetricProducer,
  MetricReaderOptions,
} from '@opentelemetry/sdk-metrics';
import type { SeqlockReadStats } from '../collect/rows/cell-reader.ts';
import { TEMPORALITY_CUMULATIVE, type ResourceMetrics } from '../collect/metric-data.ts';
import type { ExpositionOptions } from '../export/family-plan.ts';
import { columnsOf } from '../export/foreign-metrics.ts';
import { metricsDocument, type MetricsDocument } from '../export/json.ts';
import { observeNext, sourceOf, type SeqlockMetricProducer } from '../export/metric-producer.ts';
import { PrometheusPage } from '../export/prometheus-text.ts';

// As official readers have it. The first is of the official `AggregationType`, which is used as a type only.
const DEFAULT_AGGREGATION = 0 satisfies AggregationType.DEFAULT;
const DEFAULT_CARDINALITY_LIMIT = 2000;

/**
 * A pull reader of a `SeqlockMeterProvider`. It has `collect()` like every reader, and synchronous reads. All
 * methods belong to the thread that made the reader; they may be called while other threads record.
 *
 * It does what the official `MetricReader` does, and is none: a thread that has this reader does not load the
 * package `@opentelemetry/sdk-metrics`, which takes longer than all else that such a thread loads.
 */
export class SeqlockMetricReader implements IMetricReader {
  /** `otel.component.type` in the metrics of the provider's readers (`sdkMetricsEnabled`). */
  readonly otelComponentType: string;
  readonly #options: MetricReaderOptions;
  readonly #producers: readonly MetricProducer[];
  readonly #page = new PrometheusPage();
  #producer: SeqlockMetricProducer | undefined;
  #isShutdown = false;

  constructor(options: MetricReaderOptions = {}) {
    this.#options = options;
    this.#producers = [...(options.metricProducers ?? [])];
    this.otelComponentType = options.otelComponentType ?? this.constructor.name;
  }

  /**
   * Called once, by the provider. Throws a `TypeError` if that is not a `SeqlockMeterProvider`, and an
   * `Error` if the reader has a provider already (specification, MetricReader).
   */
  setMetricProducer(producer: MetricProducer): void {
    if (!isSnapshotProducer(producer))
      throw new TypeError(
        'a SeqlockMetricReader works with a SeqlockMeterProvider only; for another provider use a reader of @opentelemetry/sdk-metrics',
      );
    if (this.#producer !== undefined)
      throw new Error('the reader has a provider already: make a reader for each provider');
    this.#producer = producer;
  }

  /** What the reader was made with; by default the default aggregation. */
  selectAggregation(kind: InstrumentType): AggregationOption {
    return this.#options.aggregationSelector?.(kind) ?? { type: DEFAULT_AGGREGATION };
  }

  /** What the reader was made with; by default cumulative. */
  selectAggregationTemporality(kind: InstrumentType): AggregationTemporality {
    return this.#options.aggregationTemporalitySelector?.(kind) ?? TEMPORALITY_CUMULATIVE;
  }

  /** What the reader was made with; by default 2,000. */
  selectCardinalityLimit(kind: InstrumentType): number {
    return this.#options.cardinalitySelector?.(kind) ?? DEFAULT_CARDINALITY_LIMIT;
  }

  /**
   * Runs callbacks, and resolves to what the store and the reader's `metricProducers` have, and to what
   * failed. Rejects if the reader has no provider or was shut down.
   */
  async collect(options?: MetricCollectOptions): Promise<CollectionResult> {
    const producer = this.#attached();
    if (this.#isShutdown) throw new Error('the reader was shut down, and collects nothing any more');
    const all = await Promise.all([producer, ...this.#producers].map((one) => one.collect(options)));
    return {
      resourceMetrics: {
        resource: all[0]!.resourceMetrics.resource,
        scopeMetrics: all.flatMap(({ resourceMetrics }) => resourceMetrics.scopeMetrics),
      },
      errors: all.flatMap(({ errors }) => errors),
    };
  }

  /** Nothing can be collected any more. A pull reader holds nothing else. */
  shutdown(): Promise<void> {
    this.#isShutdown = true;
    return Promise.resolve();
  }

  /** Does nothing: a pull reader pushes nothing. */
  forceFlush(): Promise<void> {
    return Promise.resolve();
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
   * @throws OptionError on a wrong option. An error with code `E_LENGTH` if the text is longer than a string
   * can be, 512 MB: a handler and an exporter thread send such a text in pieces. An `Error` if the reader has
   * no provider.
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
    return this.#producers.length > 0;
  }

  #attached(): SeqlockMetricProducer {
    if (this.#producer === undefined)
      throw new Error(
        'the reader has no provider yet: pass it as new SeqlockMeterProvider({ readers: [reader] })',
      );
    return this.#producer;
  }
}

/** Checks what it can do, not its class: another copy of the package has another class. */
function isSnapshotProducer(producer: MetricProducer): producer is SeqlockMetricProducer {
  return typeof (producer as Partial<SeqlockMetricProducer>).snapshot === 'function';
}
