/** Every way to the Prometheus text of metrics by name gives the same text. */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createMetricsProvider,
  createPrometheusHandler,
  SeqlockMetricReader,
  type CreatedMetricsProvider,
  type PrometheusHandler,
} from '../../../src/index.ts';
import { eventually } from '../../support/eventually.ts';
import { opened, shutDownOpened } from '../../support/opened.ts';

const servers: Server[] = [];
const made: CreatedMetricsProvider[] = [];

async function served(handler: PrometheusHandler, accept = 'text/plain'): Promise<string> {
  const server = createServer((request, response) => void handler(request, response)).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return (await fetch(`http://127.0.0.1:${port}/`, { headers: { accept } })).text();
}

function make(mode: 'seqlock' | 'standard' | 'compare'): CreatedMetricsProvider {
  const metrics = createMetricsProvider({ mode, resource: { attributes: { app: 'shop' } } });
  made.push(metrics);
  metrics
    .counter('http_requests', 'Requests', { labelNames: ['a__b'] })
    .labels({ a__b: 'x' })
    .inc(2);
  metrics.gauge('level', 'Level').set(3);
  metrics.histogram('took_seconds', 'Time', [1]).observe(0.5);
  return metrics;
}

const TEXT = [
  '# HELP http_requests Requests',
  '# TYPE http_requests counter',
  'http_requests{a__b="x"} 2',
  '# HELP level Level',
  '# TYPE level gauge',
  'level 3',
  '# HELP took_seconds Time',
  '# TYPE took_seconds histogram',
  'took_seconds_bucket{le="1"} 1',
  'took_seconds_bucket{le="+Inf"} 1',
  'took_seconds_sum 0.5',
  'took_seconds_count 1',
  '',
].join('\n');

function closeServers(): void {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
}

describe('the Prometheus text of metrics by name', () => {
  afterEach(async () => {
    closeServers();
    await Promise.all(made.splice(0).map((metrics) => metrics.shutdown()));
    await shutDownOpened();
  });

  for (const mode of ['seqlock', 'standard', 'compare'] as const)
    it(`is one for exportPrometheus and the handler, in ${mode} mode`, async () => {
      const metrics = make(mode);
      expect(metrics.exportPrometheus()).to.equal(TEXT);
      expect(await served(createPrometheusHandler(metrics))).to.equal(TEXT);
      const labelled = { resourceConstantLabels: ['app'] };
      expect(metrics.exportPrometheus(labelled)).to.include('level{app="shop"} 3\n');
      expect(await served(createPrometheusHandler(metrics, labelled))).to.equal(
        metrics.exportPrometheus(labelled),
      );
      const withTarget = { targetInfoEnabled: true };
      expect(metrics.exportPrometheus(withTarget)).to.include('target_info{app="shop"} 1\n');
      expect(await served(createPrometheusHandler(metrics, withTarget))).to.equal(
        metrics.exportPrometheus(withTarget),
      );
    });

  it('has the same names where the store, or a reader of it, is served', async () => {
    const metrics = make('seqlock');
    if (metrics.mode !== 'seqlock') throw new Error('no shared memory');
    const { store } = metrics.meterProvider;
    expect(await served(createPrometheusHandler(store, { targetInfoEnabled: false }))).to.equal(TEXT);
    const openMetrics = await served(
      createPrometheusHandler(metrics),
      'application/openmetrics-text;version=1.0.0',
    );
    expect(openMetrics).to.include('http_requests{a__b="x"} 2\n');
    expect(openMetrics).to.not.include('otel_scope_name');
  });

  it('has instruments of other meters, and what their callbacks observe', async () => {
    const metrics = make('seqlock');
    let value = 7;
    metrics.meterProvider
      .getMeter('app')
      .createObservableGauge('queue.size', { unit: 's' })
      .addCallback((result) => result.observe(value));
    const handler = createPrometheusHandler(metrics);
    expect(await served(handler)).to.include('queue_size_seconds{otel_scope_name="app"} 7\n');
    value = 8;
    expect(metrics.exportPrometheus()).to.include('queue_size_seconds{otel_scope_name="app"} 7\n');
    await eventually(async () => (metrics.exportPrometheus().includes('"app"} 8\n') ? true : undefined));
    expect(JSON.stringify(metrics.exportJson())).to.include('queue.size');
  });
});

describe('the Prometheus text of a reader', () => {
  afterEach(closeServers);
  afterEach(shutDownOpened);

  it('shows what was observed since the text before was asked for', async () => {
    const reader = new SeqlockMetricReader();
    const provider = opened({ readers: [reader] });
    provider
      .getMeter('m')
      .createObservableGauge('g')
      .addCallback((result) => result.observe(5));
    await eventually(async () =>
      reader.exportPrometheus().includes('g{otel_scope_name="m"} 5\n') ? true : undefined,
    );
    expect(await served(createPrometheusHandler(reader))).to.equal(reader.exportPrometheus());
  });

  it('has the metrics of its metricProducers where it is served', async () => {
    const other = new SeqlockMetricReader();
    const foreign = opened({ readers: [other] });
    foreign.getMeter('foreign').createCounter('theirs').add(4);
    const reader = new SeqlockMetricReader({ metricProducers: [other.producer] });
    opened({ readers: [reader] })
      .getMeter('m')
      .createCounter('ours')
      .add(3);
    const text = await served(createPrometheusHandler(reader, { targetInfoEnabled: false }));
    expect(text).to.include('ours_total{otel_scope_name="m"} 3\n');
    expect(text).to.include('theirs_total{otel_scope_name="foreign"} 4\n');
  });

  it('is without units where that is asked for', () => {
    const reader = new SeqlockMetricReader();
    const meter = opened({ readers: [reader] }).getMeter('m');
    meter.createCounter('sent', { unit: 'By' }).add(1);
    meter.createGauge('util', { unit: '1' }).record(0.5);
    const options = { withoutUnits: true, scopeInfoEnabled: false, targetInfoEnabled: false };
    expect(reader.exportPrometheus(options)).to.equal(
      '# TYPE sent_total counter\nsent_total 1\n# TYPE util gauge\nutil 0.5\n',
    );
    expect(() => reader.exportPrometheus({ withoutUnits: 1 as never })).to.throw('withoutUnits is 1');
  });
});
