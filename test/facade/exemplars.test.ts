/** Exemplars from the instrument to the reader. */
import { context, ROOT_CONTEXT, trace, TraceFlags, type Attributes } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  AggregationType,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import type { Exemplar, ResourceMetrics } from '../../src/collect/metric-data.ts';
import { MetricSource } from '../../src/collect/metric-source.ts';
import { PrometheusText } from '../../src/export/prometheus-text.ts';
import { SeqlockMeterProvider, type SeqlockMeterProviderOptions } from '../../src/facade/meter-provider.ts';
import type { ExemplarReservoir, OfferedMeasurement } from '../../src/sdk/view-options.ts';
import { SeqlockMetricReader } from '../../src/facade/metric-reader.ts';
import { bind } from '../../src/sdk/bind.ts';
import { EXEMPLARS_RECORD } from '../../src/state/records.ts';
import { MetricStore } from '../../src/state/store.ts';
import { needsProc } from '../support/marks.ts';
import { opened, shutDownOpened } from '../support/opened.ts';
import { recordsOf } from '../support/region-contents.ts';
import { endThreads, Thread } from '../support/threads.ts';
import { collectWarnings } from '../support/warnings.ts';

const VARIABLE = 'OTEL_METRICS_EXEMPLAR_FILTER';

let spans = 0;
/** Runs `work` inside of a sampled span, whose ids it returns. */
function inSpan(work: () => void): { traceId: string; spanId: string } {
  const ids = {
    traceId: (++spans).toString(16).padStart(32, 'a'),
    spanId: spans.toString(16).padStart(16, 'b'),
  };
  context.with(trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.SAMPLED }), work);
  return ids;
}

function exemplarsOf({ scopeMetrics }: ResourceMetrics, name: string): readonly Exemplar[] {
  const metric = scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .find(({ descriptor }) => descriptor.name === name);
  return (metric?.dataPoints ?? []).flatMap(({ exemplars }) => exemplars ?? []);
}

function setUp(options: SeqlockMeterProviderOptions = {}) {
  const reader = new SeqlockMetricReader();
  const provider = opened({ readers: [reader], ...options });
  return { reader, provider, meter: provider.getMeter('test') };
}

