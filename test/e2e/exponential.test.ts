/** Exponential histograms to a real Collector, bucket by bucket, and through the gateway into Prometheus as native histograms. */
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { nameAndAttributes, type Books, type Values } from './app/account.ts';
import type { AppOptions, Push } from './app/protocol.ts';
import { expectedAt, exponentialPoints, positiveAt, type ExponentialPoint } from './compare/exponential.ts';
import { CUMULATIVE, DELTA } from './compare/otlp-books.ts';
import { compareBooks, compareNumber } from './compare/table.ts';
import { needs } from './programs/programs.ts';
import { withApp } from './servers/app.ts';
import { startFileCollector, type FileCollector } from './servers/collector.ts';
import { startGateway, type GatewayAndPrometheus } from './servers/gateway.ts';
import { scratchFolder } from './servers/scratch.ts';

const FLUSHES = 3;
const SERIES = 3;

function pushing(instance: string, push: Pick<Push, 'protocol' | 'temporality' | 'url'>): AppOptions {
  const { protocol, temporality, url } = push;
  return {
    instance,
    workers: 2,
    outputs: [
      {
        kind: 'otlp',
        protocol,
        temporality,
        url,
        exponential: true,
        intervalMillis: 3_600_000, // only when it is told to
        timeoutMillis: 20_000,
      },
    ],
  };
}

/** Records and pushes some times; gives what was recorded. */
async function recorded(options: AppOptions): Promise<Values> {
  return withApp(options, {}, async (app) => {
    for (let i = 0; i < FLUSHES; i++) {
      await app.ask({ do: 'record', rounds: 500 + i });
      await app.ask({ do: 'flush' });
    }
    return app.ask({ do: 'values' });
  });
}

/** Points of one series as one: the last of cumulative ones, deltas at their coarsest scale added up. */
function together(points: readonly ExponentialPoint[]): ExponentialPoint {
  const last = points.at(-1)!;
  if (last.temporality === CUMULATIVE) return last;
  const scale = Math.min(...points.map((point) => point.scale));
  const positive: Record<number, number> = {};
  for (const point of points)
    for (const [index, count] of Object.entries(positiveAt(scale, point)))
      positive[Number(index)] = (positive[Number(index)] ?? 0) + count;
  const add = (of: (point: ExponentialPoint) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0);
  return {
    ...last,
    scale,
    positive,
    count: add(({ count }) => count),
    sum: add(({ sum }) => sum),
    zeroCount: add(({ zeroCount }) => zeroCount),
    min: Math.min(...points.map(({ min }) => min ?? NaN)), // each interval has its own
    max: Math.max(...points.map(({ max }) => max ?? NaN)),
  };
}

/** Each number under a name of its own. */
function numbersOf({ count, sum, zeroCount, min, max, positive }: ExponentialPoint): Books {
  const buckets = Object.entries(positive).map(([index, times]) => [`bucket ${index}`, times]);
  return {
    ...(Object.fromEntries(buckets) as Books),
    count,
    sum,
    zeroCount,
    min: min ?? NaN,
    max: max ?? NaN,
  };
}

function extremesOf(values: Readonly<Record<number, number>>): { min: number; max: number } {
  const numbers = Object.keys(values).map(Number);
  return { min: Math.min(...numbers), max: Math.max(...numbers) };
}

describe('exponential histograms to a Collector', function () {
  this.timeout(120_000);
  let collector: FileCollector;

  before(async function () {
    needs(this, 'collector');
    collector = await startFileCollector({ folder: scratchFolder() });
  });
  after(() => collector?.stop());

  for (const protocol of ['http/protobuf', 'http/json'] as const)
    for (const temporality of ['cumulative', 'delta'] as const) {
      const what = `exponential, ${protocol}, ${temporality}`;
      it(`${what}: every bucket arrives`, async () => {
        const values = await recorded(pushing(what, { protocol, temporality, url: collector.url }));
        const points = await eventually(async () => {
          const found = exponentialPoints(collector.received(), what);
          return found.length === FLUSHES * SERIES ? found : undefined;
        });
        expect(Object.keys(values).length).to.equal(SERIES);
        for (const [key, ofSeries] of Object.entries(values)) {
          const point = together(points.filter((each) => each.key === key));
          expect(point.temporality).to.equal(temporality === 'delta' ? DELTA : CUMULATIVE);
          expect(point.scale).to.be.within(3, 20);
          const { count, sum, zeroCount, positive } = expectedAt(point.scale, ofSeries);
          const [, { payment }] = nameAndAttributes(key);
          compareBooks(
            'a',
            `${what}, ${String(payment)}`,
            numbersOf({ ...point, count, sum, zeroCount, positive, ...extremesOf(ofSeries) }),
            numbersOf(point),
          );
        }
      });
    }
});

describe('exponential histograms in Prometheus', function () {
  this.timeout(60_000);
  let servers: GatewayAndPrometheus;

  before(async function () {
    needs(this, 'collector', 'prometheus');
    servers = await startGateway(scratchFolder());
  });
  after(() => servers?.stop());

  it('are native histograms of the right count, sum and shape', async () => {
    const { gateway, prometheus } = servers;
    const values = await recorded(
      pushing('native', { protocol: 'http/protobuf', temporality: 'delta', url: gateway.url }),
    );
    for (const [key, ofSeries] of Object.entries(values)) {
      const [, { payment }] = nameAndAttributes(key);
      const series = `order_duration_seconds{payment="${String(payment)}"}`;
      const { count, sum } = expectedAt(0, ofSeries);
      const seen = await eventually(async () =>
        (await prometheus.value(`histogram_count(${series})`)) === count ? count : undefined,
      ).catch(() => prometheus.value(`histogram_count(${series})`));
      compareNumber('c', `native histogram, ${String(payment)}: count`, count, seen!);
      compareNumber(
        'c',
        `native histogram, ${String(payment)}: sum`,
        sum,
        (await prometheus.value(`histogram_sum(${series})`))!,
      );
      const above = Object.entries(ofSeries).reduce(
        (n, [value, times]) => (Number(value) > 4 ? n + times : n),
        0,
      );
      const share = await prometheus.value(`1 - histogram_fraction(-Inf, 4, ${series})`);
      expect(share!).to.be.closeTo(above / count, 1e-9); // 4 is a bound at every scale
    }
  });
});
