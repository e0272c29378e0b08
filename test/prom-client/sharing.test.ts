/** The drop-in in several threads, and in several processes. */
import { expect } from 'chai';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import client from '../../src/prom-client/prom-client.ts';
import { runWell } from '../support/program.ts';
import { newFolder } from '../support/store-directories.ts';
import { counter, linesOf, work } from './app.ts';
import { closeStore } from './close-store.ts';

const APP = new URL('./app.js', import.meta.url);

function value(text: string, start: string): number {
  const line = linesOf(text).find((one) => one.startsWith(start));
  return Number(line?.slice(line.lastIndexOf(' ') + 1));
}

after(closeStore);

describe('prom-client in several threads', () => {
  it('adds up what all threads count, and follows the aggregators of gauges', async () => {
    work(2);
    const worker = new Worker(APP);
    try {
      await once(worker, 'message');
      const text = await client.register.metrics();
      expect(linesOf(text).filter((line) => /^(jobs|sizes|waits_)/.test(line))).to.deep.equal([
        'jobs_total{kind="even"} 1000',
        'jobs_total{kind="odd"} 1000',
        'sizes_bucket{le="1"} 2',
        'sizes_bucket{le="10"} 4',
        'sizes_bucket{le="+Inf"} 6',
        'sizes_sum 111',
        'sizes_count 6',
        'waits_sum 10100',
        'waits_count 200',
      ]);
      expect(value(text, 'waits{quantile="0.5"}')).to.be.within(50 * 0.978, 51 * 1.022);
      const levels = ['sum', 'min', 'max', 'average'].map((one) => value(text, `level_${one}`));
      expect(levels).to.deep.equal([6, 2, 4, 3]);
      expect(value(text, 'collected'), 'callbacks of both threads').to.be.at.least(2);
    } finally {
      await worker.terminate();
    }
    const after = await client.register.metrics();
    expect(value(after, 'jobs_total{kind="odd"}')).to.equal(1000);
    expect(value(after, 'level_sum'), 'of living threads').to.equal(2);
  });

  it('ends a series for all threads, which begins anew from zero', async () => {
    counter.remove({ kind: 'odd' });
    expect(linesOf(await client.register.metrics()).filter((line) => line.includes('odd'))).to.deep.equal([]);
    counter.inc({ kind: 'odd' });
    expect(value(await client.register.metrics(), 'jobs_total{kind="odd"}')).to.equal(1);
    counter.reset();
    expect(linesOf(await client.register.metrics()).some((line) => line.startsWith('jobs'))).to.equal(false);
  });
});

describe('prom-client in several processes', function () {
  this.timeout(60_000);

  it('answers for all from a process that counted nothing, with the counts of one that was killed', async () => {
    const directory = newFolder();
    const env = { ...process.env, SEQLOCK_METRICS_DIRECTORY: directory };
    const children: ChildProcess[] = [];
    try {
      for (const level of ['1', '5'])
        children.push(fork(fileURLToPath(APP), { env: { ...env, PROM_CLIENT_LEVEL: level } }));
      await Promise.all(children.map((child) => once(child, 'message')));
      children[0]!.kill('SIGKILL');
      await once(children[0]!, 'exit');
      const script = `
        import client from ${JSON.stringify(new URL('../../src/prom-client/prom-client.js', import.meta.url).href)};
        console.log(await new client.AggregatorRegistry().clusterMetrics());`;
      const { stdout } = await runWell(process.execPath, ['--input-type=module', '--eval', script], { env });
      expect(value(stdout, 'jobs_total{kind="odd"}')).to.equal(1000);
      expect(value(stdout, 'sizes_count')).to.equal(6);
      expect(value(stdout, 'waits_sum')).to.equal(10100);
      expect(value(stdout, 'level_max'), 'of the process that lives').to.equal(5);
      expect(value(stdout, 'level_sum')).to.equal(5);
    } finally {
      for (const child of children) child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('prom-client, where the store was closed', () => {
  it('makes new metrics in another store, and reads the others in theirs', async () => {
    const registers = [new client.Registry()];
    const before = ['a', 'b', 'c'].map((name) => {
      const one = new client.Counter({
        name: `${name}_before`,
        help: 'Before',
        labelNames: ['k'],
        registers,
      });
      for (let k = 0; k < 20; k++) one.inc({ k }, k);
      return one;
    });
    closeStore();
    const after = new client.Counter({ name: 'after', help: 'After', registers });
    after.inc(7);
    expect((await after.get()).values).to.deep.equal([{ value: 7, labels: {} }]);
    for (const one of before)
      expect((await one.get()).values.map(({ value: total }) => total)).to.deep.equal(
        Array.from({ length: 20 }, (_, k) => k),
      );
  });
});
