import { AggregationType, createDenyListAttributesProcessor } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import {
  MetricStore,
  SeqlockMeterProvider,
  SeqlockMetricReader,
  type SeqlockViewOptions,
} from '../../src/index.ts';
import { makeProvider, shutDownProviders, type ProviderUnderTest } from '../support/provider.ts';
import type { About, Job, Recording } from '../support/recording-thread.ts';
import { endThreads, Thread } from '../support/threads.ts';

const { DROP, SUM, LAST_VALUE, EXPLICIT_BUCKET_HISTOGRAM } = AggregationType;

const record = (...recordings: Recording[]): Job => ({ do: 'record', recordings });
const counter = (name: string, attributes = {}): Recording => ({
  kind: 'counter',
  name,
  attributes,
  values: [1],
  times: 2,
});

function shown({ metrics }: Pick<ProviderUnderTest, 'metrics'>): unknown[] {
  return metrics().map(({ descriptor, dataPoints }) => [
    descriptor.name,
    ...dataPoints.map(({ attributes, value }) => [attributes, value]),
  ]);
}

describe('views of several threads', () => {
  beforeEach(() =>
    expect(MetricStore.published(), 'a store that another test left open').to.equal(undefined),
  );
  afterEach(endThreads);
  afterEach(shutDownProviders);

  function withViews(...views: SeqlockViewOptions[]): ProviderUnderTest {
    return makeProvider(undefined, { views });
  }

  it('a thread without views follows the publisher: names, attributes, aggregation, limits', async () => {
    const provider = withViews(
      { instrumentName: 'old', name: 'new', description: 'of the view' },
      { instrumentName: 'h*', attributeKeys: ['route'], aggregation: { type: SUM } },
      { instrumentName: 'deny', attributesProcessors: [createDenyListAttributesProcessor(['user'])] },
      {
        instrumentName: 'sizes',
        aggregation: { type: EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [2] } },
      },
      { instrumentName: 'few', aggregationCardinalityLimit: 1 },
      { instrumentName: 'dropped', aggregation: { type: DROP } },
    );
    const jobs = record(
      counter('old'),
      { kind: 'histogram', name: 'http', attributes: { route: '/', user: 1 }, values: [2, 3], times: 1 },
      { kind: 'histogram', name: 'http', attributes: { user: 2, route: '/' }, values: [5], times: 1 },
      counter('deny', { user: 1, a: 1 }),
      { kind: 'histogram', name: 'sizes', values: [1, 3], times: 1 },
      counter('few', { k: 1 }),
      counter('few', { k: 2 }),
      counter('dropped'),
    );
    for (const thread of [new Thread(), new Thread()]) await thread.ask(jobs);
    provider.provider.getMeter('threads').createCounter('old').add(1);
    expect(shown(provider)).to.deep.equal([
      ['new', [{}, 5]],
      ['http', [{ route: '/' }, 20]],
      ['deny', [{ a: 1 }, 4]],
      ['sizes', [{}, { min: 1, max: 3, sum: 8, count: 4, buckets: { boundaries: [2], counts: [2, 2] } }]],
      ['few', [{ 'otel.metric.overflow': true }, 4], [{ k: 1 }, 4]],
    ]);
    expect(provider.metrics()[0]!.descriptor.description).to.equal('of the view');
  });

  it('what cannot travel is named in one warning of the thread that lacks it, and its measurements still arrive', async () => {
    const provider = withViews({
      instrumentName: 'jobs',
      name: 'tasks',
      attributesProcessors: [{ process: () => ({ by: 'code' }) }],
    });
    provider.provider.getMeter('threads').createCounter('jobs').add(1, { a: 1 });
    const thread = new Thread();
    await thread.ask(record(counter('jobs', { a: 1 })));
    const { warnings } = await thread.ask<About>({ do: 'about' });
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('view of jobs').and.to.include('Pass the views');
    expect(shown(provider)).to.deep.equal([['tasks', [{ by: 'code' }, 1], [{ a: 1 }, 2]]]);
  });

  it('the limit of a view holds over all threads', async () => {
    const provider = withViews({ instrumentName: 'few', aggregationCardinalityLimit: 2 });
    for (const k of [1, 2, 3, 4]) await new Thread().ask(record(counter('few', { k })));
    expect(provider.points('few')).to.have.deep.members([
      { attributes: { k: 1 }, value: 2 },
      { attributes: { k: 2 }, value: 2 },
      { attributes: { 'otel.metric.overflow': true }, value: 4 },
    ]);
  });

  it('each reader sees the aggregation it selected, of all threads', async () => {
    const readers = [SUM, LAST_VALUE].map(
      (type) => new SeqlockMetricReader({ aggregationSelector: () => ({ type }) }),
    );
    const provider = new SeqlockMeterProvider({ readers });
    const thread = new Thread();
    await thread.ask(record({ kind: 'histogram', name: 'sizes', values: [2, 3], times: 1 }));
    provider.getMeter('threads').createHistogram('sizes').record(10);
    const metricsOf = (reader: SeqlockMetricReader) => () =>
      reader.snapshot().scopeMetrics.flatMap(({ metrics }) => metrics);
    expect(shown({ metrics: metricsOf(readers[0]!) })).to.deep.equal([['sizes', [{}, 15]]]);
    expect(shown({ metrics: metricsOf(readers[1]!) })).to.deep.equal([['sizes', [{}, 10]]]);
    await provider.shutdown();
  });

  it('streams that views make of one name stay apart over threads', async () => {
    const provider = withViews(
      { instrumentName: 'jobs', attributeKeys: ['a'] },
      { instrumentName: 'jobs', attributeKeys: ['b'] },
    );
    for (const thread of [new Thread(), new Thread()])
      await thread.ask(record(counter('jobs', { a: 1, b: 1 })));
    expect(shown(provider)).to.deep.equal([
      ['jobs', [{ a: 1 }, 4]],
      ['jobs', [{ b: 1 }, 4]],
    ]);
  });

  it('a dead thread hands its filtered series on', async () => {
    const provider = withViews({ instrumentName: '*', attributeKeys: ['a'] });
    for (let i = 0; i < 3; i++) {
      const thread = new Thread();
      await thread.ask(record(counter('jobs', { a: 1, i })));
      await thread.terminate();
    }
    expect(shown(provider)).to.deep.equal([['jobs', [{ a: 1 }, 6]]]);
  });
});
