import { expect } from 'chai';
import { join } from 'node:path';
import { MEMORY_ORDER_VARIABLE } from '../../src/memory/memory-order.ts';
import { collectShared, runShared, SharingProcess } from '../support/sharing.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

/** Sum of the values of a metric. */
function total(points: Record<string, unknown> | undefined): number {
  return Object.values(points ?? {}).reduce<number>((sum, value) => sum + (value as number), 0);
}

describe('a store of several processes', function () {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  after(removeFolders);

  let directory: string;
  beforeEach(() => (directory = join(newFolder(), 'store')));

  it('has what all of them counted, also those that ended or were killed', async () => {
    const processes = [1000, 2000, 3000].map(
      (times) => new SharingProcess(directory, [{ do: 'count', times }, { do: 'wait' }]),
    );
    for (const one of processes) await one.next();
    await processes[0]!.kill();
    processes[1]!.go();
    await processes[1]!.end();
    const { metrics } = await collectShared(directory);
    expect(total(metrics['hits'])).to.equal(6000);
    expect(Object.keys(metrics['hits']!)).to.have.length(3);
    await processes[2]!.kill();
  });

  it('gives the slab of a process that was killed to the next, and grows no more', async () => {
    // The one that makes the store is of a kind of its own: it writes the configuration first.
    for (let i = 0; i < 2; i++) await runShared(directory, { do: 'count', times: 100 });
    const first = await collectShared(directory);
    for (let i = 0; i < 5; i++) await runShared(directory, { do: 'count', times: 100 }, { do: 'crash' });
    const last = await collectShared(directory);
    expect(total(last.metrics['hits'])).to.equal(700);
    expect(last.slabs).to.equal(first.slabs);
    expect(last.usedBytes).to.equal(first.usedBytes);
  });

  it('has processes of both memory orders on x64, each of which goes on in the cells of the other', async () => {
    for (const order of ['', 'strict', '', 'strict']) {
      const jobs = [
        { do: 'count', times: 500 },
        { do: 'histogram', values: [5, 50] },
        { do: 'crash' },
      ] as const;
      await new SharingProcess(directory, jobs, { [MEMORY_ORDER_VARIABLE]: order }).end();
    }
    const { metrics, slabs } = await collectShared(directory);
    expect(total(metrics['hits'])).to.equal(2000);
    expect(metrics['sizes']!['{}']).to.deep.include({ count: 8, sum: 220 });
    expect(slabs).to.be.at.most(3);
  });

  it('leaves the slab of a stopped process alone, which goes on without loss', async () => {
    const stopped = new SharingProcess(directory, [
      { do: 'count', times: 100 },
      { do: 'wait' },
      { do: 'count', times: 100 },
    ]);
    await stopped.next();
    stopped.child.kill('SIGSTOP');
    await runShared(directory, { do: 'count', times: 100 });
    const meanwhile = await collectShared(directory);
    expect(total(meanwhile.metrics['hits'])).to.equal(200);
    expect(meanwhile.owners, 'its slab is its own').to.include(stopped.pid);
    stopped.go();
    stopped.child.kill('SIGCONT');
    await stopped.end();
    expect(total((await collectShared(directory)).metrics['hits'])).to.equal(300);
  });

  it('leaves the slab of a process alone whose descriptors were closed under it, which goes on without loss', async function () {
    if (process.platform !== 'linux') this.skip();
    const owner = new SharingProcess(directory, [
      { do: 'count', times: 100 },
      { do: 'close descriptors' },
      { do: 'wait' },
      { do: 'count', times: 100 },
      { do: 'many', series: 1000 },
      { do: 'wait' },
    ]);
    await owner.next();
    for (let i = 0; i < 3; i++) await runShared(directory, { do: 'count', times: 100 });
    expect((await collectShared(directory)).owners, 'its slab is its own').to.include(owner.pid);
    owner.go();
    await owner.next();
    const { metrics } = await collectShared(directory);
    expect(total(metrics['hits'])).to.equal(500);
    expect(Object.keys(metrics['many']!), 'it can claim memory too').to.have.length(1000);
    await owner.kill();
    for (let i = 0; i < 2; i++) await runShared(directory, { do: 'count', times: 100 });
    const after = await collectShared(directory);
    expect(total(after.metrics['hits']), 'and its slab is free when it is dead').to.equal(700);
    expect(after.slabs).to.be.at.most(3);
  });

  it('adds up histograms, and merges gauges of live processes as they say', async () => {
    const gauge = (value: number, merge: 'most-recent' | 'sum' | 'max') =>
      new SharingProcess(directory, [
        { do: 'histogram', values: [value] },
        { do: 'gauge', value, merge },
        { do: 'wait' },
      ]);
    const first = gauge(7, 'sum');
    await first.next();
    const second = gauge(50, 'sum');
    await second.next();
    const both = await collectShared(directory);
    expect(both.metrics['depth']).to.deep.equal({ '{}': 57 });
    expect(both.metrics['sizes']!['{}']).to.deep.include({ count: 2, sum: 57 });
    await first.kill();
    expect((await collectShared(directory)).metrics['depth'], 'a dead process has no gauges').to.deep.equal({
      '{}': 50,
    });
    await second.kill();
  });

  it('tells writers of a per-writer gauge apart by process and thread', async () => {
    const processes = [3, 4].map(
      (value) => new SharingProcess(directory, [{ do: 'gauge', value, merge: 'per-writer' }, { do: 'wait' }]),
    );
    for (const one of processes) await one.next();
    const { metrics } = await collectShared(directory);
    expect(metrics['depth']).to.deep.equal({
      [`{"process.pid":${processes[0]!.pid},"thread.id":0}`]: 3,
      [`{"process.pid":${processes[1]!.pid},"thread.id":0}`]: 4,
    });
    for (const one of processes) await one.kill();
  });

  it('orders gauge sets of different processes, and keeps that of the latest', async () => {
    const first = new SharingProcess(directory, [
      { do: 'gauge', value: 1, merge: 'most-recent' },
      { do: 'wait' },
      { do: 'gauge', value: 3, merge: 'most-recent' },
      { do: 'wait' },
    ]);
    await first.next();
    const second = new SharingProcess(directory, [
      { do: 'gauge', value: 2, merge: 'most-recent' },
      { do: 'wait' },
    ]);
    await second.next();
    expect((await collectShared(directory)).metrics['depth']).to.deep.equal({ '{}': 2 });
    first.go();
    await first.next();
    expect((await collectShared(directory)).metrics['depth']).to.deep.equal({ '{}': 3 });
    for (const one of [first, second]) await one.kill();
  });

  it('has the callbacks of all processes called by whoever collects, and keeps the last values of one that hangs', async () => {
    const turning = new SharingProcess(directory, [{ do: 'observe', value: 5 }, { do: 'wait' }]);
    const hanging = new SharingProcess(directory, [
      { do: 'observe', value: 6 },
      { do: 'wait' },
      { do: 'hang' },
    ]);
    await turning.next();
    await hanging.next();
    const both = { [`{"pid":${turning.pid}}`]: 5, [`{"pid":${hanging.pid}}`]: 6 };
    expect((await collectShared(directory)).metrics['seen']).to.deep.equal(both);
    hanging.go();
    await hanging.next();
    expect((await collectShared(directory)).metrics['seen'], 'while one hangs').to.deep.equal(both);
    await hanging.kill();
    expect((await collectShared(directory)).metrics['seen'], 'when it is dead').to.deep.equal({
      [`{"pid":${turning.pid}}`]: 5,
    });
    await turning.kill();
  });

  it('keeps totals of exponential histograms, exemplars and limits as one process would', async () => {
    await runShared(directory, { do: 'many', series: 1500 }, { do: 'crash' });
    await runShared(directory, { do: 'many', series: 2500 });
    const { metrics } = await collectShared(directory);
    expect(Object.keys(metrics['many']!)).to.have.length(2001);
    expect(total(metrics['many'])).to.equal(4000);
    expect(metrics['many']!['{"otel.metric.overflow":true}']).to.equal(500);
  });

  it('is configured by the process that makes it; another follows, and says once what it wanted', async () => {
    const first = new SharingProcess(directory, [
      { do: 'configured', as: 'first', views: ['a'] },
      { do: 'wait' },
    ]);
    const own = (await first.next()) as { resource: object; said: string[] };
    const second = new SharingProcess(directory, [{ do: 'configured', as: 'second', views: ['b'] }]);
    const other = (await second.next()) as typeof own;
    expect(own.resource).to.deep.equal({ 'service.name': 'first' });
    expect(own.said).to.deep.equal([]);
    expect(other.resource).to.deep.equal({ 'service.name': 'first' });
    expect(other.said).to.have.length(2);
    expect(other.said[0]).to.include('differ (views');
    expect(other.said[1]).to.include('resource of this provider');
    await second.end();
    const third = new SharingProcess(directory, [{ do: 'configured', as: 'first', views: ['a'] }]);
    expect(((await third.next()) as typeof own).said).to.deep.equal([]);
    for (const one of [first, third]) await one.kill();
  });
});
