/** Whoever creates a worker, and with whatever options: it finds the store. */
import { expect } from 'chai';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SHARE_ENV, Worker, type WorkerOptions } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import { MetricStore } from '../../src/index.ts';
import { makeProvider, shutDownProviders, type ProviderUnderTest } from '../support/provider.ts';

const TASK = fileURLToPath(new URL('../support/pool-task.js', import.meta.url));
const WORKER = new URL('../support/joining-worker.js', import.meta.url);
const TASKS = 24;
const TIMES = 100;

function total({ points }: ProviderUnderTest, name: string): number {
  return points(name).reduce((sum, { value }) => sum + (value as number), 0);
}

describe('joining', () => {
  beforeEach(() =>
    expect(MetricStore.published(), 'a store that another test left open').to.equal(undefined),
  );
  afterEach(shutDownProviders);

  it('works for the tasks of piscina, and what they counted outlives the pool', async () => {
    const provided = makeProvider();
    const pool = new Piscina({ filename: TASK, minThreads: 3, maxThreads: 3 });
    const threads = await Promise.all(
      Array.from({ length: TASKS }, () => pool.run(TIMES) as Promise<number>),
    );
    expect(total(provided, 'tasks')).to.equal(TASKS * TIMES);
    await pool.destroy();
    expect(new Set(threads).size).to.be.above(1);
    expect(total(provided, 'tasks')).to.equal(TASKS * TIMES);
  });

  it('works for the tasks of tinypool, also where each has a worker of its own', async () => {
    const provided = makeProvider();
    for (const isolateWorkers of [false, true]) {
      const pool = new Tinypool({
        filename: TASK,
        runtime: 'worker_threads',
        minThreads: 2,
        maxThreads: 2,
        isolateWorkers,
      });
      await Promise.all(Array.from({ length: 6 }, () => pool.run(TIMES) as Promise<number>));
      await pool.destroy();
    }
    expect(total(provided, 'tasks')).to.equal(2 * 6 * TIMES);
  });

  const options: Readonly<Record<string, WorkerOptions>> = {
    'env: SHARE_ENV': { env: SHARE_ENV },
    'an env of its own': { env: { NOTHING: 'else' } },
    'execArgv of its own': { execArgv: ['--no-warnings'] },
    resourceLimits: { resourceLimits: { maxOldGenerationSizeMb: 64, stackSizeMb: 2 } },
    'argv, a name, and no stdout': { argv: ['a'], name: 'named', stdout: true },
  };
  for (const [what, given] of Object.entries(options))
    it(`works for a worker with ${what}`, async () => {
      const provided = makeProvider();
      await once(new Worker(WORKER, given), 'exit');
      expect(total(provided, 'joined')).to.equal(1);
    });

  it('works for workers of workers of workers', async () => {
    const provided = makeProvider();
    await once(new Worker(WORKER, { workerData: { depth: 3 } }), 'exit');
    expect(total(provided, 'joined')).to.equal(4);
  });

  it('works for code that is evaluated', async () => {
    const provided = makeProvider();
    const url = new URL('../../src/index.js', import.meta.url).href;
    const code = `import(${JSON.stringify(url)}).then(({ SeqlockMeterProvider }) =>
      new SeqlockMeterProvider().getMeter('m').createCounter('joined').add(1))`;
    await once(new Worker(code, { eval: true }), 'exit');
    expect(total(provided, 'joined')).to.equal(1);
  });
});
