/** The package as npm would publish it: what is inside, and that it works where there is nothing else. */
import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../src/base/version.ts';
import * as unpacked from '../src/index.ts';
import { install, link, pack, type Packed } from './support/installed.ts';
import { runWell } from './support/program.ts';
import { newFolder, removeFolders } from './support/store-directories.ts';

const LINKED = [
  '@opentelemetry/api',
  '@opentelemetry/sdk-metrics',
  '@types/node',
  'undici-types',
  'typescript',
];

const PLATFORMS = ['linux-x64.node', 'linux-arm64.node', 'darwin-x64.node', 'darwin-arm64.node'];

const CONSUMER = `
import { metrics, type Counter } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { bind, MetricStore, OptionError, SeqlockMeterProvider, SeqlockMetricProducer, SeqlockMetricReader } from 'seqlock-metrics';
import type { BoundCounter, SeqlockReadStats, RegionErrorCode, ResourceMetrics, SeqlockMeterProviderOptions } from 'seqlock-metrics';

const reader = new SeqlockMetricReader();
const options: SeqlockMeterProviderOptions = { readers: [reader], store: MetricStore.open({ maxBytes: 1 << 20 }) };
const provider = new SeqlockMeterProvider(options);
metrics.setGlobalMeterProvider(provider);
const counter: Counter = provider.getMeter('m', '1').createCounter('c');
const bound: BoundCounter = bind(counter, { a: [1, 2] });
bound.add(1);
const snapshot: ResourceMetrics = reader.snapshot();
const stats: SeqlockReadStats = reader.readStats();
const code: RegionErrorCode | 'E_OPTION' = new OptionError('a', 1, '2').code;
const point = snapshot.scopeMetrics[0]?.metrics[0]?.dataPoints[0]?.value;
new MeterProvider({ readers: [] });
new SeqlockMetricProducer(provider.store);
// @ts-expect-error: no such option
const wrong = (): unknown => new SeqlockMeterProvider({ reader });
void wrong;
const own: boolean = provider.getMeter('m').createCounter('c').enabled();
provider.getMeter('m').createHistogram('h').bind({ own }).record(1);
console.log(typeof point, stats.totalReads, code);
`;

/** True where a folder above the consumer's, such as that for temporary files, has the package: it is then not missing. */
function isInstalledAbove(folder: string, name: string): boolean {
  try {
    return createRequire(join(folder, 'consumer.js')).resolve(name) !== '';
  } catch {
    return false;
  }
}

