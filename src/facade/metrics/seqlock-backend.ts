import { type Meter } from '@opentelemetry/api';
import { tellOfLoss } from '../../base/warnings.ts';
import { BY_NAME_SCOPE } from '../../base/by-name-scope.ts';
import { OptionError } from '../../base/errors.ts';
import { MetricSource } from '../../collect/metric-source.ts';
import { SeriesReaders, type SeriesReader } from '../../collect/series-reader.ts';
import { readerOf } from '../../collect/directory/store-reader.ts';
import type { ExpositionOptions } from '../../export/family-plan.ts';
import { DataPoints } from '../../export/data-points.ts';
import { metricsDocument, type MetricsDocument } from '../../export/json.ts';
import { observeNext } from '../../export/metric-producer.ts';
import { PrometheusPage } from '../../export/prometheus-text.ts';
import { bind } from '../../sdk/bind.ts';
import { canonicalAttributes } from '../../state/attributes.ts';
import type { StreamDescription } from '../../state/records.ts';
import type { SharedValueStream } from '../../state/shared-value-stream.ts';
import { writerOf } from '../../state/store-writer.ts';
import { SeqlockMeterProvider, type SeqlockMeterProviderOptions } from '../meter-provider.ts';
import type { MetricDefinition } from './metric-definition.ts';
import type { MakeSeries, MetricsBackend } from './metrics-backend.ts';
import type {
  CollectedMetrics,
  MetricsCounterSeries,
  MetricsGaugeSeries,
  MetricsHistogramSeries,
} from './metrics-provider.ts';
import { SeqlockCounterSeries, SeqlockGaugeSeries, SeqlockHistogramSeries } from './seqlock-series.ts';
import type { ValueGuard } from './value-guard.ts';

/** If no reader of the store sets another one (specification, cardinality limits). */
const DEFAULT_CARDINALITY_LIMIT = 2000;

type Attributes = Parameters<MakeSeries<unknown>>[0];

/** Metrics as OpenTelemetry instruments of a `SeqlockMeterProvider`, read from its store one by one. */
export class SeqlockBackend implements MetricsBackend {
  readonly mode = 'seqlock';
  readonly meterProvider: SeqlockMeterProvider;
  readonly readers: SeriesReaders;
  readonly #meter: Meter;
  /** All metrics of the store, also those of other meters. */
  readonly source: MetricSource;
  readonly #points = new DataPoints();
  readonly #page = new PrometheusPage();

  constructor(options: SeqlockMeterProviderOptions) {
    if (options?.views !== undefined)
      throw new OptionError(
        'views of a metrics provider',
        options.views,
        'left out: views would change what value() and stats() return',
      );
    this.meterProvider = new SeqlockMeterProvider(options);
    const { store } = this.meterProvider;
    this.#meter = this.meterProvider.getMeter(BY_NAME_SCOPE);
    this.readers = new SeriesReaders(readerOf(store.region));
    this.source = new MetricSource(store);
    this.#warnOfUnreadableHistograms();
  }

  #warnOfUnreadableHistograms(): void {
    const { store } = this.readers;
    store.refresh();
    const choices = store.configuration?.selections.HISTOGRAM ?? [];
    if (
      choices.length > 0 &&
      choices.every(({ type }) => type !== 'default' && type !== 'explicit-bucket-histogram')
    )
      tellOfLoss(
        'warn',
        `seqlock-metrics: the readers of the store select the aggregation ${choices[0]!.type} for histograms, from which stats() cannot be computed: it returns no values. Give the metrics provider a store of its own, or a reader with the default aggregation`,
      );
  }

  counter(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsCounterSeries> {
    const { name, help } = definition;
    const instrument = this.#meter.createCounter(name, { description: help });
    return (attributes) =>
      new SeqlockCounterSeries(bind(instrument, attributes), this.#readerOf(name, 'sum', attributes), guard);
  }

  gauge(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsGaugeSeries> {
    const { name } = definition;
    const stream = this.#sharedGauge(definition);
    return (attributes) =>
      new SeqlockGaugeSeries(stream.bind(attributes), this.#readerOf(name, 'last-value', attributes), guard);
  }

  histogram(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsHistogramSeries> {
    const { name, help, buckets } = definition;
    const advice = { explicitBucketBoundaries: [...buckets] };
    const instrument = this.#meter.createHistogram(name, { description: help, advice });
    return (attributes) =>
      new SeqlockHistogramSeries(
        bind(instrument, attributes),
        this.#readerOf(name, 'explicit-bucket-histogram', attributes),
        guard,
        buckets,
      );
  }

  /**
   * OpenTelemetry's gauge has no `inc`. This is a stream of the same kind that all threads may also add to.
   */
  #sharedGauge({ name, help }: MetricDefinition): SharedValueStream {
    const { region } = this.meterProvider.store;
    const configuration = readerOf(region).configuration;
    return writerOf(region).sharedValueStream(
      {
        scope: { name: BY_NAME_SCOPE, version: '', schemaUrl: undefined },
        name,
        description: help,
        unit: '',
        kind: 'GAUGE',
        integer: false,
        aggregation: { type: 'last-value' },
        merge: 'shared',
        created: region.takeTime(),
        selection: undefined,
      },
      configuration?.cardinalityLimits.GAUGE ?? DEFAULT_CARDINALITY_LIMIT,
    );
  }

  #readerOf(
    name: string,
    type: StreamDescription['aggregation']['type'],
    attributes: Attributes,
  ): SeriesReader {
    const lowerName = name.toLowerCase();
    return this.readers.reader({
      scope: BY_NAME_SCOPE,
      isStream: (stream) => stream.name.toLowerCase() === lowerName && stream.aggregation.type === type,
      attributes: canonicalAttributes(attributes, () => {}),
    });
  }

  async collect(timeoutMillis: number | undefined): Promise<CollectedMetrics> {
    const { taken, errors } = await this.source.collect(timeoutMillis, this.#points);
    return { resourceMetrics: taken, errors };
  }

  exportPrometheus(options: ExpositionOptions): string {
    const text = this.#page.of(this.source.columns(), options);
    void observeNext(this.source);
    return text;
  }

  exportJson(): MetricsDocument {
    return metricsDocument(this.source.read(this.#points));
  }

  shutdown(): Promise<void> {
    return this.meterProvider.shutdown();
  }
}
