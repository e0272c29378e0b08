import type { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BaseMetricsProvider } from './base-metrics-provider.ts';
import { StandardBackend, type StandardMetricsProviderOptions } from './standard-backend.ts';

/**
 * The `MetricsProvider` on the official SDK: for comparison, and where shared memory is not to be had. Each
 * thread has its own values. Every recording goes through an official instrument; since the official SDK
 * cannot be read at once, `value()`, `stats()` and the exports give what was passed to it, which each series
 * keeps.
 */
export class StandardMetricsProvider extends BaseMetricsProvider<StandardBackend> {
  declare readonly mode: 'standard';

  constructor(options: StandardMetricsProviderOptions = {}) {
    super(new StandardBackend(options));
  }

  /** The official provider that the metrics are recorded to: for exporters, and instruments of its own. */
  get meterProvider(): MeterProvider {
    return this.backend.meterProvider;
  }
}
