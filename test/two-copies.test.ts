/** Two copies of the package in one process: a dependency that brings its own, and one that a bundler made. */
import { expect } from 'chai';
import { build } from 'esbuild';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FORMAT_MAJOR } from '../src/memory/layout.ts';
import { install, link, pack } from './support/installed.ts';
import { runWell, type Outcome } from './support/program.ts';

/** Of the app, in the main thread: its own copy, and a reader. */
const APP = `
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { bind, MetricStore, SeqlockMeterProvider, SeqlockMetricProducer, SeqlockMetricReader } from 'seqlock-metrics';
import * as dependency from 'dependency';
const reader = new SeqlockMetricReader();
const provider = new SeqlockMeterProvider({ readers: [reader] });
const counter = provider.getMeter('m').createCounter('c');
const points = (name) => reader.snapshot().scopeMetrics.flatMap(({ metrics }) => metrics)
  .filter(({ descriptor }) => descriptor.name === name).flatMap(({ dataPoints }) => dataPoints);
const total = () => points('c').map(({ value }) => value).join();
const errorOf = (work) => { try { work(); return 'none'; } catch ({ code, message }) { return code + ' ' + message; } };
/** Runs a module in a worker; what it died of, if it did. */
async function inWorker(file) {
  const worker = new Worker(new URL(file, import.meta.url));
  let died = 'none';
  worker.on('error', ({ code, message }) => (died = code + ' ' + message));
  await new Promise((resolve) => worker.once('exit', resolve));
  return died;
}
`;

const COUNT_TEN = `getMeter('m').createCounter('c').add(10);`;

