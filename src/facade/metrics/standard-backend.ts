import { BY_NAME_SCOPE } from '../../base/by-name-scope.ts';
import type { Meter } from '@opentelemetry/api';
import type { IMetricReader, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { withoutContext } from '../../base/no-context.ts';
import { table, type Check } from '../../base/options.ts';
import { columnsOf } from '../../export/foreign-metrics.ts';
import * as metricData from '../../collect/metric-data.ts';
import { hrTimeOf } from '../../collect/hr-time.ts';
import type { ExpositionOptions } from '../../export/family-plan.ts';
import { metricsDocument, type MetricsDocument } from '../../export/json.ts';
import { PrometheusPage } from '../../export/prometheus-text.ts';
import { BucketFinder } from '../../state/bucket-finder.ts';
import { officialSdk } from '../official-sdk.ts';
import { checkReaders } from '../readers.ts';
import { checkResource, defaultResource, type ProviderResource } from '../resource.ts';
import type { MetricDefinition } from './metric-definition.ts';
import type { MakeSeries, MetricsBackend } from './metrics-backend.ts';
import type {
  CollectedMetrics,
  MetricsCounterSeries,
  MetricsGaugeSeries,
  MetricsHistogramSeries,
} from './metrics-provider.ts';
import {
  latestTime,
  StandardCounterSeries,
  StandardGaugeSeries,
  StandardHistogramSeries,
  type StandardSeries,
} from './standard-series.ts';
import type { ValueGuard } from './value-guard.ts';

/** Options of the official `MeterProvider` behind the metrics. */
export interface StandardMetricsProviderOptions {
  /** What the metrics are about. Default: `service.name` and `telemetry.sdk.*`. */
  readonly resource?: ProviderResource;
  /** Readers of the official `MeterProvider` behind the metrics. */
  readonly readers?: readonly IMetricReader[];
}

const CHECK: Check = table<StandardMetricsProviderOptions>(
  { resource: checkResource, readers: checkReaders },
  { prefix: '' },
);

/** The official SDK aggregates for its readers only. Without one, a recording would do nothing. */
function idleReader(Reader: typeof MetricReader): MetricReader {
  return new (class extends Reader {
    protected override async onShutdown(): Promise<void> {}
    protected override async onForceFlush(): Promise<void> {}
  })();
}

interface StandardMetric {
  readonly definition: MetricDefinition;
  readonly series: StandardSeries<unknown>[];
}

const KINDS = { counter: 'COUNTER', gauge: 'GAUGE', histogram: 'HISTOGRAM' } as const;
const POINT_TYPES = {
  counter: metricData.DATA_POINT_SUM,
  gauge: metricData.DATA_POINT_GAUGE,
  histogram: metricData.DATA_POINT_HISTOGRAM,
} as const;
const DOUBLE = 1; // of the API's ValueType

/** Metrics as instruments of the official SDK, which belong to one thread. */
export class StandardBackend implements MetricsBackend {
  readonly mode = 'standard';
  readonly meterProvider: MeterProvider;
  readonly #meter: Meter;
  readonly #resource: ProviderResource;
  readonly #metrics: StandardMetric[] = [];
  readonly #page = new PrometheusPage();

  constructor(options: StandardMetricsProviderOptions) {
    CHECK(options, 'options of StandardMetricsProvider');
    const { resource, readers = [] } = options;
    this.#resource = resource ?? defaultResource();
    const sdk = officialSdk();
    this.meterProvider = withoutContext(
      () =>
        new sdk.MeterProvider({
          // The official type demands a Resource of @opentelemetry/resources; only its attributes are used.
          ...(resource !== undefined && { resource: resource as never }),
          readers: readers.length > 0 ? [...readers] : [idleReader(sdk.MetricReader)],
        }),
    );
    this.#meter = this.meterProvider.getMeter(BY_NAME_SCOPE);
  }

  counter(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsCounterSeries> {
    const instrument = this.#meter.createCounter(definition.name, { description: definition.help });
    const add = this.#list(definition);
    return (attributes) => add(new StandardCounterSeries(instrument, attributes, guard));
  }

  gauge(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsGaugeSeries> {
    const instrument = this.#meter.createGauge(definition.name, { description: definition.help });
    const add = this.#list(definition);
    return (attributes) => add(new StandardGaugeSeries(instrument, attributes, guard));
  }

  histogram(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsHistogramSeries> {
    const { name, help, buckets } = definition;
    const advice = { explicitBucketBoundaries: [...buckets] };
    const instrument = this.#meter.createHistogram(name, { description: help, advice });
    const finder = new BucketFinder(buckets);
    const add = this.#list(definition);
    return (attributes) => add(new StandardHistogramSeries(instrument, attributes, guard, buckets, finder));
  }

  /** Registers a metric. The returned function registers its series. */
  #list(definition: MetricDefinition): <S extends StandardSeries<unknown>>(series: S) => S {
    const metric: StandardMetric = { definition, series: [] };
    this.#metrics.push(metric);
    return (series) => {
      metric.series.push(series);
      return series;
    };
  }

  async collect(): Promise<CollectedMetrics> {
    return { resourceMetrics: this.#snapshot(), errors: [] };
  }

  exportPrometheus(options: ExpositionOptions): string {
    return this.#page.of(
      columnsOf(this.#snapshot(), () => {}),
      options,
    );
  }

  exportJson(): MetricsDocument {
    return metricsDocument(this.#snapshot());
  }

  #snapshot(): metricData.ResourceMetrics {
    const endTime = hrTimeOf(latestTime());
    const metrics = this.#metrics
      .map((metric) => metricOf(metric, endTime))
      .filter(({ dataPoints }) => dataPoints.length > 0);
    const scope = { name: BY_NAME_SCOPE, version: '', schemaUrl: undefined };
    return {
      resource: { attributes: this.#resource.attributes },
      scopeMetrics: metrics.length > 0 ? [{ scope, metrics }] : [],
    };
  }

  shutdown(): Promise<void> {
    return this.meterProvider.shutdown();
  }
}

function metricOf(
  { definition, series }: StandardMetric,
  endTime: metricData.DataPoint<number>['endTime'],
): metricData.Metric {
  const { kind, name, help } = definition;
  const dataPoints: metricData.DataPoint<unknown>[] = [];
  for (const one of series) {
    const value = one.exported();
    if (value !== undefined)
      dataPoints.push({ startTime: one.start, endTime, attributes: one.attributes, value });
  }
  return {
    descriptor: { name, description: help, unit: '', type: KINDS[kind], valueType: DOUBLE },
    aggregationTemporality: metricData.TEMPORALITY_CUMULATIVE,
    dataPointType: POINT_TYPES[kind],
    ...(kind === 'counter' && { isMonotonic: true }),
    dataPoints,
  } as metricData.Metric;
}
