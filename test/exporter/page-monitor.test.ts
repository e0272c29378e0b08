import { AggregationType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { MetricSource } from '../../src/collect/metric-source.ts';
import { attributesOf } from '../../src/exporter/page-cardinality.ts';
import { PageMonitor, type Frame } from '../../src/exporter/page-monitor.ts';
import type { Point } from '../../src/exporter/page-protocol.ts';
import { joined } from '../../src/exporter/page-tally.ts';
import { SeqlockMeterProvider } from '../../src/facade/meter-provider.ts';
import { exponentialBuckets } from '../../src/page/quantile.ts';

describe('what the page sees of a store', () => {
  let provider: SeqlockMeterProvider;
  let monitor: PageMonitor;
  let frame: Frame;
  beforeEach(() => {
    provider = new SeqlockMeterProvider({
      views: [{ instrumentName: 'exp', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
    });
    monitor = new PageMonitor(new MetricSource(provider.store), {}, (next) => (frame = next));
  });
  afterEach(() => provider.shutdown());

  function look(): Frame {
    monitor.look();
    return frame;
  }
  const idOf = (name: string): number =>
    monitor.streams.find(({ column }) => column.description.name === name)!.id;
  const pointOf = (name: string): Point | undefined => frame.points.get(idOf(name));

  it('is what changed from frame to frame, over all series', () => {
    const meter = provider.getMeter('m');
    const counter = meter.createCounter('counter');
    const level = meter.createUpDownCounter('level');
    const gauge = meter.createGauge('gauge');
    const histogram = meter.createHistogram('histogram', { advice: { explicitBucketBoundaries: [1, 2] } });
    counter.add(100);
    look();
    expect(pointOf('counter'), 'it was there before').to.equal(undefined);
    counter.add(2, { a: 1 });
    counter.add(3, { a: 2 });
    level.add(5, { a: 1 });
    level.add(-2, { a: 2 });
    gauge.record(10, { a: 1 });
    gauge.record(20, { a: 2 });
    histogram.record(0.5);
    histogram.record(9, { a: 1 });
    look();
    expect(pointOf('counter')).to.deep.equal([5]);
    expect(pointOf('level')).to.deep.equal([3]);
    expect(pointOf('gauge')).to.deep.equal([15, 10, 20, 2]);
    expect(pointOf('histogram')).to.deep.equal([2, 9.5, 0, 1, 2, 1]);
    histogram.record(1.5);
    look();
    expect([...frame.points]).to.deep.equal([[idOf('histogram'), [1, 1.5, 1, 1]]]);
    look();
    expect(frame.points.size, 'nothing has changed').to.equal(0);
  });

  it('is the change of exponential histograms, also where their scale falls', () => {
    const exp = provider.getMeter('m').createHistogram('exp');
    look();
    exp.record(3);
    exp.record(0);
    look();
    const first = pointOf('exp')!;
    expect(first.slice(0, 5)).to.deep.equal([2, 3, 4, 1, 1]);
    exp.record(1e9);
    exp.record(1e-9);
    exp.record(3);
    look();
    const second = pointOf('exp')!;
    expect(second[2], 'the scale').to.be.below(4);
    const buckets = exponentialBuckets([second]);
    for (const value of [1e9, 1e-9, 3])
      expect(
        buckets.filter(({ low, high, count }) => low < value && value <= high && count === 1),
      ).to.have.lengthOf(1);
    expect(buckets).to.have.lengthOf(3);
  });

  it('knows attribute keys, and when series come', () => {
    const counter = provider.getMeter('m').createCounter('c', { unit: 's', description: 'x'.repeat(5000) });
    counter.add(1, { 'http.route': '/', z: 1 });
    look();
    const { version, streams } = monitor.list(0);
    expect(streams).to.have.lengthOf(1);
    expect(streams[0]).to.include({ name: 'c', kind: 'counter', series: 1, prometheus: 'c_seconds_total' });
    expect(streams[0]!.description).to.have.lengthOf(1001);
    expect(streams[0]!.keys).to.deep.equal([['http.route', 'http_route'], ['z', 'z']]); // prettier-ignore
    look();
    expect(monitor.list(version).streams).to.deep.equal([]);
    counter.add(1, { later: 1 });
    for (let i = 0; i < 4; i++) look();
    expect(monitor.list(version).streams[0]).to.include({ series: 2 });
    expect(monitor.list(version).streams[0]!.keys.map(([key]) => key)).to.include('later');
  });

  it('sees an overflow, whose series was reserved before all others', () => {
    const counter = provider.getMeter('m').createCounter('c');
    for (let i = 0; i < 2000; i++) counter.add(1, { i });
    look();
    expect(monitor.streams[0]!.hasOverflow).to.equal(false);
    counter.add(1, { i: 'one too many' });
    for (let i = 0; i < 4; i++) look();
    expect(monitor.streams[0]!.hasOverflow).to.equal(true);
    expect(monitor.list(0).streams[0]!.keys).to.deep.equal([['i', 'i']]);
  });

  it('repeats values that stay, so that the history knows them when its beginning is gone', () => {
    provider.getMeter('m').createGauge('g').record(5);
    for (let i = 0; i < 61; i++) look();
    const held = monitor.history.frames(new Map([[idOf('g'), 0]])).filter(({ p }) => p.length > 0);
    expect(held.length).to.be.within(2, 3);
  });

  describe('split by an attribute', () => {
    it('shows the highest ten and the rest, which add up to all', () => {
      const counter = provider.getMeter('m').createCounter('c');
      for (let i = 0; i < 25; i++) counter.add(1, { k: `v${i}`, other: i % 2 });
      look();
      const [stream] = monitor.streams;
      stream!.split(9); // there is none
      stream!.split(0);
      const split = stream!.splits.get(0)!;
      expect(stream!.splits.size).to.equal(1);
      look();
      split.close(stream!.id); // what was there before is not new
      for (let round = 0; round < 6; round++) {
        for (let i = 0; i < 25; i++) counter.add(i, { k: `v${i}`, other: 0 });
        counter.add(1000);
        look();
        const shown = split.close(stream!.id)!;
        expect(shown.top).to.have.lengthOf(10);
        const sum = joined('counter', [...shown.top.map(([, point]) => point), shown.rest!]);
        expect(sum).to.deep.equal(pointOf('c'));
        expect(shown.others).to.equal(16);
      }
      const last = split.close(stream!.id)!;
      expect(last.top.slice(0, 2).map(([value]) => value)).to.deep.equal([null, 'v24']);
    });

    it('adds up points of every kind', () => {
      expect(joined('level', [[1], [2.5]])).to.deep.equal([3.5]);
      expect(joined('gauge', [[1, 0, 2, 1], [], [4, 3, 9, 2]])).to.deep.equal([3, 0, 9, 3]);
      expect(joined('histogram', [[2, 3, 0, 2], [1, 1, 0, 1, 5, 1]])).to.deep.equal([3, 4, 0, 3, 5, 1]); // prettier-ignore
      expect(joined('exponential', [[1, 1, 2, 0, 1, 4, 1], [2, 2, 1, 1, 1, 2, 1]])).to.deep.equal([3, 3, 1, 1, 1, 2, 2]); // prettier-ignore
    });
  });

  it('counts values, and the series that would be left without an attribute', async () => {
    const series = [];
    for (let route = 0; route < 5; route++)
      for (let user = 0; user < 100; user++) series.push({ route: `/${route}`, user, same: true });
    series.push({}, { route: '/0' }, { route: '/0', same: true });
    expect(await attributesOf(series)).to.deep.equal([
      { key: 'user', values: 100, without: 5 + 2 },
      { key: 'route', values: 5, without: 100 + 2 },
      { key: 'same', values: 1, without: 500 + 2 },
    ]);
  });
});