describe('two copies of the package in one process', function () {
  this.timeout(120_000);
  let folder: string;
  let dependency: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-'));
    dependency = join(folder, 'node_modules', 'dependency');
    const tarball = join(folder, (await pack(folder)).filename);
    await install(folder, tarball);
    await install(dependency, tarball);
    link(folder, ['@opentelemetry/api', '@opentelemetry/sdk-metrics']);
    write('node_modules/dependency/index.js', `export * from 'seqlock-metrics';`);
    write(
      'node_modules/dependency/package.json',
      '{ "name": "dependency", "type": "module", "exports": "./index.js" }',
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  function write(file: string, text: string): void {
    writeFileSync(join(folder, file), text);
  }

  async function run(code: string): Promise<Outcome> {
    write('app.mjs', APP + code);
    const outcome = await runWell(process.execPath, ['app.mjs'], { cwd: folder });
    expect(outcome.stderr).to.equal('');
    return outcome;
  }

  it('are two indeed', async () => {
    const { stdout } = await run(`console.log(dependency.MetricStore === MetricStore);`);
    expect(stdout).to.equal('false\n');
  });

  it('on one thread: the other opens the published store, takes one it is given, and binds its instruments', async () => {
    const { stdout } = await run(`
      counter.add(1);
      const opened = dependency.MetricStore.open();
      new dependency.SeqlockMeterProvider({ store: opened }).${COUNT_TEN}
      new dependency.SeqlockMeterProvider({ store: provider.store }).${COUNT_TEN}
      dependency.bind(counter).add(100);
      console.log(total(), opened.usedBytes === provider.store.usedBytes);
      const [theirs] = new dependency.SeqlockMetricProducer(provider.store).snapshot().scopeMetrics[0].metrics;
      console.log(theirs.dataPoints[0].value);
      await provider.shutdown();
      console.log(opened.closed, dependency.MetricStore.open().region.created !== opened.region.created);`);
    expect(stdout).to.equal('121 true\n121\ntrue true\n');
  });

  it('a worker that has the other copy alone joins, and so do its workers', async () => {
    write(
      'worker.mjs',
      `import { SeqlockMeterProvider } from 'dependency';
       import { Worker } from 'node:worker_threads';
       new SeqlockMeterProvider().${COUNT_TEN}
       new Worker(\`import('seqlock-metrics').then(({ SeqlockMeterProvider }) =>
         new SeqlockMeterProvider().getMeter('m').createCounter('c').add(100))\`, { eval: true });`,
    );
    const { stdout } = await run(`
      counter.add(1);
      console.log(await inWorker('./worker.mjs'), total());`);
    expect(stdout).to.equal('none 111\n');
  });

  it('a worker that has both records in both, and is one thread to a gauge that is reported by thread', async () => {
    write(
      'worker.mjs',
      `import * as app from 'seqlock-metrics';
       import * as dependency from 'dependency';
       import { parentPort } from 'node:worker_threads';
       for (const copy of [app, dependency]) {
         const provider = new copy.SeqlockMeterProvider();
         provider.${COUNT_TEN}
         provider.getMeter('m').createGauge('g', { merge: 'per-writer' }).record(copy === app ? 1 : 2);
       }
       parentPort.postMessage('done');
       parentPort.once('message', () => {});`,
    );
    const { stdout } = await run(`
      const worker = new Worker(new URL('./worker.mjs', import.meta.url));
      await once(worker, 'message');
      console.log(total(), JSON.stringify(points('g').map(({ attributes, value }) => [attributes, value])));
      await worker.terminate();`);
    expect(stdout).to.equal('20 [[{"thread.id":1},2]]\n');
  });

  it('a store that the other copy makes later is not published in the place of the first', async () => {
    write(
      'worker.mjs',
      `import { SeqlockMeterProvider } from 'seqlock-metrics'; new SeqlockMeterProvider().${COUNT_TEN}`,
    );
    const { stdout } = await run(`
      const other = new dependency.SeqlockMeterProvider();
      console.log(await inWorker('./worker.mjs'), total());
      await provider.shutdown();
      console.log(dependency.MetricStore.published() === other.store);`);
    expect(stdout).to.equal('none 10\ntrue\n');
  });

  it('a copy that a bundler made shares the store as well', async () => {
    write(
      'source.mjs',
      `import { SeqlockMeterProvider } from 'seqlock-metrics'; new SeqlockMeterProvider().${COUNT_TEN}`,
    );
    for (const [format, outfile] of [
      ['esm', 'bundled.mjs'],
      ['cjs', 'bundled.cjs'],
    ] as const)
      await build({
        absWorkingDir: folder,
        entryPoints: ['source.mjs'],
        bundle: true,
        minify: true,
        platform: 'node',
        format,
        outfile,
        external: ['@opentelemetry/*'],
      });
    expect(readFileSync(join(folder, 'bundled.cjs'), 'utf8')).to.not.include("require('seqlock-metrics')");
    const { stdout } = await run(`
      for (const file of ['./bundled.mjs', './bundled.cjs']) console.log(await inWorker(file), total());`);
    expect(stdout).to.equal('none 10\nnone 20\n');
  });

  it('a copy of another format says clearly that it cannot', async () => {
    const dist = 'node_modules/dependency/node_modules/seqlock-metrics/dist';
    const said = `FORMAT_MAJOR = ${FORMAT_MAJOR};`;
    const [layout, ...more] = readdirSync(join(folder, dist))
      .filter((name) => name.endsWith('.js'))
      .map((name) => `${dist}/${name}`)
      .filter((path) => readFileSync(join(folder, path), 'utf8').includes(said));
    if (layout === undefined || more.length > 0) throw new Error(`"${said}" is not in one file of ${dist}`);
    const original = readFileSync(join(folder, layout), 'utf8');
    write(layout, original.replace(said, `FORMAT_MAJOR = ${FORMAT_MAJOR + 1};`));
    write(
      'worker.mjs',
      `import { SeqlockMeterProvider } from 'dependency'; new SeqlockMeterProvider().${COUNT_TEN}`,
    );
    try {
      const { stdout } = await run(`
        counter.add(1);
        console.log(await inWorker('./worker.mjs'));
        console.log(errorOf(() => dependency.MetricStore.open()));
        console.log(errorOf(() => new dependency.SeqlockMeterProvider({ store: provider.store })));
        new dependency.SeqlockMeterProvider().${COUNT_TEN}
        console.log(total());`);
      const message = `E_VERSION the store has format ${FORMAT_MAJOR}, and this copy of seqlock-metrics reads format ${FORMAT_MAJOR + 1}: two versions of the package are in use. See \`npm ls seqlock-metrics\`, and use one version in all threads and processes`;
      expect(stdout.trim().split('\n')).to.deep.equal([message, message, message, '1']);
    } finally {
      write(layout, original);
    }
  });
});
