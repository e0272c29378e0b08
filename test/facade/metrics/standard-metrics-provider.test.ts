import { expect } from 'chai';
import * as fc from 'fast-check';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { StandardMetricsProvider, type HistogramValue } from '../../../src/index.ts';
import type { JsonHistogramPoint } from '../../../src/export/json.ts';
import { TestReader } from '../../support/readers.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('StandardMetricsProvider', () => {
  it(`gives at once what the official SDK gives its readers (seed: ${SEED})`, async () => {
    const step = fc.record({
      kind: fc.constantFrom('c', 'g', 'h'),
      value: fc.double({ min: 0, max: 1e6, noNaN: true }),
      set: fc.nat(2),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const reader = new TestReader();
        const metrics = new StandardMetricsProvider({
          readers: [reader],
          resource: { attributes: { app: 'a' } },
        });
        expect(metrics.meterProvider).to.be.instanceOf(MeterProvider);
        const [c, g, h] = [
          metrics.counter('c', 'C'),
          metrics.gauge('g', 'G'),
          metrics.histogram('h', 'H', [10, 1000]),
        ];
        for (const { kind, value, set } of steps) {
          if (kind === 'c') c.labels({ set }).incBy(value);
          else if (kind === 'g') g.labels({ set }).dec(value);
          else h.labels({ set }).observe(value);
        }
        const { resourceMetrics } = await reader.collect();
        const official = resourceMetrics.scopeMetrics.flatMap(({ metrics: all }) =>
          all.map(({ descriptor: { name, description }, dataPoints }) => ({
            name,
            description,
            points: dataPoints.map(({ attributes, value }) =>
              typeof value === 'number'
                ? { attributes, value }
                : {
                    attributes,
                    count: value.count,
                    sum: value.sum,
                    min: value.min,
                    max: value.max,
                    counts: (value as unknown as HistogramValue).buckets.counts,
                  },
            ),
          })),
        );
        const own = metrics.exportJson().scopes.flatMap(({ metrics: all }) =>
          all.map(({ name, description, points }) => ({
            name,
            description,
            points: points.map(({ attributes, ...point }) =>
              'value' in point
                ? { attributes, value: point.value }
                : {
                    attributes,
                    count: point.count,
                    sum: point.sum,
                    min: point.min,
                    max: point.max,
                    counts: (point as JsonHistogramPoint).buckets.map(({ count }) => count),
                  },
            ),
          })),
        );
        expect(own).to.deep.equal(official);
        expect(metrics.exportJson().resource.attributes).to.deep.equal({ app: 'a' });
        await metrics.shutdown();
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('has the official SDK aggregate though nobody reads it', async () => {
    const metrics = new StandardMetricsProvider();
    metrics.counter('c', '').inc();
    await metrics.meterProvider.forceFlush();
    await metrics.shutdown();
    await metrics.meterProvider.shutdown(); // a second time: only warned of
  });
});
