/** The code blocks of README.md, saved under the names in their first lines and run. */
import { expect } from 'chai';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort } from '../examples/demo/free-port.ts';
import { parseScrape, total } from '../examples/demo/scraped-text.ts';
import { attributesOf, findMetric, otlpTotal } from '../examples/demo/otlp-read.ts';
import { startOtlpReceiver } from '../examples/demo/otlp-receiver.ts';
import { eventually } from './support/eventually.ts';
import { runWell, start } from './support/program.ts';
import { newFolder, removeFolders } from './support/store-directories.ts';

const FOLDER = resolve('build/readme'); // inside the package, so that its own name and its peers resolve

const readme = readFileSync('README.md', 'utf8');
const blocks = new Map(
  [...readme.matchAll(/```js\n\/\/ (\S+\.mjs)\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!]),
);

describe('README', () => {
  before(() => {
    mkdirSync(FOLDER, { recursive: true });
    for (const [name, code] of blocks) writeFileSync(join(FOLDER, name), code);
  });
  after(() => rmSync(FOLDER, { recursive: true }));
  after(removeFolders);

  it('has code blocks that a strict TypeScript compiler takes', async () => {
    for (const [name, code] of blocks) {
      writeFileSync(join(FOLDER, name.replace('.mjs', '.mts')), code);
    }
    const files = [...blocks.keys()].map((name) => join(FOLDER, name.replace('.mjs', '.mts')));
    const flags = ['--ignoreConfig', '--noEmit', '--strict', '--noUncheckedIndexedAccess', '--skipLibCheck'];
    const target = [
      '--target',
      'es2022',
      '--lib',
      'es2022,esnext.disposable',
      '--module',
      'nodenext',
      '--types',
      'node',
    ];
    await runWell(process.execPath, [
      resolve('node_modules/typescript/bin/tsc'),
      ...flags,
      ...target,
      ...files,
    ]);
  });

  it('has only code blocks that are run here', () => {
    expect(readme.match(/```js/g)?.length).to.equal(blocks.size);
    const run = [
      'telemetry.mjs',
      'app.mjs',
      'worker.mjs',
      'shop.mjs',
      'push.mjs',
      'otlp.mjs',
      'read.mjs',
      'provider.mjs',
      'seqlock.mjs',
      'views.mjs',
      'warnings.mjs',
    ];
    expect([...blocks.keys()].sort()).to.deep.equal(run.sort());
  });

  it('registers in ten lines', () => {
    expect(blocks.get('telemetry.mjs')!.trim().split('\n').length).to.be.at.most(10);
  });

  it('shows the counts of workers that are gone, and ends on SIGTERM', async () => {
    const port = await freePort();
    const app = start(process.execPath, [join(FOLDER, 'app.mjs')], {
      env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port) },
    });
    const samples = await eventually(async () => {
      const found = parseScrape(await (await fetch(`http://localhost:${port}/metrics`)).text());
      return total(found, 'jobs_total', { queue: 'mail' }) === 4000 ? found : undefined;
    });
    expect(total(samples, 'workers_started_total')).to.equal(4);
    app.child.kill('SIGTERM');
    expect(await app.outcome).to.deep.equal({ code: null, stdout: '', stderr: '' });
  });

  it('shares a store between processes', async () => {
    const code = blocks.get('shop.mjs')!.replace('/dev/shm/shop', join(newFolder(), 'shop'));
    writeFileSync(join(FOLDER, 'shop.mjs'), code);
    const first = await runWell(process.execPath, [join(FOLDER, 'shop.mjs')]);
    const second = await runWell(process.execPath, [join(FOLDER, 'shop.mjs')]);
    expect([first, second].map(({ stdout }) => stdout)).to.deep.equal(['1\n', '2\n']);
    expect(second.stderr).to.equal('');
  });

  it('pushes from the exporter thread, and ends by itself', async () => {
    const receiver = await startOtlpReceiver();
    const port = await freePort();
    const code = blocks.get('push.mjs')!.replace('port: 9464', `port: ${port}`);
    writeFileSync(join(FOLDER, 'push.mjs'), code);
    const { stdout, stderr } = await runWell(process.execPath, [join(FOLDER, 'push.mjs')], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    });
    await receiver.close();
    expect({ stdout, stderr }).to.deep.equal({ stdout: `metrics at port ${port}\n`, stderr: '' });
    expect(otlpTotal(receiver.inbox('/v1/metrics').requests.at(-1)!, 'mails')).to.equal(3);
  });

  it('shows what views do', async () => {
    const { stdout, stderr } = await runWell(process.execPath, [join(FOLDER, 'views.mjs')]);
    expect(stdout).to.equal('false\nhttp.requests 2\njobs.sum 3\n');
    expect(stderr).to.equal('');
  });

  it('exports by OTLP', async () => {
    const receiver = await startOtlpReceiver();
    const { stderr } = await runWell(process.execPath, [join(FOLDER, 'otlp.mjs')], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    });
    await receiver.close();
    expect(stderr).to.equal('');
    const [request] = receiver.inbox('/v1/metrics').requests;
    const [point] = findMetric(request!, 'mail.size')!.histogram!.dataPoints;
    expect(point!.sum).to.equal(2500);
    expect(attributesOf(point!.attributes)).to.deep.equal({ to: ['a', 'b'] });
  });

  it('reads values', async () => {
    const { stdout } = await runWell(process.execPath, [join(FOLDER, 'read.mjs')]);
    expect(stdout.split('\n')[0]).to.equal('requests 3');
    expect(stdout).to.match(/totalReads: 1, *\n? *fastPathReads: 1/);
  });

  it('counts, gauges and times by name', async () => {
    const { stdout, stderr } = await runWell(process.execPath, [join(FOLDER, 'provider.mjs')]);
    expect(stderr).to.equal('');
    const [values, ...text] = stdout.split('\n');
    expect(values).to.equal('1 0 1');
    expect(text).to.include('http_requests_total{method="GET"} 1');
  });

  it('guards numbers with the lock by itself', async () => {
    const { stdout } = await runWell(process.execPath, [join(FOLDER, 'seqlock.mjs')]);
    expect(stdout.trim()).to.equal('true 1,2,3');
  });

  it('shows warnings', async () => {
    const { stderr, stdout } = await runWell(process.execPath, [
      '--import',
      join(FOLDER, 'warnings.mjs'),
      '--input-type=module',
      '--eval',
      "import { SeqlockMeterProvider } from 'seqlock-metrics'; new SeqlockMeterProvider().getMeter('m').createCounter('c').add(-1)",
    ]);
    expect(stderr + stdout).to.include('negative value provided to counter c');
  });
});
