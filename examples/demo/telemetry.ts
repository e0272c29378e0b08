/**
 * The setup file, and the only file of the demo that knows of seqlock-metrics. Every thread calls it once,
 * before it makes instruments. The main thread gives readers and so makes the store. A worker gives none and
 * joins that store.
 */
import { metrics } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { randomUUID } from 'node:crypto';
import { isMainThread } from 'node:worker_threads';
import { SeqlockMeterProvider } from 'seqlock-metrics';

export function registerMetrics(readers: readonly IMetricReader[] = []): SeqlockMeterProvider {
  const provider = isMainThread
    ? new SeqlockMeterProvider({
        readers,
        selfMetrics: true,
        // One identity for all threads of the process, and another for each process.
        resource: resourceFromAttributes({
          'service.name': 'checksum-service',
          'service.instance.id': randomUUID(),
        }),
      })
    : new SeqlockMeterProvider();
  metrics.setGlobalMeterProvider(provider);
  return provider;
}
