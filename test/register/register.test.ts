/** Apps that do nothing for their metrics, run as users run them. */
import { expect } from 'chai';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../../examples/demo/free-port.ts';
import { attributesOf, findMetric, otlpTotal } from '../../examples/demo/otlp-read.ts';
import {
  startOtlpReceiver,
  type OtlpMetric,
  type OtlpReceiver,
  type OtlpRequest,
} from '../../examples/demo/otlp-receiver.ts';
import { parseScrape, total } from '../../examples/demo/scraped-text.ts';
import { eventually } from '../support/eventually.ts';
import { run, start, type Outcome } from '../support/program.ts';

const FOLDER = resolve('build/register-apps'); // inside the package, so that its own name and its peers resolve
const REGISTER = ['--import', 'seqlock-metrics/register'];

const APPS = {
  // An instrument at the top of a module, as instrumented libraries have them.
  'early.mjs': `
    import { metrics } from '@opentelemetry/api';
    const early = metrics.getMeter('library').createCounter('early');
    early.add(1);`,
  'app.mjs': `
    import { metrics } from '@opentelemetry/api';
    import { Worker, isMainThread, SHARE_ENV } from 'node:worker_threads';
    metrics.getMeter('app').createCounter('counted').add(isMainThread ? 1 : 10);
    if (isMainThread) {
      const file = new URL(import.meta.url);
      new Worker(file);
      new Worker(file, { env: SHARE_ENV });
      new Worker(file, { execArgv: process.env.NODE_OPTIONS ? [] : process.execArgv });
    } else if (!process.env.NESTED) new Worker(new URL(import.meta.url), { env: { ...process.env, NESTED: '1' } });
    if (process.env.STAY) setInterval(() => {}, 1000);`,
  'app.cjs': `
    const { metrics } = require('@opentelemetry/api');
    const { Worker, isMainThread } = require('node:worker_threads');
    metrics.getMeter('app').createCounter('counted').add(isMainThread ? 1 : 10);
    if (isMainThread) new Worker(__filename);`,
  'own-provider.mjs': `
    import { metrics } from '@opentelemetry/api';
    import { MeterProvider } from '@opentelemetry/sdk-metrics';
    console.log('taken', metrics.setGlobalMeterProvider(new MeterProvider()));
    metrics.getMeter('app').createCounter('counted').add(1);`,
  'provider-before.mjs': `
    import { metrics } from '@opentelemetry/api';
    import { MeterProvider } from '@opentelemetry/sdk-metrics';
    metrics.setGlobalMeterProvider(new MeterProvider());`,
  'provider-late.mjs': `
    import './early.mjs';
    import { metrics } from '@opentelemetry/api';
    import { MetricStore, SeqlockMeterProvider, SeqlockMetricReader } from 'seqlock-metrics';
    const reader = new SeqlockMetricReader();
    metrics.setGlobalMeterProvider(new SeqlockMeterProvider({ readers: [reader] }));
    metrics.getMeter('app').createCounter('late').add(1);
    const names = reader.snapshot().scopeMetrics.flatMap((s) => s.metrics.map((m) => m.descriptor.name));
    console.log(names.join());`,
  'histogram.mjs': `
    import { metrics } from '@opentelemetry/api';
    metrics.getMeter('app').createHistogram('sizes').record(7);
    import { scrape } from './scrape.mjs';
    if (process.env.SCRAPE) console.log(await scrape('text/plain'));`,
  // Not an app: has its metrics scraped, as soon as they are served.
  'scrape.mjs': `
    const url = 'http://localhost:' + process.env.OTEL_EXPORTER_PROMETHEUS_PORT + '/metrics';
    export async function scrape(accept) {
      for (;; await new Promise((done) => setTimeout(done, 50)))
        try {
          return await (await fetch(url, { headers: { accept } })).text();
        } catch {}
    }`,
  'exemplars.mjs': `
    import { context, metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api';
    import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
    import { scrape } from './scrape.mjs';
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
    const meter = metrics.getMeter('app');
    context.with(trace.setSpanContext(ROOT_CONTEXT, span), () => meter.createCounter('inside').add(1));
    meter.createCounter('outside').add(1);
    console.log(await scrape('application/openmetrics-text; version=1.0.0'));`,
  'kinds.mjs': `
    import { metrics } from '@opentelemetry/api';
    const meter = metrics.getMeter('app');
    const counter = meter.createCounter('counter');
    const level = meter.createUpDownCounter('level');
    const histogram = meter.createHistogram('histogram');
    meter.createObservableCounter('observed').addCallback((result) => result.observe(10));
    for (const value of [3, 5]) {
      counter.add(value);
      level.add(value);
      histogram.record(value);
      await metrics.getMeterProvider().forceFlush();
    }`,
  'flush.mjs': `
    import { metrics } from '@opentelemetry/api';
    const counter = metrics.getMeter('app').createCounter('counted');
    counter.add(1);
    await metrics.getMeterProvider().forceFlush();
    counter.add(2);
    await metrics.getMeterProvider().shutdown();
    counter.add(4);`,
  'no-region.mjs': `
    import { Worker, isMainThread, setEnvironmentData } from 'node:worker_threads';
    if (isMainThread) {
      setEnvironmentData('seqlock-metrics.store', new SharedArrayBuffer(2 ** 20));
      new Worker(new URL(import.meta.url));
    } else console.log('the worker runs');`,
  'without.mjs': 'delete globalThis.SharedArrayBuffer;',
  // As where `ulimit -v` leaves no more: what takes addresses fails.
  'little-room.mjs': `
    const Whole = SharedArrayBuffer;
    globalThis.SharedArrayBuffer = class extends Whole {
      constructor(bytes, options) {
        if (options?.maxByteLength > 2 ** 24) throw new RangeError('Array buffer allocation failed');
        super(bytes, options);
      }
    };`,
  'is-noop.mjs': `
    import { metrics } from '@opentelemetry/api';
    console.log(metrics.getMeterProvider().constructor.name);`,
};

