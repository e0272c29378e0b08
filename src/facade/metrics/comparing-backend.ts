import type { ExpositionOptions } from '../../export/family-plan.ts';
import type { MetricsDocument } from '../../export/json.ts';
import {
  ComparingCounterSeries,
  ComparingGaugeSeries,
  ComparingHistogramSeries,
  type ComparedSeries,
  type MetricDifference,
} from './comparing-series.ts';
import type { MetricDefinition } from './metric-definition.ts';
import type { MakeSeries, MetricsBackend } from './metrics-backend.ts';
import type {
  CollectedMetrics,
  MetricsCounterSeries,
  MetricsGaugeSeries,
  MetricsHistogramSeries,
} from './metrics-provider.ts';
import { OperationTimer, type OperationCost } from './operation-cost.ts';
import type { SeqlockBackend } from './seqlock-backend.ts';
import type { StandardBackend } from './standard-backend.ts';
import type { ValueGuard } from './value-guard.ts';

/** Both backends at once: everything is recorded to both, and read from the seqlock one. */
export class ComparingBackend implements MetricsBackend {
  readonly mode = 'compare';
  readonly seqlock: SeqlockBackend;
  readonly #standard: StandardBackend;
  readonly #series: ComparedSeries[] = [];
  readonly #timers = new Map<string, OperationTimer>();

  constructor(seqlock: SeqlockBackend, standard: StandardBackend) {
    this.seqlock = seqlock;
    this.#standard = standard;
  }

  counter(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsCounterSeries> {
    const [one, other] = [this.seqlock.counter(definition, guard), this.#standard.counter(definition, guard)];
    return (labels) =>
      this.#noted(new ComparingCounterSeries(this.#timerOf, definition, labels, one(labels), other(labels)));
  }

  gauge(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsGaugeSeries> {
    const [one, other] = [this.seqlock.gauge(definition, guard), this.#standard.gauge(definition, guard)];
    return (labels) =>
      this.#noted(new ComparingGaugeSeries(this.#timerOf, definition, labels, one(labels), other(labels)));
  }

  histogram(definition: MetricDefinition, guard: ValueGuard): MakeSeries<MetricsHistogramSeries> {
    const [one, other] = [
      this.seqlock.histogram(definition, guard),
      this.#standard.histogram(definition, guard),
    ];
    return (labels) =>
      this.#noted(
        new ComparingHistogramSeries(this.#timerOf, definition, labels, one(labels), other(labels)),
      );
  }

  #noted<S extends ComparedSeries>(series: S): S {
    this.#series.push(series);
    return series;
  }

  readonly #timerOf = (operation: string): OperationTimer => {
    let timer = this.#timers.get(operation);
    if (timer === undefined) this.#timers.set(operation, (timer = new OperationTimer(operation)));
    return timer;
  };

  collect(timeoutMillis: number | undefined): Promise<CollectedMetrics> {
    return this.seqlock.collect(timeoutMillis);
  }

  exportPrometheus(options: ExpositionOptions): string {
    return this.#both('exportPrometheus', (side) => side.exportPrometheus(options));
  }

  exportJson(): MetricsDocument {
    return this.#both('exportJson', (side) => side.exportJson());
  }

  /** Exports take long, so each is timed. */
  #both<T>(operation: string, work: (side: MetricsBackend) => T): T {
    const timer = this.#timerOf(operation);
    timer.isTimed();
    return timer.time(
      () => work(this.seqlock),
      () => work(this.#standard),
    );
  }

  differences(): MetricDifference[] {
    return this.#series.flatMap((series) => series.differences());
  }

  costs(): OperationCost[] {
    return [...this.#timers.values()].map((timer) => timer.cost());
  }

  get size(): number {
    return this.#series.length;
  }

  async shutdown(): Promise<void> {
    await Promise.all([this.seqlock.shutdown(), this.#standard.shutdown()]);
  }
}
