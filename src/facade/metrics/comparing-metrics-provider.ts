import { tell } from '../../base/warnings.ts';
import { setSource } from '../../export/metric-producer.ts';
import type { SeqlockMeterProvider } from '../meter-provider.ts';
import { BaseMetricsProvider } from './base-metrics-provider.ts';
import { ComparingBackend } from './comparing-backend.ts';
import type { MetricDifference } from './comparing-series.ts';
import type { OperationCost } from './operation-cost.ts';
import { SeqlockBackend } from './seqlock-backend.ts';
import type { SeqlockMetricsProviderOptions } from './seqlock-metrics-provider.ts';
import { StandardBackend } from './standard-backend.ts';

/** What a `ComparingMetricsProvider` has found. */
export interface MetricsComparison {
  /** How many series both sides have. */
  readonly series: number;
  /** The present differences of the two sides; empty if they agree. */
  readonly differences: readonly MetricDifference[];
  /** The cost of each operation that was used, on each side. */
  readonly costs: readonly OperationCost[];
}

/**
 * Both implementations side by side (founding specification, A/B testing). Everything is recorded to both.
 * Reads and exports use the seqlock side. `comparison` tells where the two differ and what each costs. A call
 * costs the sum of both, and sometimes a look at the clock.
 *
 * The standard side sees one thread only. If several threads record, what the others recorded shows as
 * differences.
 */
export class ComparingMetricsProvider extends BaseMetricsProvider<ComparingBackend> {
  /** Both implementations. */
  declare readonly mode: 'compare';

  /** @throws OptionError on a wrong option; RegionError where there is no shared memory. */
  constructor(options: SeqlockMetricsProviderOptions = {}) {
    const { resource } = options;
    super(
      new ComparingBackend(
        new SeqlockBackend(options),
        new StandardBackend({ ...(resource !== undefined && { resource }) }),
      ),
    );
    setSource(this, this.backend.seqlock.source);
  }

  /** The OpenTelemetry provider of the seqlock side: for readers, exporters and instruments of its own. */
  get meterProvider(): SeqlockMeterProvider {
    return this.backend.seqlock.meterProvider;
  }

  /** What was found so far. Reads every series on both sides. */
  comparison(): MetricsComparison {
    const { backend } = this;
    return { series: backend.size, differences: backend.differences(), costs: backend.costs() };
  }

  /** Reports through `diag` what was found, then ends both sides. */
  override async shutdown(): Promise<void> {
    const { series, differences, costs } = this.comparison();
    const [first] = differences;
    const found =
      first === undefined
        ? 'no differences'
        : `${differences.length} differences, the first in ${first.metric} ${JSON.stringify(first.labels)}: ${first.field} is ${first.seqlock} in seqlock mode and ${first.standard} in standard mode`;
    const nanos = costs.map(
      ({ operation, seqlockNanos, standardNanos }) =>
        `${operation} ${Math.round(seqlockNanos)} and ${Math.round(standardNanos)} ns`,
    );
    tell(
      'info',
      `seqlock-metrics: compared ${series} series in seqlock and standard mode: ${found}. Cost: ${nanos.join(', ')}`,
    );
    await super.shutdown();
  }
}
