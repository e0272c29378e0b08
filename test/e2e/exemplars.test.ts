/**
 * A real Prometheus server scrapes exemplars as OpenMetrics and as protobuf, and is asked for them. Needs `prometheus` (Debian: apt-get install
 * prometheus). Without it it is skipped, and fails where CI=true.
 */
import { context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../examples/demo/free-port.ts';
import { createPrometheusHandler, SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { start, type RunningProgram } from '../support/program.ts';

/** What `/api/v1/query_exemplars` answers. */
interface Answer {
  readonly data: readonly {
    readonly seriesLabels: Readonly<Record<string, string>>;
    readonly exemplars: readonly {
      readonly labels: Readonly<Record<string, string>>;
      readonly value: string;
      readonly timestamp: number;
    }[];
  }[];
}

const FORMATS = {
  openmetrics: 'application/openmetrics-text;version=1.0.0',
  protobuf: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
};

describe('exemplars in Prometheus', function () {
  this.timeout(90_000);
  const servers: Server[] = [];
  const recorded: { metric: string; bucket?: string; value: number; traceId: string; spanId: string }[] = [];
  let began = 0;
  let provider: SeqlockMeterProvider | undefined;
  let folder: string | undefined;
  let prometheus: RunningProgram | undefined;
  let url: string;

  before(async function () {
    if (spawnSync('prometheus', ['--version']).status !== 0) {
      if (process.env['CI'] === 'true') throw new Error('prometheus not found: apt-get install prometheus');
      console.error('\n  SKIPPED, NOTHING WAS TESTED: prometheus not found (apt-get install prometheus)\n');
      this.skip();
    }
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const reader = new SeqlockMetricReader();
    provider = new SeqlockMeterProvider({ readers: [reader] });
    const meter = provider.getMeter('shop');
    const orders = meter.createCounter('orders');
    const took = meter.createHistogram('took', { unit: 's', advice: { explicitBucketBoundaries: [0.1, 1] } });
    began = Date.now();
    const inSpan = (metric: string, value: number, work: () => void, bucket?: string): void => {
      const traceId = (recorded.length + 1).toString(16).padStart(32, '4bf92f35');
      const spanId = (recorded.length + 1).toString(16).padStart(16, '00f067aa');
      const span = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED });
      context.with(span, work);
      recorded.push({ metric, value, traceId, spanId, ...(bucket !== undefined && { bucket }) });
    };
    orders.add(41);
    took.record(0.5); // outside of any span: counted, and no exemplar
    inSpan('orders_total', 2, () => orders.add(2));
    inSpan('took_seconds_bucket', 0.05, () => took.record(0.05), '0.1');
    inSpan('took_seconds_bucket', 7.25, () => took.record(7.25), '+Inf');

    const handler = createPrometheusHandler(reader);
    const jobs: string[] = [];
    for (const [job, accept] of Object.entries(FORMATS)) {
      const server = createServer((req, res) => {
        req.headers.accept = accept;
        void handler(req, res);
      });
      servers.push(server);
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      jobs.push(`  - job_name: ${job}\n    static_configs: [{ targets: ['127.0.0.1:${port}'] }]`);
    }
    folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-exemplars-'));
    const config = join(folder, 'prometheus.yml');
    writeFileSync(config, `global: { scrape_interval: 1s }\nscrape_configs:\n${jobs.join('\n')}\n`);
    const address = `127.0.0.1:${await freePort()}`;
    url = `http://${address}`;
    prometheus = start('prometheus', [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--enable-feature=exemplar-storage,native-histograms',
      '--log.level=error',
    ]);
    await eventually(async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined), 30_000);
  });

  after(async () => {
    context.disable();
    await provider?.shutdown();
    for (const server of servers) server.close();
    prometheus?.child.kill('SIGTERM');
    await prometheus?.outcome;
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  for (const job of Object.keys(FORMATS))
    it(`come back from /api/v1/query_exemplars as they were recorded (${job})`, async () => {
      const query = encodeURIComponent(`{job="${job}"}`);
      const found = await eventually(async () => {
        const range = `start=${began / 1000 - 60}&end=${Date.now() / 1000 + 60}`;
        const answer = (await (
          await fetch(`${url}/api/v1/query_exemplars?query=${query}&${range}`)
        ).json()) as Answer;
        const all = answer.data.flatMap(({ seriesLabels, exemplars }) =>
          exemplars.map((exemplar) => ({ ...exemplar, series: seriesLabels })),
        );
        return all.length >= recorded.length ? all : undefined;
      }, 30_000);
      const shown = found.map(({ series, labels, value, timestamp }) => {
        expect(timestamp * 1000).to.be.within(began - 1, Date.now());
        return {
          metric: series['__name__']!,
          value: Number(value),
          traceId: labels['trace_id']!,
          spanId: labels['span_id']!,
          ...(series['le'] !== undefined && { bucket: series['le'] }),
        };
      });
      expect(shown).to.have.deep.members(recorded);
    });
});
