import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL, fileURLToPath } from 'node:url';
import { runWell } from '../support/program.ts';
import { collectShared } from '../support/sharing.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

const REGISTER = new URL('../../src/register/register.js', import.meta.url).href;
const API = pathToFileURL(fileURLToPath(import.meta.resolve('@opentelemetry/api'))).href;

describe('seqlock-metrics/register with SEQLOCK_METRICS_DIRECTORY', function () {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  after(removeFolders);

  it('has main threads and workers of all processes record into one store', async () => {
    const folder = newFolder();
    const app = join(folder, 'app.mjs');
    writeFileSync(
      app,
      `import { isMainThread, Worker } from 'node:worker_threads';
       import api from ${JSON.stringify(API)};
       api.metrics.getMeter('app').createCounter('hits').add(isMainThread ? 1 : 10);
       if (isMainThread) new Worker(new URL(import.meta.url));`,
    );
    const directory = join(folder, 'store');
    const env = { SEQLOCK_METRICS_DIRECTORY: directory, OTEL_METRICS_EXPORTER: 'none' };
    const processes = [1, 2, 3].map(() => runWell(process.execPath, ['--import', REGISTER, app], { env }));
    const outcomes = await Promise.all(processes);
    expect(outcomes.map(({ stderr }) => stderr).join('')).to.equal('');
    const { metrics, slabs } = await collectShared(directory);
    expect(metrics['hits']).to.deep.equal({ '{}': 33 });
    expect(slabs).to.be.at.most(7);
  });
});
