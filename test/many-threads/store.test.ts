import type { Attributes } from '@opentelemetry/api';
import { expect } from 'chai';
import { MetricStore, SeqlockMeterProvider } from '../../src/index.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';
import type { About, Job } from '../support/recording-thread.ts';
import { endThreads, Thread } from '../support/threads.ts';

const count = (n: number): Job => ({
  do: 'record',
  recordings: [{ kind: 'counter', name: 'c', values: [n], times: 1 }],
});

describe('whose store', () => {
  beforeEach(() =>
    expect(MetricStore.published(), 'a store that another test left open').to.equal(undefined),
  );
  afterEach(endThreads);
  afterEach(shutDownProviders);

  it('two providers of the main thread have each their own', () => {
    const [one, two] = [makeProvider(), makeProvider()];
    one.meter.createCounter('c').add(1);
    two.meter.createCounter('c').add(10);
    two.meter.createCounter('d').add(1);
    expect(one.value('c')).to.equal(1);
    expect(two.value('c')).to.equal(10);
    expect(one.points('d')).to.deep.equal([]);
  });

  it('a worker joins the first one that is open; so do its workers', async () => {
    const [one, two] = [makeProvider(), makeProvider()];
    one.meter.createCounter('c').add(1);
    expect(MetricStore.published()).to.equal(one.provider.store);
    const thread = new Thread();
    await thread.ask(count(10));
    await thread.ask({ do: 'nested', job: count(100) });
    await thread.ask({ do: 'nested', job: { do: 'nested', job: count(1000) } });
    expect(one.points('c').map(({ value }) => value)).to.deep.equal([1, 1110]); // two scopes
    expect(two.points('c')).to.deep.equal([]);
  });

  it('a worker made after the first was closed joins the next; one made before goes on as it was', async () => {
    const [one, two] = [makeProvider(), makeProvider()];
    const early = new Thread();
    await early.ask(count(1));
    await one.provider.shutdown();
    const late = new Thread();
    await late.ask(count(10));
    await early.ask(count(100));
    expect(one.value('c')).to.equal(101);
    expect(two.value('c')).to.equal(10);
  });

  it('a worker has its own when none is published, and its workers join that', async () => {
    const thread = new Thread();
    await thread.ask(count(1));
    const late = makeProvider();
    await thread.ask(count(1));
    const before = (await thread.ask<About>({ do: 'about' })).usedBytes;
    await thread.ask({ do: 'nested', job: count(1) });
    expect((await thread.ask<About>({ do: 'about' })).usedBytes).to.be.above(before); // by the nested worker's slab
    expect(late.points('c')).to.deep.equal([]);
  });

  it('a worker that opens a store with options has that', async () => {
    const { points } = makeProvider();
    const thread = new Thread({ store: 'open with options' });
    await thread.ask(count(1));
    expect(points('c')).to.deep.equal([]);
  });

  it('a worker that opens another store still records to the published one by default', async () => {
    const { value } = makeProvider();
    const thread = new Thread();
    await thread.ask({ do: 'open another store' });
    await thread.ask(count(1));
    await thread.ask({ do: 'nested', job: count(10) });
    expect(value('c')).to.equal(11);
  });

  it('a provider given a store records there, whatever is published, and does not close it', async () => {
    const published = makeProvider();
    const store = MetricStore.open({ maxBytes: 1_048_576 });
    const given = makeProvider(undefined, { store });
    const second = new SeqlockMeterProvider({ store });
    given.meter.createCounter('c').add(1);
    second.getMeter('test').createCounter('c').add(2); // one slab, one series
    expect(given.value('c')).to.equal(3);
    expect(published.points('c')).to.deep.equal([]);
    await given.provider.shutdown();
    await second.shutdown();
    expect(store.closed).to.equal(false);
    store.close();
  });

  it('the cardinality limits of the publisher hold in workers', async () => {
    const { points } = makeProvider({ cardinalitySelector: () => 2 });
    const thread = new Thread();
    await thread.ask({
      do: 'record',
      recordings: [1, 2, 3, 4].map((id) => ({
        kind: 'counter',
        name: 'c',
        attributes: { id },
        values: [1],
        times: 5,
      })),
    });
    expect(points('c').map(({ attributes, value }) => [attributes['id'], value])).to.deep.equal([
      [undefined, 10],
      [1, 5],
      [2, 5],
    ]);
    expect((await thread.ask<About>({ do: 'about' })).warnings.join()).to.match(/limit of 2/);
  });

  it('the longest description of any thread is exported', async () => {
    const { meter, metrics } = makeProvider();
    meter.createCounter('c', { description: 'short' }).add(1);
    const describe = (description: string): Job => ({
      do: 'record',
      recordings: [{ kind: 'counter', name: 'd', values: [1], times: 1, description }],
    });
    const threads = [new Thread(), new Thread()];
    await threads[0]!.ask(describe('some'));
    await threads[1]!.ask(describe('some more'));
    expect(metrics().map(({ descriptor }) => descriptor.description)).to.deep.equal(['short', 'some more']);
    await threads[0]!.ask(describe('the most of all'));
    expect(metrics().map(({ descriptor }) => descriptor.description)).to.deep.equal([
      'short',
      'the most of all',
    ]);
  });

  it('the resource is that of the first provider, and another is warned of', async () => {
    const attributes = { 'service.name': 'first', list: ['a', 1] };
    const { reader } = makeProvider(undefined, { resource: { attributes } as never });
    const warnings = async (resource: Attributes): Promise<readonly string[]> => {
      const thread = new Thread({ resource });
      await thread.ask(count(1));
      return (await thread.ask<About>({ do: 'about' })).warnings;
    };
    expect(await warnings({ list: ['a', 1], 'service.name': 'first' } as never)).to.deep.equal([]);
    const [warning, ...more] = await warnings({ 'service.name': 'second' });
    expect(warning).to.match(/resource of this provider .*second.* is not used: .*first/);
    expect(more).to.deep.equal([]);
    expect(reader.snapshot().resource.attributes).to.deep.equal(attributes);
  });

  it('a second thread that attaches a reader is warned', async () => {
    makeProvider();
    const thread = new Thread();
    await thread.ask({ do: 'attach a reader' });
    const { warnings } = await thread.ask<About>({ do: 'about' });
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/another thread already reads this store/);
  });
});
