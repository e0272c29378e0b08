import { expect } from 'chai';
import { Environment } from '../../src/base/environment.ts';
import { settingsFrom, type Settings } from '../../src/register/settings.ts';

function read(variables: Record<string, string>): Settings & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return { ...settingsFrom(new Environment(variables, (message) => warnings.push(message))), warnings };
}

const OTLP_DEFAULTS = {
  url: 'http://localhost:4318/v1/metrics',
  protocol: 'http/protobuf',
  headers: {},
  intervalMillis: 60_000,
  timeoutMillis: 10_000,
  compression: 'none',
  temporality: 'cumulative',
};

describe('settings from the environment', () => {
  it('are those of the specification where nothing is set, or set to nothing', () => {
    const defaults = {
      disabled: false,
      readers: [{ temporality: 'cumulative', exponentialHistograms: false }],
      exporterThread: { otlp: OTLP_DEFAULTS },
      warnings: [],
    };
    expect(read({})).to.deep.equal(defaults);
    expect(read({ OTEL_METRICS_EXPORTER: '', OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).to.deep.equal(defaults);
  });

  it('take every variable they name', () => {
    const { exporterThread, readers, warnings } = read({
      OTEL_METRICS_EXPORTER: 'prometheus, OTLP,console',
      OTEL_EXPORTER_PROMETHEUS_HOST: '0.0.0.0',
      OTEL_EXPORTER_PROMETHEUS_PORT: '1234',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318/base/',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1, b = two%20words ,c=x=y',
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'LowMemory',
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
      OTEL_METRIC_EXPORT_INTERVAL: '2000',
      SEQLOCK_METRICS_BLOCKED_THREADS: 'false',
      SEQLOCK_METRICS_SELF_METRICS: 'true',
      SEQLOCK_METRICS_SIGNALS: 'sigterm, SIGUSR2',
    });
    expect(exporterThread).to.deep.equal({
      prometheus: { host: '0.0.0.0', port: 1234 },
      otlp: {
        url: 'https://collector:4318/base/v1/metrics',
        protocol: 'http/json',
        headers: { a: '1', b: 'two words', c: 'x=y' },
        intervalMillis: 2000,
        timeoutMillis: 500,
        compression: 'gzip',
        temporality: 'lowmemory',
      },
      console: { intervalMillis: 2000 },
      blockedThreads: false,
      selfMetrics: true,
      lastExport: { signals: ['SIGUSR2', 'SIGTERM'] },
    });
    expect(readers).to.deep.equal([
      { temporality: 'lowmemory', exponentialHistograms: true },
      { temporality: 'cumulative', exponentialHistograms: false },
    ]);
    expect(warnings).to.deep.equal([]);
  });

  it('put what is said of metrics over what is said of all signals', () => {
    const { exporterThread } = read({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:1',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://metrics:2',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=all,b=all',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'b=metrics',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1',
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '40000',
      OTEL_METRIC_EXPORT_TIMEOUT: '20000',
    });
    expect(exporterThread!.otlp).to.deep.equal({
      ...OTLP_DEFAULTS,
      url: 'http://metrics:2/',
      headers: { a: 'all', b: 'metrics' },
      timeoutMillis: 20_000, // the shorter of the two that limit a push
    });
  });

  it('have no signals where none is to be heard', () => {
    const { exporterThread } = read({ SEQLOCK_METRICS_SIGNALS: 'none' });
    expect(exporterThread!.lastExport).to.deep.equal({ signals: [] });
  });

  it('export nothing where nothing is to be', () => {
    const both = read({ SEQLOCK_METRICS_EXPORTER: 'prometheus', OTEL_METRICS_EXPORTER: 'none' });
    expect(both.exporterThread).to.have.all.keys('prometheus');
    expect(read({ OTEL_METRICS_EXPORTER: 'none' })).to.include({
      exporterThread: undefined,
      disabled: false,
    });
    expect(read({ OTEL_METRICS_EXPORTER: 'otlp,none' }).exporterThread).to.equal(undefined);
    expect(read({ OTEL_SDK_DISABLED: 'TRUE' })).to.include({ exporterThread: undefined, disabled: true });
    expect(read({ OTEL_SDK_DISABLED: 'false' }).disabled).to.equal(false);
  });

  const wrong: readonly [string, string, string][] = [
    ['OTEL_METRICS_EXPORTER', 'prom', 'otlp'],
    ['OTEL_METRICS_EXPORTER', 'jaeger,prometheus', 'prometheus'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'http://localhost:4318/v1/metrics'],
    ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', '/v1/metrics', 'http://localhost:4318/v1/metrics'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'http', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', '10000'],
    ['OTEL_EXPORTER_OTLP_METRICS_COMPRESSION', 'zstd', 'none'],
    ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'both', 'cumulative'],
    ['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', 'exponential', 'explicit_bucket_histogram'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '0', '60000'],
    ['OTEL_METRIC_EXPORT_TIMEOUT', '-1', '30000'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '0x10', '60000'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '1e3', '10000'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '5000.0', '10000'],
    ['OTEL_METRIC_EXPORT_TIMEOUT', '+5', '30000'],
    ['OTEL_SDK_DISABLED', '1', 'false'],
    ['SEQLOCK_METRICS_SIGNALS', 'SIGTERM,SIGKILL', 'the default'],
  ];
  for (const [name, value, used] of wrong)
    it(`warn once of ${name}=${value}, and say what is used`, () => {
      const { warnings } = read({ [name]: value });
      expect(warnings.length).to.equal(1);
      expect(warnings[0])
        .to.include(`${name} is "${value}"`)
        .and.match(new RegExp(`"?${used.replaceAll('/', '\\/')}"? is used instead$`));
    });

  it('print every 10 seconds to the console, unless an interval is given', () => {
    const consoleOf = (variables: Record<string, string>) =>
      read({ OTEL_METRICS_EXPORTER: 'console,otlp', ...variables }).exporterThread!;
    expect(consoleOf({})).to.deep.equal({
      otlp: OTLP_DEFAULTS,
      console: { intervalMillis: 10_000 },
    });
    expect(consoleOf({ OTEL_METRIC_EXPORT_INTERVAL: '7' }).console).to.deep.equal({ intervalMillis: 7 });
  });

  it('take a time-out of 0 for none', () => {
    const timeoutOf = (variables: Record<string, string>) =>
      read(variables).exporterThread!.otlp!.timeoutMillis;
    expect(timeoutOf({ OTEL_EXPORTER_OTLP_TIMEOUT: '0' })).to.equal(30_000);
    expect(timeoutOf({ OTEL_METRIC_EXPORT_TIMEOUT: '0' })).to.equal(10_000);
    const none = { OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '0', OTEL_METRIC_EXPORT_TIMEOUT: '0' };
    expect(timeoutOf(none)).to.equal(2 ** 31 - 1);
    expect(read(none).warnings).to.deep.equal([]);
  });

  const endpoints: readonly [string, string][] = [
    ['http://c:4318', 'http://c:4318/v1/metrics'],
    ['http://c:4318/base/?key=a/b&x', 'http://c:4318/base/v1/metrics?key=a/b&x'],
    ['https://c?key=1#part', 'https://c/v1/metrics?key=1'],
    ['http://c/#part', 'http://c/v1/metrics'],
  ];
  for (const [endpoint, url] of endpoints)
    it(`add the path of metrics to the path of the endpoint: ${endpoint}`, () => {
      expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).exporterThread!.otlp!.url).to.equal(url);
    });

  it('warn of a wrong Prometheus port only where Prometheus is served', () => {
    const port = { OTEL_EXPORTER_PROMETHEUS_PORT: '99999' };
    expect(read(port).warnings).to.deep.equal([]);
    const { warnings, exporterThread } = read({ ...port, OTEL_METRICS_EXPORTER: 'prometheus' });
    expect(warnings.length).to.equal(1);
    expect(exporterThread!.prometheus!.port).to.equal(9464);
  });

  it('never print a header', () => {
    const { warnings, exporterThread } = read({ OTEL_EXPORTER_OTLP_HEADERS: 'key=ok,secret,other=%zz' });
    expect(exporterThread!.otlp!.headers).to.deep.equal({ key: 'ok' });
    expect(warnings.length).to.equal(2);
    expect(warnings.join())
      .to.include('OTEL_EXPORTER_OTLP_HEADERS')
      .and.not.match(/secret|ok|zz/);
  });
});