describe('exemplars', () => {
  before(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  after(() => context.disable());
  afterEach(shutDownOpened);

  it('name the span in which each kind of instrument was recorded to', () => {
    const { meter, reader } = setUp();
    const before = Date.now();
    const ids = inSpan(() => {
      meter.createCounter('counter').add(2, { k: 1 });
      meter.createUpDownCounter('updown').add(-3, { k: 1 });
      meter.createGauge('gauge').record(4.5, { k: 1 });
      meter.createHistogram('histogram').record(60, { k: 1 });
    });
    const snapshot = reader.snapshot();
    for (const [name, value] of Object.entries({ counter: 2, updown: -3, gauge: 4.5, histogram: 60 })) {
      const [exemplar, ...others] = exemplarsOf(snapshot, name);
      expect(exemplar, name).to.deep.include({ value, ...ids, filteredAttributes: {} });
      const [seconds, nanos] = exemplar!.timestamp;
      expect(seconds * 1000 + nanos / 1e6).to.be.within(before, Date.now());
      expect(others).to.deep.equal([]);
    }
  });

  it('are chosen by a reservoir of the app, one for each series, which fails without harm', () => {
    const { warnings, stop } = collectWarnings();
    let made = 0;
    const offered: OfferedMeasurement[] = [];
    const create = (): ExemplarReservoir => {
      made++;
      return {
        offer: (measurement) => {
          offered.push(measurement);
          if (measurement.value === 13) throw new Error('on purpose');
          return measurement.value > 100 ? 1 : measurement.value > 10 ? 0 : undefined;
        },
      };
    };
    const { meter, reader, provider } = setUp({
      views: [
        { instrumentName: '*', attributeKeys: ['k'], exemplarReservoir: { type: 'custom', size: 2, create } },
      ],
    });
    const counter = meter.createCounter('counter');
    const ids = inSpan(() => {
      for (const value of [5, 50, 500, 13, 20]) counter.add(value, { k: 1, user: 'x' });
      bind(counter, { k: 2, user: 'y' }).add(70);
    });
    const exemplars = exemplarsOf(reader.snapshot(), 'counter');
    expect(exemplars.map(({ value, filteredAttributes }) => [value, filteredAttributes])).to.deep.equal([
      [20, { user: 'x' }],
      [500, { user: 'x' }],
      [70, { user: 'y' }],
    ]);
    expect(made).to.equal(2);
    expect(offered[0]!.attributes).to.deep.equal({ k: 1, user: 'x' });
    expect(offered.at(-1)!.attributes).to.deep.equal({ k: 2, user: 'y' });
    expect(trace.getSpanContext(offered[0]!.context)).to.deep.include(ids);
    expect(warnings.filter((text) => text.includes('on purpose'))).to.have.length(1);
    const follower = new SeqlockMeterProvider({ store: provider.store });
    inSpan(() => follower.getMeter('test').createCounter('counter').add(1, { k: 3 }));
    stop();
    expect(warnings.filter((text) => text.includes('custom exemplar reservoir'))).to.have.length(1);
  });

  it('of the overflow series have all attributes of the measurement, bound or not', () => {
    const { stop } = collectWarnings();
    const { meter, reader } = setUp({
      views: [
        {
          instrumentName: '*',
          aggregationCardinalityLimit: 1,
          exemplarReservoir: { type: 'fixed-size', size: 4 },
        },
      ],
    });
    const counter = meter.createCounter('counter');
    inSpan(() => {
      counter.add(1, { user: 'a' });
      counter.add(2, { user: 'b' });
      bind(counter, { user: 'c' }).add(3);
    });
    stop();
    const exemplars = exemplarsOf(reader.snapshot(), 'counter');
    expect(exemplars.map(({ value, filteredAttributes }) => [value, filteredAttributes])).to.deep.equal([
      [2, { user: 'b' }],
      [3, { user: 'c' }],
      [1, {}],
    ]);
  });

  it('of asynchronous instruments are what was observed, where all measurements may be exemplars', async () => {
    for (const exemplarFilter of ['always_on', 'trace_based'] as const) {
      const { meter, reader } = setUp({
        exemplarFilter,
        views: [{ instrumentName: '*', attributeKeys: ['kept'] }],
      });
      const observe = (result: { observe(value: number, attributes: Attributes): void }): void =>
        result.observe(5, { kept: 1, dropped: 'x'.repeat(500) });
      meter.createObservableCounter('counter').addCallback(observe);
      meter.createObservableGauge('gauge').addCallback(observe);
      const { resourceMetrics } = await reader.collect();
      for (const name of ['counter', 'gauge']) {
        const exemplars = exemplarsOf(resourceMetrics as unknown as ResourceMetrics, name);
        if (exemplarFilter === 'trace_based') expect(exemplars).to.deep.equal([]);
        else {
          const [{ value, filteredAttributes, traceId }] = exemplars as [Exemplar];
          expect({ value, filteredAttributes, traceId }).to.deep.equal({
            value: 5,
            filteredAttributes: { dropped: 'x'.repeat(500) },
            traceId: undefined,
          });
        }
      }
    }
  });

  it('are offered through bound instruments, with the active context or the one that is given', () => {
    const { meter, reader } = setUp();
    const counter = bind(meter.createCounter('counter'), { k: 1 });
    const gauge = bind(meter.createGauge('gauge'));
    const histogram = bind(meter.createHistogram('histogram'));
    const updown = bind(meter.createUpDownCounter('updown'));
    const active = inSpan(() => {
      counter.add(1);
      gauge.record(2);
      histogram.record(3);
      updown.add(-4);
    });
    for (const name of ['counter', 'gauge', 'histogram', 'updown'])
      expect(exemplarsOf(reader.snapshot(), name)[0], name).to.deep.include(active);
    const ids = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) };
    counter.add(7, trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.SAMPLED }));
    expect(exemplarsOf(reader.snapshot(), 'counter')[0]).to.deep.include({ value: 7, ...ids });
  });

  it('follow the context that a call is given', () => {
    const { meter, reader } = setUp();
    const ids = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) };
    const given = trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.SAMPLED });
    meter.createCounter('counter').add(1, {}, given);
    inSpan(() => meter.createHistogram('histogram').record(1, {}, ROOT_CONTEXT));
    expect(exemplarsOf(reader.snapshot(), 'counter')[0]).to.deep.include(ids);
    expect(exemplarsOf(reader.snapshot(), 'histogram')).to.deep.equal([]);
  });

  it('are one a bucket for histograms, and one for everything else', () => {
    const { meter, reader } = setUp();
    const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1, 10] } });
    const single = meter.createHistogram('single', { advice: { explicitBucketBoundaries: [] } });
    const counter = meter.createCounter('c');
    inSpan(() => {
      for (const value of [0.5, 5, 50, 6, 0.6]) {
        histogram.record(value);
        single.record(value);
        counter.add(value);
      }
    });
    const snapshot = reader.snapshot();
    const buckets = exemplarsOf(snapshot, 'h').map(({ value }) => (value <= 1 ? 0 : value <= 10 ? 1 : 2));
    expect(buckets).to.deep.equal([0, 1, 2]);
    expect(exemplarsOf(snapshot, 'single')).to.have.length(1);
    expect(exemplarsOf(snapshot, 'c')).to.have.length(1);
  });

  it('carry the attributes that a view dropped, whether keys or code decide, bound or not', () => {
    const code = { process: ({ kept }: Attributes) => (kept === undefined ? {} : { kept }) };
    const { meter, reader } = setUp({
      views: [
        { instrumentName: 'keys', attributeKeys: ['kept'] },
        { instrumentName: 'code', attributesProcessors: [code] },
      ],
    });
    for (const name of ['keys', 'code', 'all']) {
      const counter = meter.createCounter(name);
      const attributes: Attributes = { kept: 1, dropped: 'x' };
      const bound = bind(counter, attributes);
      const expected = name === 'all' ? {} : { dropped: 'x' };
      inSpan(() => counter.add(1, attributes));
      expect(exemplarsOf(reader.snapshot(), name)[0]!.filteredAttributes, name).to.deep.equal(expected);
      attributes['dropped'] = 'changed after it was bound';
      inSpan(() => bound.add(2));
      const [exemplar] = exemplarsOf(reader.snapshot(), name);
      expect([exemplar!.value, exemplar!.filteredAttributes], name).to.deep.equal([2, expected]);
    }
  });

  it('are chosen as a view says, in other threads too', async () => {
    const { meter, reader } = setUp({
      exemplarFilter: 'always_on',
      views: [
        { instrumentName: 'some', exemplarReservoir: { type: 'fixed-size', size: 3 } },
        { instrumentName: 'none', exemplarReservoir: { type: 'none' } },
        { instrumentName: 'buckets', exemplarReservoir: { type: 'fixed-size', size: 2 } },
      ],
    });
    for (const name of ['some', 'none', 'buckets'])
      for (let i = 0; i < 9; i++) meter.createHistogram(name).record(10 ** i);
    const lengths = ['some', 'none', 'buckets'].map((name) => exemplarsOf(reader.snapshot(), name).length);
    expect(lengths).to.deep.equal([3, 0, 2]);
    const thread = new Thread();
    const values = Array.from({ length: 9 }, (_, i) => 10 ** i);
    await thread.ask({ do: 'record', recordings: [{ kind: 'histogram', name: 'some', values, times: 1 }] });
    await thread.terminate();
    expect(exemplarsOf(reader.snapshot(), 'some')).to.have.length(3);
    for (const wrong of [{ type: 'fixed-size' }, { type: 'fixed-size', size: 0 }, { type: 'all' }, 5, {}])
      expect(() => opened({ views: [{ instrumentName: '*', exemplarReservoir: wrong as never }] })).to.throw(
        'views[0].exemplarReservoir',
      );
  });

  it('are up to 20 for an exponential histogram, and as many as it has buckets if they are fewer', () => {
    for (const [maxSize, expected] of [
      [160, 20],
      [8, 8],
    ] as const) {
      const reader = new SeqlockMetricReader({
        aggregationSelector: () => ({
          type: AggregationType.EXPONENTIAL_HISTOGRAM,
          options: { maxSize, recordMinMax: true },
        }),
      });
      const histogram = opened({ readers: [reader] })
        .getMeter('m')
        .createHistogram('h');
      const bound = bind(histogram);
      inSpan(() => {
        for (let i = 1; i <= 15; i++) histogram.record(i);
        for (let i = 16; i <= 30; i++) bound.record(i);
      });
      expect(exemplarsOf(reader.snapshot(), 'h')).to.have.length(expected);
    }
  });

  it('belong to their series', () => {
    const { meter, reader } = setUp();
    const counter = meter.createCounter('c');
    const first = inSpan(() => counter.add(1, { k: 'first' }));
    const second = inSpan(() => counter.add(2, { k: 'second' }));
    counter.add(3, { k: 'third' });
    const { dataPoints } = reader.snapshot().scopeMetrics[0]!.metrics[0]!;
    const points = dataPoints.map(({ attributes, exemplars }) => [attributes['k'], exemplars?.[0]?.spanId]);
    expect(points).to.deep.equal([
      ['first', first.spanId],
      ['second', second.spanId],
      ['third', undefined],
    ]);
    expect(dataPoints[2]).to.not.have.property('exemplars');
  });

  it('are new after a collection, and those of before stay until then', () => {
    const { meter, reader } = setUp();
    const counter = meter.createCounter('c');
    const first = inSpan(() => counter.add(1));
    for (let i = 0; i < 3; i++) expect(exemplarsOf(reader.snapshot(), 'c')[0]).to.deep.include(first);
    const second = inSpan(() => counter.add(1));
    expect(exemplarsOf(reader.snapshot(), 'c')[0]).to.deep.include(second);
  });

  it('of delta points are those of the interval', async () => {
    const exporter = {
      export() {},
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
      selectAggregationTemporality: () => AggregationTemporality.DELTA,
    };
    const delta = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: 2 ** 30,
    });
    const provider = opened({ readers: [delta] });
    const counter = provider.getMeter('test').createCounter('c');
    const collect = async (): Promise<readonly Exemplar[]> =>
      exemplarsOf((await delta.collect()).resourceMetrics as unknown as ResourceMetrics, 'c');
    const ids = inSpan(() => counter.add(1));
    expect((await collect())[0]).to.deep.include(ids);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await collect(); // an interval that begins after the exemplar
    counter.add(1);
    expect(await collect()).to.deep.equal([]);
  });

  it('stand behind the samples of OpenMetrics, and in no text 0.0.4', () => {
    const { provider, meter, reader } = setUp();
    const ids = inSpan(() => {
      meter.createCounter('c').add(1);
      meter.createHistogram('h').record(7);
    });
    const text = new PrometheusText({ openMetrics: true, escaping: 'underscores' });
    text.update(new MetricSource(provider.store).columns());
    const shown = `# {trace_id="${ids.traceId}",span_id="${ids.spanId}"}`;
    const lines = text
      .toString()
      .split('\n')
      .filter((line) => line.includes(shown));
    expect(lines.map((line) => line.split(' ')[0]!.replace(/otel_scope_name="test",?/, ''))).to.deep.equal([
      'c_total{}',
      'h_bucket{le="10.0"}',
    ]);
    expect(reader.exportPrometheus()).to.not.include(ids.traceId);
    expect(JSON.stringify(reader.exportJson())).to.include(ids.traceId);
  });

  describe('of other threads', () => {
    before(needsProc);
    before(() => expect(MetricStore.published(), 'a store that another test left open').to.equal(undefined));
    afterEach(endThreads);

    const recording = (value: number) =>
      ({ kind: 'histogram', name: 'h', attributes: { k: 1 }, values: [value], times: 1 }) as const;

    it('are there, of each bucket the newest, and stay when the thread is gone; an heir goes on in their place', async function () {
      this.timeout(30_000);
      const { reader, provider } = setUp({ exemplarFilter: 'always_on' });
      const values = (): number[] => exemplarsOf(reader.snapshot(), 'h').map(({ value }) => value);
      const blocks = (): number =>
        recordsOf(provider.store.region).filter(({ kind }) => kind === EXEMPLARS_RECORD).length;
      const [first, second] = [new Thread(), new Thread()];
      await first.ask({ do: 'record', recordings: [recording(1), recording(60)] });
      await new Promise((resolve) => setTimeout(resolve, 5));
      await second.ask({ do: 'record', recordings: [recording(2)] });
      expect(values()).to.deep.equal([2, 60]);
      expect(blocks()).to.equal(2);
      await Promise.all([first.terminate(), second.terminate()]);
      expect(values()).to.deep.equal([2, 60]);
      await new Thread().ask({ do: 'record', recordings: [recording(3), recording(61)] });
      expect(values()).to.deep.equal([3, 61]);
      expect(blocks()).to.equal(2);
    });
  });

  describe('exemplarFilter', () => {
    afterEach(() => delete process.env[VARIABLE]);

    const kept = (options: SeqlockMeterProviderOptions): number => {
      const { meter, reader } = setUp(options);
      meter.createCounter('outside').add(1);
      inSpan(() => meter.createCounter('inside').add(1));
      return (
        exemplarsOf(reader.snapshot(), 'outside').length + 2 * exemplarsOf(reader.snapshot(), 'inside').length
      );
    };

    for (const [filter, expected] of [
      ['trace_based', 2],
      ['always_on', 3],
      ['always_off', 0],
    ] as const) {
      it(`is taken as option and as variable: ${filter}`, () => {
        expect(kept({ exemplarFilter: filter })).to.equal(expected);
        process.env[VARIABLE] = ` ${filter.toUpperCase()} `;
        expect(kept({})).to.equal(expected);
      });
    }

    it('the option comes before the variable, and an empty variable is none', () => {
      process.env[VARIABLE] = 'always_off';
      expect(kept({ exemplarFilter: 'always_on' })).to.equal(3);
      process.env[VARIABLE] = '';
      expect(kept({})).to.equal(2);
    });

    it('warns once of a wrong variable, and says what is used', () => {
      process.env[VARIABLE] = 'sometimes';
      const { warnings, stop } = collectWarnings();
      try {
        expect(kept({})).to.equal(2);
      } finally {
        stop();
      }
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include(VARIABLE).and.include('"sometimes"').and.include('trace_based is used');
    });

    it('throws on a wrong option', () => {
      expect(() => opened({ exemplarFilter: 'on' as never })).to.throw(
        'exemplarFilter is "on"; it must be one of trace_based, always_on, always_off',
      );
    });

    it('travels with the store', () => {
      const store = MetricStore.create();
      const reader = new SeqlockMetricReader();
      opened({ store, readers: [reader], exemplarFilter: 'always_on' });
      process.env[VARIABLE] = 'always_off';
      opened({ store }).getMeter('m').createCounter('c').add(1);
      expect(exemplarsOf(reader.snapshot(), 'c')).to.have.length(1);
      store.close();
    });
  });
});
