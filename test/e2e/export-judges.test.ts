/** What the real readers of these formats say: promtool, a Prometheus server, and the OpenMetrics parser of Prometheus' Python client. */
import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { columnsOf } from '../../src/export/foreign-metrics.ts';
import { MetricSource } from '../../src/collect/metric-source.ts';
import { PrometheusText } from '../../src/export/prometheus-text.ts';
import { createPrometheusHandler, SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { numberOf, parseStrictly } from '../export/strict-parser.ts';
import { randomMetrics, randomOf } from '../export/random-metrics.ts';
import { needs, pathOf } from './programs/programs.ts';
import { startPrometheus, type Prometheus } from './servers/prometheus.ts';
import { scratchFolder } from './servers/scratch.ts';

const PARSE_ERROR = 1; // of promtool; 3 is lint

function fixture() {
  const reader = new SeqlockMetricReader();
  const provider = new SeqlockMeterProvider({
    readers: [reader],
    resource: { attributes: { 'service.name': 'judged' } },
  });
  const meter = provider.getMeter('scope', '1.0');
  const described = { description: 'Described, with "quotes", \\ and\na second line' };
  meter
    .createCounter('http.requests', { ...described, unit: '{request}' })
    .add(1234567, { route: '/a', code: 200 });
  meter.createCounter('sent', { ...described, unit: 'By' }).add(0.1 + 0.2, { to: 'é"\\\n\t\r\0\u0001 😀' });
  meter.createUpDownCounter('queue.length', described).add(-3);
  meter.createGauge('load', { ...described, unit: '1' }).record(1e-7, { 'a.b': 'x', a_b: 'y' });
  meter.createGauge('special', described).record(Infinity, { k: 'inf' });
  meter.createGauge('special', described).record(NaN, { k: 'nan' });
  const took = meter.createHistogram('took', {
    ...described,
    unit: 's',
    advice: { explicitBucketBoundaries: [0.005, 1, 2_000_000] },
  });
  for (const value of [0.001, 0.5, 3, 3e6]) took.record(value, { le: 'mine', route: '/a' });
  return { reader, provider };
}

/** The Python parser ends an exemplar's labels at the first brace, quoted or not; Prometheus itself reads them. */
function hasBraceInExemplar(text: string): boolean {
  return text.split('\n').some((line) => {
    const [, labels = ''] = / # \{(.*)\}/s.exec(line) ?? [];
    return labels.includes('}');
  });
}

describe('the judges', function () {
  this.timeout(120_000);

  before(function () {
    needs(this, 'prometheus 2', 'promtool', 'python');
  });

  it('promtool finds nothing wrong with the fixture', () => {
    const { status, stdout, stderr } = spawnSync(pathOf('promtool'), ['check', 'metrics'], {
      input: fixture().reader.exportPrometheus(),
      encoding: 'utf8',
    });
    expect(`${stdout}${stderr}`).to.equal('');
    expect(status).to.equal(0);
  });

  it('promtool can read whatever it is given', () => {
    const random = randomOf(11);
    for (let i = 0; i < 60; i++) {
      const made = new PrometheusText({ openMetrics: false, escaping: 'underscores' });
      made.update(columnsOf(randomMetrics(random), () => {}));
      const { status, stderr } = spawnSync(pathOf('promtool'), ['check', 'metrics'], {
        input: made.toString(),
        encoding: 'utf8',
      });
      expect(status, `${i}: ${stderr}\n${made.toString()}`).not.to.equal(PARSE_ERROR);
    }
  });

  it("Prometheus' Python client reads the OpenMetrics text as ours does", () => {
    const random = randomOf(12);
    const texts: string[] = [];
    const { provider } = fixture();
    const sources = [
      new MetricSource(provider.store).columns(),
      ...Array.from({ length: 500 }, () => columnsOf(randomMetrics(random), () => {})),
    ];
    for (const source of sources) {
      const made = new PrometheusText({ openMetrics: true, escaping: 'underscores' });
      made.update(source);
      if (!hasBraceInExemplar(made.toString())) texts.push(made.toString());
    }
    const script = [
      'import json, sys',
      'from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse',
      'out = []',
      'for i, text in enumerate(json.load(sys.stdin)):',
      '    try:',
      '        out.append([[s.name, s.labels, repr(s.value)] for f in parse(text) for s in f.samples])',
      '    except Exception as e:',
      '        out.append(str(i) + ": " + repr(e))',
      'json.dump(out, sys.stdout)',
    ].join('\n');
    const output = execFileSync(pathOf('python'), ['-c', script], {
      input: JSON.stringify(texts),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    expect(texts.length).to.be.greaterThan(400);
    (JSON.parse(output) as ([string, Record<string, string>, string][] | string)[]).forEach((samples, i) => {
      if (typeof samples === 'string') throw new Error(`${samples}\n${texts[i]!}`);
      const ours = [...parseStrictly(texts[i]!, 'openmetrics').values()].flatMap((family) => family.samples);
      const pythonNumber = (text: string) =>
        text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number(text);
      expect(
        samples.map(([name, labels, value]) => ({ name, labels, value: pythonNumber(value) })),
      ).to.deep.equal(ours.map(({ name, labels, value }) => ({ name, labels: { ...labels }, value })));
    });
  });

  describe('a Prometheus server', () => {
    const formats = {
      text: 'text/plain;version=0.0.4',
      openmetrics: 'application/openmetrics-text;version=1.0.0',
      protobuf: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
    };
    const servers: Server[] = [];
    const served = new Set<string>();
    let prometheus: Prometheus;
    let expected: Map<string, number>;

    const key = (name: string, labels: Readonly<Record<string, string>>): string =>
      JSON.stringify([
        name,
        Object.entries(labels)
          .filter(([k]) => k !== 'job' && k !== 'instance')
          .map(([k, v]) => [k, k === 'le' && name.endsWith('_bucket') ? numberOf(v) : v] as const)
          .sort((a, b) => (a[0] < b[0] ? -1 : 1)),
      ]);
    const listen = (server: Server): Promise<number> =>
      new Promise((resolve) => {
        servers.push(server);
        server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
      });

    before(async () => {
      const { reader } = fixture();
      expected = new Map(
        [...parseStrictly(reader.exportPrometheus()).values()].flatMap(({ samples }) =>
          samples.map(({ name, labels, value }): [string, number] => [key(name, labels), value]),
        ),
      );
      const handler = createPrometheusHandler(reader);
      const jobs: string[] = [];
      for (const [job, accept] of Object.entries(formats)) {
        const port = await listen(
          createServer((req, res) => {
            req.headers.accept = accept;
            void handler(req, res).then(() =>
              served.add(
                `${job} ${String(res.getHeader('Content-Type')).split(';')[0]} ${String(res.getHeader('Content-Encoding'))}`,
              ),
            );
          }),
        );
        jobs.push(`  - job_name: ${job}\n    static_configs: [{ targets: ['127.0.0.1:${port}'] }]`);
      }
      prometheus = await startPrometheus({
        program: 'prometheus 2',
        folder: scratchFolder(),
        config: `global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n${jobs.join('\n')}\n`,
        flags: ['--enable-feature=native-histograms'],
      });
    });

    after(async () => {
      await prometheus?.stop();
      for (const server of servers) server.close();
    });

    for (const job of Object.keys(formats))
      it(`scrapes ${job} and finds what was recorded`, async () => {
        const target = await eventually(async () =>
          (await prometheus.targets()).find(
            ({ labels, health }) => labels['job'] === job && health !== 'unknown',
          ),
        );
        expect(target.lastError).to.equal('');
        expect(target.health).to.equal('up');
        expect([...served].filter((line) => line.startsWith(job))).to.deep.equal([
          `${job} ${formats[job as keyof typeof formats].split(';')[0]} gzip`,
        ]);
        await new Promise((resolve) => setTimeout(resolve, 1500));
        const found = new Map<string, number>();
        for (const { name, labels, value } of await prometheus.query(`{job="${job}"}`))
          if (!/^(up|scrape_.*)$|_created$/.test(name)) found.set(key(name, labels), value);
        expect(found).to.deep.equal(expected);
        const scope = { otel_scope_name: 'scope', otel_scope_version: '1.0' };
        expect(found.get(key('http_requests_total', { ...scope, route: '/a', code: '200' }))).to.equal(
          1234567,
        );
        expect(
          found.get(key('took_seconds_bucket', { ...scope, exported_le: 'mine', route: '/a', le: '1' })),
        ).to.equal(2);
        expect(found.get(key('took_seconds_sum', { ...scope, exported_le: 'mine', route: '/a' }))).to.equal(
          3000003.501,
        );
      });
  });
});
