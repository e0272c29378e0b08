import { expect } from 'chai';
import { Environment } from '../../src/base/environment.ts';
import { planOf as planNamed, type ExporterOptions } from '../../src/exporter/options.ts';
import type { OtlpPlan, OtlpPushOptions } from '../../src/exporter/otlp-options.ts';
import { collectWarnings } from '../support/warnings.ts';

const prometheus = {};
const otlp = {};
const planOf = (options: ExporterOptions) => planNamed(options, 'options of the test');

describe('options of an exporter', () => {
  it('have the defaults of the specification', () => {
    expect(planOf({ prometheus, otlp })).to.deep.equal({
      prometheus: { host: 'localhost', port: 9464, endpoint: '/metrics' },
      exposition: {},
      otlp: {
        url: 'http://localhost:4318/v1/metrics',
        protocol: 'http/protobuf',
        headers: {},
        intervalMillis: 60_000,
        timeoutMillis: 10_000,
        compression: 'none',
        temporality: 'cumulative',
      },
      console: undefined,
      selfMetrics: false,
      blockedThreads: true,
      page: true,
    });
  });

  it('have a page beside the metrics, unless it is turned off or its place is taken', () => {
    const page = (options: ExporterOptions, variable = ''): boolean =>
      planNamed(options, 'x', undefined, new Environment({ SEQLOCK_METRICS_PAGE: variable }, () => {})).page;
    expect(page({ prometheus })).to.equal(true);
    expect(page({ prometheus, page: false })).to.equal(false);
    expect(page({ prometheus }, 'false')).to.equal(false);
    expect(page({ prometheus, page: true }, 'false')).to.equal(true);
    expect(page({ prometheus: { endpoint: '/' } })).to.equal(false);
    expect(page({ otlp })).to.equal(false);
  });

  it('take host and port from the environment where they are left out', () => {
    process.env['OTEL_EXPORTER_PROMETHEUS_HOST'] = '::1';
    process.env['OTEL_EXPORTER_PROMETHEUS_PORT'] = '1234';
    try {
      expect(planOf({ prometheus }).prometheus).to.include({ host: '::1', port: 1234 });
      expect(planOf({ prometheus: { host: 'h', port: 1 } }).prometheus).to.include({ host: 'h', port: 1 });
      process.env['OTEL_EXPORTER_PROMETHEUS_PORT'] = '0x10';
      const { warnings, stop } = collectWarnings();
      expect(planOf({ prometheus }).prometheus).to.include({ host: '::1', port: 9464 });
      stop();
      expect(warnings.join()).to.include('OTEL_EXPORTER_PROMETHEUS_PORT is "0x10"');
    } finally {
      delete process.env['OTEL_EXPORTER_PROMETHEUS_HOST'];
      delete process.env['OTEL_EXPORTER_PROMETHEUS_PORT'];
    }
  });

  it('take what is left out of OTLP from its variables, and read none that an option stands over', () => {
    const warnings: string[] = [];
    const variables = {
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: ' LowMemory ',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1',
      OTEL_EXPORTER_OTLP_TIMEOUT: 'long',
    };
    const planned = (options: OtlpPushOptions): OtlpPlan =>
      planNamed(
        { otlp: options },
        'options of the test',
        undefined,
        new Environment(variables, (text) => warnings.push(text)),
      ).otlp!;
    expect(planned({ timeoutMillis: 5 })).to.include({ temporality: 'lowmemory', timeoutMillis: 5 });
    expect(planned({ timeoutMillis: 5 }).headers).to.deep.equal({ a: '1' });
    expect(planned({ temporality: 'delta', timeoutMillis: 5 }).temporality).to.equal('delta');
    expect(warnings).to.deep.equal([]);
    expect(planned({}).timeoutMillis).to.equal(10_000);
    expect(warnings.join()).to.include('OTEL_EXPORTER_OTLP_TIMEOUT is "long"');
  });

  it('can be sent to a thread as a plan', () => {
    const plan = planOf({ prometheus: { resourceConstantLabels: /^service\\./ }, otlp });
    expect(structuredClone(plan)).to.deep.equal(plan);
  });

  const wrong: readonly [string, object][] = [
    ['options of the test', {}],
    ['prometheus', { prometheus: 9464 }],
    ['prometheus.host', { prometheus: { host: '' } }],
    ['prometheus.port', { prometheus: { port: 65_536 } }],
    ['prometheus.port', { prometheus: { port: '80' } }],
    ['prometheus.endpoint', { prometheus: { endpoint: 'metrics' } }],
    ['prometheus.endpoint', { prometheus: { endpoint: '/m?a' } }],
    ['scopeInfoEnabled', { prometheus: { scopeInfoEnabled: 1 } }],
    ['compression', { prometheus: { compression: 1 } }],
    ['timeoutMillis', { prometheus: { timeoutMillis: 0 } }],
    ['otlp', { otlp: true }],
    ['otlp.url', { otlp: { url: 'localhost:4318' } }],
    ['otlp.protocol', { otlp: { protocol: 'grpc' } }],
    ['otlp.temporality', { otlp: { temporality: 'DELTA' } }],
    ['otlp.compression', { otlp: { compression: 'zstd' } }],
    ['otlp.timeoutMillis', { otlp: { timeoutMillis: 0 } }],
    ['otlp.intervalMillis', { otlp: { intervalMillis: 2 ** 31 } }],
    ['otlp.headers', { otlp: { headers: 'a=b' } }],
    ['otlp.headers.a', { otlp: { headers: { a: 1 } } }],
    ['console.intervalMillis', { console: { intervalMillis: Number.NaN } }],
    ['selfMetrics', { otlp, selfMetrics: 1 }],
    ['blockedThreads', { otlp, blockedThreads: null }],
  ];
  for (const [option, options] of wrong)
    it(`throw for ${JSON.stringify(options)} and name ${option}`, () => {
      expect(() => planOf(options)).to.throw(TypeError, `${option} is `);
    });
});
