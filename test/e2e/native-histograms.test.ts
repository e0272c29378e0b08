/** Real Prometheus servers read native histograms of the protobuf format, and classic ones made of the same, and are asked what they have. */
import { ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { AggregationType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPrometheusHandler, SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { exactIndex } from '../support/exact-index.ts';
import { eventually } from '../support/eventually.ts';
import { missing, needs, pathOf } from './programs/programs.ts';
import { startPrometheus, type Prometheus } from './servers/prometheus.ts';
import { scratchFolder } from './servers/scratch.ts';

const COUNT = 2000;
/** Durations over four decades, ascending. */
const VALUES = Array.from({ length: COUNT }, (_, i) => 0.001 * 10 ** ((4 * i) / COUNT));
const SUM = VALUES.reduce((sum, value) => sum + value, 0);

/** Recorded in a span each. Two have one classic bucket, which has one exemplar. */
const TRACED = [5, 7, 0.001].map((value, i) => ({ value, traceId: `${i + 1}`.padStart(32, 'a') }));

const PROGRAMS = ['prometheus 2', 'prometheus'] as const;
/** How each is told to read native histograms. */
const SETTINGS: Readonly<Record<(typeof PROGRAMS)[number], { flags: string[]; config: string }>> = {
  'prometheus 2': { flags: ['--enable-feature=native-histograms'], config: '' },
  prometheus: {
    flags: ['--enable-feature=exemplar-storage'],
    config: '    scrape_native_histograms: true\n',
  },
};

describe('native histograms in real Prometheus servers', function () {
  this.timeout(120_000);
  let provider: SeqlockMeterProvider;
  let reader: SeqlockMetricReader;
  let endpoint: Server;
  let target: string;

  before(async () => {
    reader = new SeqlockMetricReader({
      aggregationSelector: () => ({ type: AggregationType.EXPONENTIAL_HISTOGRAM }),
    });
    provider = new SeqlockMeterProvider({ readers: [reader] });
    const meter = provider.getMeter('scope');
    const took = meter.createHistogram('took', { unit: 's' });
    for (const value of VALUES) took.record(value, { route: '/a' });
    for (const value of [0, 0, 5]) took.record(value, { route: '/zero' });
    for (const { value, traceId } of TRACED) {
      const span = { traceId, spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED };
      took.record(value, { route: '/traced' }, trace.setSpanContext(ROOT_CONTEXT, span));
    }
    const level = meter.createUpDownCounter('level');
    for (const value of [-8, -1, 0, 3]) level.add(value);
    const handler = createPrometheusHandler(reader);
    endpoint = createServer((request, response) => void handler(request, response));
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    target = `127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
  });
  after(async () => {
    endpoint.close();
    await provider.shutdown();
  });

  /** The bucket a value is in, by what the snapshot's scale comes to as a schema. */
  function bucketOf(value: number): [number, number] {
    const metrics = reader.snapshot().scopeMetrics[0]!.metrics;
    const { scale } = metrics[0]!.dataPoints[0]!.value as { scale: number };
    const schema = Math.min(scale, 8);
    const index = exactIndex(value, schema);
    return [2 ** (index / 2 ** schema), 2 ** ((index + 1) / 2 ** schema)];
  }

  for (const program of PROGRAMS)
    describe(program, () => {
      let server: Prometheus;

      before(async function () {
        needs(this, program);
        const { flags, config } = SETTINGS[program];
        server = await startPrometheus({
          program,
          folder: scratchFolder(),
          flags,
          config: `scrape_configs:\n  - job_name: native\n    scrape_interval: 1s\n${config}    static_configs:\n      - targets: ['${target}']\n`,
        });
        await eventually(async () => server.value('up == 1'), 30_000);
      });
      after(() => server?.stop());

      it('has every measurement, and no more', async () => {
        expect(await server.value('histogram_count(took_seconds{route="/a"})')).to.equal(COUNT);
        expect(await server.value('histogram_sum(took_seconds{route="/a"})')).to.be.closeTo(SUM, SUM * 1e-12);
        expect(await server.value('histogram_count(took_seconds{route="/zero"})')).to.equal(3);
        // Without a sum there is no native histogram, but there are classic buckets.
        expect(await server.value('level_count')).to.equal(4);
        expect(await server.value('level_bucket{le=~"0(.0)?"}')).to.equal(3);
        expect(await server.value('level_sum == level_sum or vector(-1)')).to.equal(-1);
        expect((await server.targets()).map(({ lastError }) => lastError)).to.deep.equal(['']);
      });

      if (program === 'prometheus')
        it('has the exemplars of a native histogram', async () => {
          const query = encodeURIComponent('took_seconds{route="/traced"}');
          const url = `${server.url}/api/v1/query_exemplars?query=${query}&start=0&end=${Date.now() / 1000 + 60}`;
          const { data } = (await (await fetch(url)).json()) as {
            data: { exemplars: { labels: Record<string, string>; value: string }[] }[];
          };
          const found = data.flatMap(({ exemplars }) => exemplars);
          expect(
            found.map(({ labels, value }) => ({ value: Number(value), traceId: labels['trace_id'] })),
          ).to.have.deep.members(TRACED);
        });

      it('answers quantiles from the bucket that the value is in', async () => {
        for (const quantile of [0.01, 0.25, 0.5, 0.9, 0.99]) {
          const answer = await server.value(`histogram_quantile(${quantile}, took_seconds{route="/a"})`);
          const [low, high] = bucketOf(VALUES[Math.ceil(quantile * COUNT) - 1]!);
          expect(answer, `quantile ${quantile}`).to.be.within(low * (1 - 1e-9), high * (1 + 1e-9));
        }
        // Two of three are zeros.
        expect(await server.value('histogram_quantile(0.5, took_seconds{route="/zero"})')).to.be.within(
          0,
          1e-127,
        );
      });
    });

  it('promtool finds nothing wrong with the classic buckets, and they count the same', async function () {
    needs(this, 'promtool');
    const text = reader.exportPrometheus();
    const { stderr, status } = spawnSync(pathOf('promtool'), ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    // 3: readable, with advice on the names of this test.
    expect(status, stderr).to.be.oneOf([0, 3]);
    const counts = [...text.matchAll(/^took_seconds_bucket\{.*route="\/a",le="([^"]+)"\} (\d+)$/gm)];
    expect(counts.length).to.be.greaterThan(13); // four decades are 13 octaves
    for (const [, bound, count] of counts)
      expect(Number(count), bound).to.equal(
        VALUES.filter((value) => value <= (bound === '+Inf' ? Infinity : Number(bound))).length,
      );
  });

  it('a server without native histograms has the classic ones', async function () {
    needs(this, 'prometheus 2');
    expect(missing(['prometheus 2'])).to.equal(undefined);
    const server = await startPrometheus({
      program: 'prometheus 2',
      folder: scratchFolder(),
      config: `scrape_configs:\n  - job_name: classic\n    scrape_interval: 1s\n    static_configs:\n      - targets: ['${target}']\n`,
    });
    try {
      await eventually(async () => server.value('up == 1'), 30_000);
      expect(await server.value('took_seconds_count{route="/a"}')).to.equal(COUNT);
      const median = await server.value('histogram_quantile(0.5, took_seconds_bucket{route="/a"})');
      const power = 2 ** Math.ceil(Math.log2(VALUES[COUNT / 2 - 1]!));
      expect(median).to.be.within(power / 2, power);
    } finally {
      await server.stop();
    }
  });
});
