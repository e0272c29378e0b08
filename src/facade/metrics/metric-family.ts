import type { Warnings } from '../../base/warnings.ts';
import { HistogramStats } from './histogram-stats.ts';
import { LabelledSeries, NO_LABELS } from './labelled-series.ts';
import type { MetricDefinition } from './metric-definition.ts';
import type { MakeSeries } from './metrics-backend.ts';
import type {
  MetricsCounter,
  MetricsCounterSeries,
  MetricsGauge,
  MetricsGaugeSeries,
  MetricsHistogram,
  MetricsHistogramSeries,
  MetricsLabels,
} from './metrics-provider.ts';

const nothing = (): void => {};

/** A metric: its series by labels. Its own methods use the series without labels. */
abstract class MetricFamily<S> {
  readonly name: string;
  readonly help: string;
  readonly #series: LabelledSeries<S>;
  #unlabelled: S | undefined;

  constructor(definition: MetricDefinition, warnings: Warnings, make: MakeSeries<S>, dropped: S) {
    this.name = definition.name;
    this.help = definition.help;
    this.#series = new LabelledSeries(definition, warnings, make, dropped);
  }

  labels(labels: MetricsLabels): S {
    return this.#series.of(labels);
  }

  protected get unlabelled(): S {
    return (this.#unlabelled ??= this.#series.of(NO_LABELS));
  }
}

export class CounterFamily extends MetricFamily<MetricsCounterSeries> implements MetricsCounter {
  constructor(definition: MetricDefinition, warnings: Warnings, make: MakeSeries<MetricsCounterSeries>) {
    super(definition, warnings, make, { inc: nothing, incBy: nothing, value: () => 0 });
  }

  inc(amount?: number): void {
    this.unlabelled.inc(amount);
  }

  incBy(amount: number): void {
    this.unlabelled.incBy(amount);
  }

  value(): number {
    return this.unlabelled.value();
  }
}

export class GaugeFamily extends MetricFamily<MetricsGaugeSeries> implements MetricsGauge {
  constructor(definition: MetricDefinition, warnings: Warnings, make: MakeSeries<MetricsGaugeSeries>) {
    super(definition, warnings, make, { set: nothing, inc: nothing, dec: nothing, value: () => 0 });
  }

  set(value: number): void {
    this.unlabelled.set(value);
  }

  inc(amount?: number): void {
    this.unlabelled.inc(amount);
  }

  dec(amount?: number): void {
    this.unlabelled.dec(amount);
  }

  value(): number {
    return this.unlabelled.value();
  }
}

export class HistogramFamily extends MetricFamily<MetricsHistogramSeries> implements MetricsHistogram {
  constructor(definition: MetricDefinition, warnings: Warnings, make: MakeSeries<MetricsHistogramSeries>) {
    const stats = (): HistogramStats => HistogramStats.empty(definition.buckets);
    super(definition, warnings, make, { observe: nothing, stats });
  }

  observe(value: number): void {
    this.unlabelled.observe(value);
  }

  stats(): HistogramStats {
    return this.unlabelled.stats();
  }
}