describe('seqlock-metrics/register', () => {
  let receiver: OtlpReceiver;
  before(async () => {
    mkdirSync(FOLDER, { recursive: true });
    for (const [name, code] of Object.entries(APPS)) writeFileSync(join(FOLDER, name), code);
    receiver = await startOtlpReceiver();
  });
  after(async () => {
    rmSync(FOLDER, { recursive: true });
    await receiver.close();
  });

  /** Runs an app to its end; it pushes to a folder of its own. */
  let folders = 0;
  async function ran(
    args: readonly string[],
    variables: Record<string, string> = {},
  ): Promise<
    Outcome & { readonly requests: readonly OtlpRequest[]; readonly last: OtlpRequest | undefined }
  > {
    const folder = `/${++folders}`;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url + folder, ...variables };
    const outcome = await run(process.execPath, args, { env });
    const { requests } = receiver.inbox(`${folder}/v1/metrics`);
    return { ...outcome, requests, last: requests.at(-1) };
  }
  const app = (name: keyof typeof APPS): string => join(FOLDER, name);

  it('records in the main thread and in workers of every kind, and pushes before the app ends', async () => {
    const [byOption, byVariable, required] = await Promise.all([
      ran([...REGISTER, app('app.mjs')]),
      ran([app('app.mjs')], { NODE_OPTIONS: REGISTER.join(' ') }),
      ran(['--require', 'seqlock-metrics/register', app('app.cjs')]),
    ]);
    const counted = [byOption, byVariable, required].map(({ last, ...outcome }) => [
      outcome.code,
      last && otlpTotal(last, 'counted'),
      outcome.stderr,
    ]);
    expect(counted).to.deep.equal([
      [0, 1 + 3 * 20, ''],
      [0, 1 + 3 * 20, ''],
      [0, 1 + 10, ''],
    ]);
  });

  it('makes early instruments record, which do not without it', async () => {
    const [registered, late] = await Promise.all([
      ran([...REGISTER, app('early.mjs')]),
      ran([app('provider-late.mjs')]),
    ]);
    expect(otlpTotal(registered.last!, 'early')).to.equal(1);
    expect(late.stdout.trim(), 'of early and late').to.equal('late');
  });

  it('reports a resource as the official detectors find it, with one instance id for all threads', async () => {
    const { requests } = await ran([...REGISTER, app('app.mjs')], {
      OTEL_SERVICE_NAME: 'shop',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=other',
    });
    const resources = requests.flatMap(({ resourceMetrics }) =>
      resourceMetrics.map(({ resource }) => attributesOf(resource?.attributes)),
    );
    const [first] = resources;
    expect(first).to.include({
      'service.name': 'shop',
      'deployment.environment.name': 'test',
      'telemetry.sdk.name': 'seqlock-metrics',
      'process.runtime.name': 'nodejs',
    });
    expect(first).to.include.keys('host.name', 'os.type', 'process.pid', 'service.instance.id');
    expect(new Set(resources.map((resource) => resource['service.instance.id'])).size).to.equal(1);
    const own = await ran([...REGISTER, app('early.mjs')], {
      OTEL_NODE_RESOURCE_DETECTORS: 'env,serviceinstance',
      OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=mine',
    });
    const chosen = attributesOf(own.last!.resourceMetrics[0]!.resource?.attributes);
    expect(chosen).to.include({ 'service.instance.id': 'mine' }).and.not.to.have.property('host.name');
  });

  it('serves Prometheus where it is told to, and ends with the app', async () => {
    const port = await freePort();
    const served = start(process.execPath, [...REGISTER, app('app.mjs')], {
      env: { STAY: '1', OTEL_METRICS_EXPORTER: 'prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: String(port) },
    });
    const text = await eventually(async () => {
      const scraped = await (await fetch(`http://localhost:${port}/metrics`)).text();
      return total(parseScrape(scraped), 'counted_total') === 61 ? scraped : undefined;
    });
    expect(text).to.match(/^target_info\{.*service_instance_id="/m);
    served.child.kill('SIGTERM');
    expect((await served.outcome).stderr).to.equal('');
  });

  it('pushes though the port is taken, and says what to do', async () => {
    const thief = createServer();
    await new Promise<void>((done) => thief.listen(0, 'localhost', done));
    const port = String((thief.address() as AddressInfo).port);
    const { last, stderr, code } = await ran([...REGISTER, app('app.mjs')], {
      OTEL_METRICS_EXPORTER: 'otlp,prometheus',
      OTEL_EXPORTER_PROMETHEUS_PORT: port,
    });
    thief.close();
    expect(code).to.equal(0);
    expect(otlpTotal(last!, 'counted')).to.equal(61);
    expect(stderr).to.include(`localhost:${port}`).and.include('OTEL_EXPORTER_PROMETHEUS_PORT');
  });

  it('pushes exponential histograms where it is told to, and serves Prometheus the others', async () => {
    const port = await freePort();
    const { last } = await ran([...REGISTER, app('histogram.mjs')], {
      OTEL_METRICS_EXPORTER: 'otlp,prometheus',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    const metric = findMetric(last!, 'sizes') as {
      exponentialHistogram?: { aggregationTemporality: number };
    };
    expect(metric.exponentialHistogram?.aggregationTemporality).to.equal(1);
    const { stdout } = await run(process.execPath, [...REGISTER, app('histogram.mjs')], {
      env: { SCRAPE: '1', OTEL_METRICS_EXPORTER: 'prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: String(port) },
    });
    expect(stdout).to.match(/^sizes_bucket\{.*le="10"\} 1$/m);
  });

  it('pushes each kind with the temporality that the preference gives it', async () => {
    const CUMULATIVE = [2, 8];
    const DELTA = [1, 5];
    const preferences = {
      cumulative: { counter: CUMULATIVE, level: CUMULATIVE, histogram: [2, 2, 3, 5], observed: [2, 10] },
      Delta: { counter: DELTA, level: CUMULATIVE, histogram: [1, 1, 5, 5], observed: [1, 0] },
      lowmemory: { counter: DELTA, level: CUMULATIVE, histogram: [1, 1, 5, 5], observed: [2, 10] },
    };
    const found = await Promise.all(
      Object.keys(preferences).map(async (preference) => {
        const { requests } = await ran([...REGISTER, app('kinds.mjs')], {
          OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: preference,
        });
        const second = (name: string): OtlpMetric => findMetric(requests[1]!, name)!;
        const sum = (name: string): unknown[] => {
          const { aggregationTemporality, dataPoints } = second(name).sum!;
          return [aggregationTemporality, dataPoints[0]!.asDouble];
        };
        const { aggregationTemporality, dataPoints } = second('histogram').histogram!;
        const { count, min, max } = dataPoints[0]!;
        return [
          preference,
          {
            counter: sum('counter'),
            level: sum('level'),
            histogram: [aggregationTemporality, Number(count), min, max],
            observed: sum('observed'),
          },
        ];
      }),
    );
    expect(Object.fromEntries(found)).to.deep.equal(preferences);
  });

  it('makes exemplars of the measurements that the filter lets through', async () => {
    const found = await Promise.all(
      ['trace_based', 'ALWAYS_ON', 'always_off'].map(async (filter) => {
        const { stdout } = await run(process.execPath, [...REGISTER, app('exemplars.mjs')], {
          env: {
            OTEL_METRICS_EXPORTER: 'prometheus',
            OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()),
            OTEL_METRICS_EXEMPLAR_FILTER: filter,
          },
        });
        return ['inside', 'outside'].map(
          (name) => new RegExp(`^${name}_total.*# {(.*)}`, 'm').exec(stdout)?.[1],
        );
      }),
    );
    const ids = `trace_id="${'a'.repeat(32)}",span_id="${'b'.repeat(16)}"`;
    expect(found).to.deep.equal([
      [ids, undefined],
      [ids, ''],
      [undefined, undefined],
    ]);
  });

  it('has the global provider flush and shut down the exporter thread', async () => {
    const { requests, stderr } = await ran([...REGISTER, app('flush.mjs')]);
    expect(stderr).to.equal('');
    expect(requests.map((request) => otlpTotal(request, 'counted'))).to.deep.equal([1, 3]);
  });

  it('prints to the console', async () => {
    const { stdout, requests } = await ran([...REGISTER, app('early.mjs')], {
      OTEL_METRICS_EXPORTER: 'console',
    });
    expect(stdout.match(/name: 'early'/g)?.length, 'once').to.equal(1);
    expect(requests.length).to.equal(0);
  });

  it('exports nothing and does nothing where it is told so', async () => {
    const [none, disabled] = await Promise.all([
      ran([...REGISTER, app('is-noop.mjs')], { OTEL_METRICS_EXPORTER: 'none' }),
      ran([...REGISTER, app('is-noop.mjs')], { OTEL_SDK_DISABLED: 'true' }),
    ]);
    expect([none.stdout.trim(), disabled.stdout.trim()]).to.deep.equal([
      'SeqlockMeterProvider',
      'NoopMeterProvider',
    ]);
    expect(none.requests.length + disabled.requests.length).to.equal(0);
  });

  it('warns once of a wrong value, whatever number of threads reads it', async () => {
    const { stderr, last } = await ran([...REGISTER, app('app.mjs')], {
      OTEL_EXPORTER_OTLP_TIMEOUT: '10s',
      OTEL_METRIC_EXPORT_INTERVAL: 'often',
      OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY: '/nowhere/key.pem',
    });
    expect(otlpTotal(last!, 'counted')).to.equal(61);
    const lines = stderr.split('\n').filter((line) => line !== '');
    expect(lines.length, stderr).to.equal(3);
    expect(stderr)
      .to.include('OTEL_EXPORTER_OTLP_TIMEOUT is "10s"')
      .and.include('OTEL_METRIC_EXPORT_INTERVAL is "often"')
      .and.include('OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY is "/nowhere/key.pem"');
    const quiet = await ran([...REGISTER, app('early.mjs')], {
      OTEL_LOG_LEVEL: 'none',
      OTEL_METRIC_EXPORT_INTERVAL: 'often',
    });
    expect(quiet.stderr).to.equal('');
  });

  it('logs at the level of OTEL_LOG_LEVEL, to standard error alone', async () => {
    const [usual, debug] = await Promise.all([
      ran([...REGISTER, app('is-noop.mjs')], { OTEL_METRICS_EXPORTER: 'none' }),
      ran([...REGISTER, app('is-noop.mjs')], { OTEL_METRICS_EXPORTER: 'none', OTEL_LOG_LEVEL: 'Debug' }),
    ]);
    expect(usual.stderr).to.equal('');
    expect(debug.stderr).to.include('Registered a global for metrics');
    expect([usual.stdout, debug.stdout]).to.deep.equal(Array(2).fill('SeqlockMeterProvider\n'));
  });

  it('does what a configuration file says, in all threads, and nothing else', async () => {
    const path = join(FOLDER, 'otel.yaml');
    writeFileSync(
      path,
      `file_format: "1.1"
resource: { attributes: [{ name: service.name, value: "\${NAME}" }] }
meter_provider:
  readers: [periodic: { exporter: { otlp_http: { endpoint: ${receiver.url}/file } } }]
  views: [{ selector: { instrument_name: counted }, stream: { name: renamed } }]`,
    );
    const others = { OTEL_SDK_DISABLED: 'true', OTEL_METRICS_EXPORTER: 'none' };
    const [byFile, wrong] = await Promise.all([
      ran([...REGISTER, app('app.mjs')], { OTEL_CONFIG_FILE: path, NAME: 'shop', ...others }),
      ran([...REGISTER, app('app.mjs')], { OTEL_CONFIG_FILE: `${path}.none` }),
    ]);
    const last = receiver.inbox('/file').requests.at(-1)!;
    expect(otlpTotal(last, 'renamed')).to.equal(1 + 3 * 20);
    expect(attributesOf(last.resourceMetrics[0]!.resource?.attributes)).to.include({
      'service.name': 'shop',
    });
    expect([byFile.stderr, byFile.requests.length, byFile.code]).to.deep.equal(['', 0, 0]);
    expect([wrong.requests.length, wrong.code]).to.deep.equal([0, 0]);
    expect(wrong.stderr.match(/OTEL_CONFIG_FILE is .*the file cannot be read/g)).to.have.length(1);
  });

  describe('beside another global provider', () => {
    it('stays where the app sets one later, which is told so', async () => {
      const { stdout, stderr, last } = await ran([...REGISTER, app('own-provider.mjs')]);
      expect(stdout.trim()).to.equal('taken false');
      expect(stderr).to.include('duplicate registration of API: metrics');
      expect(otlpTotal(last!, 'counted')).to.equal(1);
    });

    it('makes room where one was set before, and says so', async () => {
      const { stderr, requests, code } = await ran([
        '--import',
        app('provider-before.mjs'),
        ...REGISTER,
        app('app.mjs'),
      ]);
      expect(code).to.equal(0);
      expect(stderr).to.include('another global meter provider');
      expect(requests.length).to.equal(0);
    });
  });

  it('leaves a worker running that cannot use the store', async () => {
    const { code, stdout, stderr } = await ran([...REGISTER, app('no-region.mjs')]);
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'the worker runs\n' });
    expect(stderr).to.include('records no metrics').and.include('not a store');
  });

  it('leaves an app running that can have no shared memory', async () => {
    const { code, stdout, stderr } = await run(process.execPath, [
      '--import',
      pathToFileURL(app('without.mjs')).href,
      ...REGISTER,
      app('is-noop.mjs'),
    ]);
    expect(code).to.equal(0);
    expect(stdout).to.not.include('SeqlockMeterProvider');
    expect(stderr).to.include('records no metrics').and.include('SharedArrayBuffer is not defined');
  });

  it('makes the store smaller where the process may not reserve so many addresses', async () => {
    const { code, last, stderr } = await ran([
      '--import',
      pathToFileURL(app('little-room.mjs')).href,
      ...REGISTER,
      app('early.mjs'),
    ]);
    expect(code).to.equal(0);
    expect(otlpTotal(last!, 'early')).to.equal(1);
    expect(stderr).to.include('the store can grow to 16777216 bytes only, not to 67108864');
  });

  it('warns in a worker whose main thread is not registered', async () => {
    writeFileSync(
      join(FOLDER, 'worker-alone.mjs'),
      `import { Worker } from 'node:worker_threads';
       new Worker(new URL('./early.mjs', import.meta.url), { execArgv: ${JSON.stringify(REGISTER)} });`,
    );
    const { stderr, code } = await ran([join(FOLDER, 'worker-alone.mjs')]);
    expect(code).to.equal(0);
    expect(stderr).to.include('Preload seqlock-metrics/register in the main thread too');
  });
});
