import { setSource } from '../../export/metric-producer.ts';
import type { SeqlockReadStats } from '../../collect/rows/cell-reader.ts';
import type { SeqlockMeterProvider, SeqlockMeterProviderOptions } from '../meter-provider.ts';
import { BaseMetricsProvider } from './base-metrics-provider.ts';
import { SeqlockBackend } from './seqlock-backend.ts';

/**
 * Options of the `SeqlockMeterProvider` behind the metrics. Views are not accepted, because they would change
 * what is read here.
 */
export type SeqlockMetricsProviderOptions = Omit<SeqlockMeterProviderOptions, 'views'>;

/**
 * The `MetricsProvider` on shared memory. Its metrics are instruments of a `SeqlockMeterProvider`; `value()`
 * and `stats()` read them synchronously, over all threads of the store. A worker that makes one joins the
 * store of its parent thread.
 *
 * Belongs to the thread that made it; each thread makes its own.
 */
export class SeqlockMetricsProvider extends BaseMetricsProvider<SeqlockBackend> {
  /** On shared memory. */
  declare readonly mode: 'seqlock';

  /**
   * @throws OptionError on a wrong option; RegionError where there is no shared memory, or the store of
   * another thread cannot be used.
   */
  constructor(options: SeqlockMetricsProviderOptions = {}) {
    super(new SeqlockBackend(options));
    setSource(this, this.backend.source);
  }

  /** The OpenTelemetry provider behind the metrics: use it for readers, exporters and further instruments. */
  get meterProvider(): SeqlockMeterProvider {
    return this.backend.meterProvider;
  }

  /** What `value()` and `stats()` have cost so far, over all metrics of this provider. */
  readStats(): SeqlockReadStats {
    return this.backend.readers.stats();
  }
}