describe('package', function () {
  this.timeout(60_000);
  let folder: string;
  let packed: Packed;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-'));
    packed = await pack(folder);
    await install(folder, packed.filename);
    link(folder, LINKED);
  });
  after(() => {
    rmSync(folder, { recursive: true });
    removeFolders();
  });

  it('has the version the code says', () => {
    expect(packed.version).to.equal(VERSION);
    expect(readFileSync('CHANGELOG.md', 'utf8')).to.match(
      new RegExp(`^## ${VERSION.replaceAll('.', '\\.')}\\b`, 'm'),
    );
  });

  it('contains what a user needs and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).to.include.members([
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/metrics.schema.json',
      'dist/index.cjs',
      'dist/exporter/page/page.js',
      'dist/exporter/page/page.html',
      'dist/exporter/page/page.css',
      'dist/index.d.cts',
      'docs/operations.md',
    ]);
    const other = paths.filter(
      (path) =>
        !/^(dist\/[a-z0-9/-]+\.(d\.ts|node)|dist\/(index|cli\/main|prom-client\/prom-client|register\/register|thread\/entry|chunk-[A-Z0-9]+)\.js(\.map)?|dist\/(index|prom-client)\.(cjs|d\.cts)|dist\/native\/SHA256SUMS|dist\/exporter\/page\/page\.(html|css|js)|docs\/[a-z0-9-]+\.md|examples\/[\w./-]+|dist\/metrics\.schema\.json|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(
          path,
        ),
    );
    expect(other).to.deep.equal([]);
    expect(packed.unpackedSize).to.be.lessThan(5_500_000);
  });

  it('contains types for every module, and none whose source is gone', () => {
    const types = packed.files.map(({ path }) => path).filter((path) => /^dist\/.*\.d\.ts$/.test(path));
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => path.endsWith('.ts') && !path.startsWith('page/')); // that is in the page's script
    expect(types).to.have.members(sources.map((path) => `dist/${path.replace(/\.ts$/, '.d.ts')}`));
  });

  it('exports what the modules export that it was put together from', async () => {
    writeFileSync(
      join(folder, 'exports.mjs'),
      `import { createRequire } from 'node:module';
       const names = (module) => Object.keys(module).filter((name) => name !== 'default' && name !== 'module.exports').sort();
       const imported = names(await import('seqlock-metrics'));
       const required = names(createRequire(import.meta.url)('seqlock-metrics'));
       console.log(JSON.stringify({ imported, required }));`,
    );
    const { stdout } = await runWell(process.execPath, ['exports.mjs'], { cwd: folder });
    const names = Object.keys(unpacked).sort();
    expect(JSON.parse(stdout)).to.deep.equal({ imported: names, required: names });
  });

  it('leads from its files to the sources', async () => {
    writeFileSync(
      join(folder, 'thrower.mjs'),
      `import { SeqlockMeterProvider } from 'seqlock-metrics';
       try { new SeqlockMeterProvider({ nonsense: 1 }); } catch (error) { console.log(error.stack); }`,
    );
    const args = ['--enable-source-maps', 'thrower.mjs'];
    const { stdout } = await runWell(process.execPath, args, { cwd: folder });
    expect(stdout).to.match(/[\\/]src[\\/]facade[\\/]meter-provider\.ts:\d+/);
  });

  it('has the JSON Schema as a file', () => {
    const path = createRequire(join(folder, 'consumer.js')).resolve('seqlock-metrics/metrics.schema.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).to.deep.equal(unpacked.metricsJsonSchema);
  });

  it('has an addon for each platform, with its checksum', function () {
    const native = join(folder, 'node_modules', 'seqlock-metrics', 'dist', 'native');
    if (!existsSync(join(native, 'SHA256SUMS'))) {
      if (process.env['CI'] === 'true') throw new Error('the package was packed without zig');
      console.log('SKIPPED: the package was packed without zig, so it has no addons for other platforms.');
      return this.skip();
    }
    const sums = readFileSync(join(native, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
    const found = sums.map((line) => {
      const [sum, name] = line.split('  ') as [string, string];
      const file = readFileSync(join(native, name));
      expect(createHash('sha256').update(file).digest('hex'), name).to.equal(sum);
      return name;
    });
    expect(found).to.have.members(PLATFORMS);
    expect(readdirSync(native)).to.have.members([...PLATFORMS, 'SHA256SUMS']);
  });

  it('takes koffi in the place of an addon, says what is missing without either, and loads neither unasked', async function () {
    if (process.platform !== 'linux' || isInstalledAbove(folder, 'koffi')) this.skip();
    const other = join(folder, 'other');
    await install(other, join(folder, packed.filename));
    link(other, LINKED);
    const native = join(other, 'node_modules', 'seqlock-metrics', 'dist', 'native');
    writeFileSync(
      join(other, 'main.mjs'),
      `import { readFileSync } from 'node:fs';
       import { MetricStore } from 'seqlock-metrics';
       const loaded = () => [...readFileSync('/proc/self/maps', 'utf8').matchAll(/\\S+\\.node$/gm)].map(([path]) => path);
       MetricStore.open();
       const unasked = loaded().length;
       try { MetricStore.open({ directory: process.argv[2] }).close(); } catch (error) { console.log(error.code, error.message); }
       console.log(unasked, loaded().every((path) => path.includes('koffi')) ? 'koffi' : 'addon', loaded().length > 0);`,
    );
    const said = async (): Promise<string> =>
      (await runWell(process.execPath, ['main.mjs', join(newFolder(), 'store')], { cwd: other })).stdout;
    if (existsSync(join(native, `linux-${process.arch}.node`)))
      expect(await said()).to.equal('0 addon true\n');
    rmSync(native, { recursive: true });
    expect(await said()).to.match(/^E_PLATFORM .*npm install koffi.*\n0 koffi false\n$/);
    link(other, ['koffi', '@koromix']);
    expect(await said()).to.equal('0 koffi true\n');
  });

  it('works when it is imported, in the main thread and in a worker', async () => {
    writeFileSync(
      join(folder, 'worker.mjs'),
      `import { SeqlockMeterProvider } from 'seqlock-metrics';
       new SeqlockMeterProvider().getMeter('m').createCounter('c').add(40);`,
    );
    writeFileSync(
      join(folder, 'main.mjs'),
      `import { SeqlockMeterProvider, SeqlockMetricReader } from 'seqlock-metrics';
       import { once } from 'node:events';
       import { Worker } from 'node:worker_threads';
       const reader = new SeqlockMetricReader();
       const provider = new SeqlockMeterProvider({ readers: [reader] });
       provider.getMeter('m').createCounter('c').add(2);
       await once(new Worker(new URL('./worker.mjs', import.meta.url)), 'exit');
       console.log(reader.snapshot().scopeMetrics[0].metrics[0].dataPoints[0].value);`,
    );
    const { stdout, stderr } = await runWell(process.execPath, ['main.mjs'], { cwd: folder });
    expect({ stdout, stderr }).to.deep.equal({ stdout: '42\n', stderr: '' });
  });

  it('works when it is required', async () => {
    writeFileSync(
      join(folder, 'main.cjs'),
      `const { SeqlockMeterProvider, SeqlockMetricReader } = require('seqlock-metrics');
       const { AggregationTemporality, InstrumentType } = require('@opentelemetry/sdk-metrics');
       const reader = new SeqlockMetricReader();
       new SeqlockMeterProvider({ readers: [reader] }).getMeter('m').createCounter('c').add(2);
       const [metric] = reader.snapshot().scopeMetrics[0].metrics;
       console.log(metric.dataPoints[0].value, metric.descriptor.type === InstrumentType.COUNTER,
         metric.aggregationTemporality === AggregationTemporality.CUMULATIVE);`,
    );
    const { stdout, stderr } = await runWell(process.execPath, ['main.cjs'], { cwd: folder });
    expect({ stdout, stderr }).to.deep.equal({ stdout: '2 true true\n', stderr: '' });
  });

  it('gives require and import one module', async () => {
    writeFileSync(
      join(folder, 'both.cjs'),
      `const required = require('seqlock-metrics');
       import('seqlock-metrics').then((imported) =>
         console.log(required.SeqlockMeterProvider === imported.SeqlockMeterProvider));`,
    );
    const { stdout } = await runWell(process.execPath, ['both.cjs'], { cwd: folder });
    expect(stdout).to.equal('true\n');
  });

  it('has a CommonJS form, with an exporter thread, for who can load no other', async () => {
    writeFileSync(
      join(folder, 'commonjs.cjs'),
      `const path = require('node:path');
       const { SeqlockMeterProvider, MetricStore, startExporterThread } = require(
         path.join(__dirname, 'node_modules/seqlock-metrics/dist/index.cjs'));
       const provider = new SeqlockMeterProvider();
       provider.getMeter('m').createCounter('c').add(2);
       (async () => {
         const exporter = await startExporterThread({ prometheus: { host: '127.0.0.1', port: 0 } });
         const text = await (await fetch('http://127.0.0.1:' + exporter.address.port + '/metrics')).text();
         const imported = await import('seqlock-metrics');
         console.log(/^c_total.*/m.exec(text)[0], imported.MetricStore !== MetricStore,
           new imported.SeqlockMeterProvider({ store: provider.store }).store.region.id === provider.store.region.id);
         await exporter.stop();
       })();`,
    );
    const { stdout } = await runWell(process.execPath, ['commonjs.cjs'], { cwd: folder });
    expect(stdout).to.match(/^c_total\{otel_scope_name="m"\} 2 true /);
  });

  for (const [mode, extension] of [
    ['node16', 'cts'],
    ['node16', 'mts'],
    ['nodenext', 'cts'],
  ] as const)
    it(`has types for TypeScript's module: ${mode} in a .${extension} file`, async () => {
      const file = `types-${mode}.${extension}`;
      writeFileSync(
        join(folder, file),
        CONSUMER.replaceAll('MetricStore.open({ maxBytes: 1 << 20 })', 'MetricStore.open()'),
      );
      const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
      const flags = [
        '--strict',
        '--skipLibCheck',
        'false',
        '--target',
        'es2022',
        '--module',
        mode,
        '--types',
        'node',
      ];
      await runWell(process.execPath, [tsc, ...flags, file], { cwd: folder });
      const made = file.replace(/\.(c|m)ts$/, '.$1js');
      const { stdout } = await runWell(process.execPath, [made], { cwd: folder });
      expect(stdout).to.equal('number 1 E_OPTION\n');
    });

  it('needs no other package to serve Prometheus and to push OTLP', async function () {
    if (isInstalledAbove(folder, '@opentelemetry/exporter-metrics-otlp-http')) this.skip();
    writeFileSync(
      join(folder, 'thread.mjs'),
      `import { once } from 'node:events';
       import { createServer } from 'node:http';
       import { SeqlockMeterProvider, startExporterThread } from 'seqlock-metrics';
       const types = [];
       const collector = createServer((request, response) => {
         types.push(request.headers['content-type']);
         request.resume().on('end', () => response.end());
       }).listen(0, '127.0.0.1');
       await once(collector, 'listening');
       const url = 'http://127.0.0.1:' + collector.address().port + '/v1/metrics';
       new SeqlockMeterProvider().getMeter('m').createCounter('c').add(2);
       for (const protocol of ['http/json', 'http/protobuf']) {
         const exporter = await startExporterThread({ prometheus: { host: '127.0.0.1', port: 0 }, otlp: { protocol, url } });
         const text = await (await fetch('http://127.0.0.1:' + exporter.address.port + '/metrics')).text();
         await exporter.stop();
         console.log(types.at(-1), /^c_total.*/m.exec(text)[0]);
       }
       collector.close();`,
    );
    const { stdout, stderr } = await runWell(process.execPath, ['thread.mjs'], { cwd: folder });
    const line = 'c_total{otel_scope_name="m"} 2';
    expect({ stdout, stderr }).to.deep.equal({
      stdout: `application/json ${line}\napplication/x-protobuf ${line}\n`,
      stderr: '',
    });
  });

  it('has types that a strict consumer compiles, and that say the truth', async () => {
    writeFileSync(join(folder, 'consumer.mts'), CONSUMER);
    const strict = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--noUncheckedIndexedAccess',
      '--skipLibCheck',
      'false',
    ];
    const target = ['--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
    const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
    await runWell(process.execPath, [tsc, ...strict, ...target, 'consumer.mts'], { cwd: folder });
    const { stdout } = await runWell(process.execPath, ['consumer.mjs'], { cwd: folder });
    expect(stdout).to.equal('number 1 E_OPTION\n');
  });
});
