import type { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BaseMetricsProvider } from './base-metrics-provider.ts';
import { StandardBackend, type StandardMetricsProviderOptions } from './standard-backend.ts';

/**
 * The `MetricsProvider` on the official SDK: for comparison, and where there is no shared memory. Each thread
 * has its own values. Every recording goes through an official instrument. The official SDK cannot be read
 * synchronously, so each series also keeps what was passed to it: `value()`, `stats()` and the exports give
 * that.
 */
export class StandardMetricsProvider extends BaseMetricsProvider<StandardBackend> {
  /** On the official SDK. */
  declare readonly mode: 'standard';

  /** @throws OptionError on a wrong option. */
  constructor(options: StandardMetricsProviderOptions = {}) {
    super(new StandardBackend(options));
  }

  /** The official provider that the metrics are recorded to: use it for exporters and further instruments. */
  get meterProvider(): MeterProvider {
    return this.backend.meterProvider;
  }
}
