import { expect } from 'chai';
import { runInNewContext } from 'node:vm';
import type { StreamInfo } from '../../src/exporter/page-protocol.ts';
import { lineOf, linesOf } from '../../src/page/lines.ts';
import { promqlOf, viewWithout } from '../../src/page/promql.ts';
import { REST, SplitLines } from '../../src/page/split-lines.ts';
import { Timeline } from '../../src/page/timeline.ts';

const info = (more: Partial<StreamInfo> = {}): StreamInfo => ({
  id: 1,
  name: 'a.b',
  unit: '',
  description: '',
  scope: '',
  kind: 'counter',
  bounds: [],
  prometheus: 'a_b_total',
  keys: [['http.route', 'http_route']],
  series: 1,
  isOwn: false,
  ...more,
});

describe('lines of the page', () => {
  const times = [0, 1000, 3000];

  it('show counters as rates, by the time between frames', () => {
    expect(linesOf(info(), times, [[5], [5], [8]])[0]!.values).to.deep.equal([null, 5, 4]);
    expect(linesOf(info(), times, [undefined, undefined, [8]])[0]!.values).to.deep.equal([null, 0, 4]);
  });

  it('hold values until the next one', () => {
    const points = [undefined, [3, 1, 5, 2], undefined];
    expect(linesOf(info({ kind: 'level' }), times, points)[0]!.values).to.deep.equal([null, 3, 3]);
    const lines = linesOf(info({ kind: 'gauge', series: 2 }), times, points);
    expect(lines.map(({ values }) => values[2])).to.deep.equal([3, 1, 5]);
    expect(linesOf(info({ kind: 'gauge' }), times, [[3, 3, 3, 1], [], undefined])[0]!.values).to.deep.equal([
      3,
      null,
      null,
    ]);
  });

  it('show quantiles of the last ten seconds', () => {
    const far = [0, 1000, 20_000];
    const lines = linesOf(info({ kind: 'histogram', bounds: [1, 2] }), far, [
      [2, 2, 0, 2],
      [2, 4, 1, 2],
      undefined,
    ]);
    expect(lines.map(({ label }) => label)).to.deep.equal(['p50', 'p90', 'p99']);
    expect(lines[0]!.values).to.deep.equal([0.5, 1, null]);
  });

  it('leave out a group while it was not shown', () => {
    expect(lineOf(info(), 'x', times, [undefined, [5], undefined]).values).to.deep.equal([null, 5, null]);
  });
});

describe('the time line of the page', () => {
  it('keeps points where they belong, in whatever order frames come', () => {
    const timeline = new Timeline();
    timeline.add(2000, []);
    timeline.begin(1, false);
    timeline.add(3000, [[1, 30]]);
    timeline.add(1000, [
      [1, 10],
      [2, 99],
    ]);
    timeline.add(2000, [[1, 20]]);
    expect(timeline.times).to.deep.equal([1000, 2000, 3000]);
    expect(timeline.rowOf(1)).to.deep.equal([[10], [20], [30]]);
    expect(timeline.rowOf(2)).to.equal(undefined);
  });

  it('forgets what is older than ten minutes, but not a value that stays', () => {
    const timeline = new Timeline();
    timeline.begin(1, true);
    timeline.begin(2, false);
    timeline.add(0, [
      [1, 7],
      [2, 7],
    ]);
    timeline.add(500_000, []);
    timeline.add(700_000, []);
    expect(timeline.times).to.deep.equal([500_000, 700_000]);
    expect(timeline.rowOf(1)).to.deep.equal([[7], undefined]);
    expect(timeline.rowOf(2)).to.deep.equal([undefined, undefined]);
  });

  it('keeps the groups of a split, and shows those at the top', () => {
    const split = new SplitLines(1, 0);
    split.add(1000, { id: 1, key: 0, top: [['a', [1]]], rest: null, others: 0 });
    split.add(2000, { id: 1, key: 0, top: [['b', [2]]], rest: [5], others: 3 });
    split.add(2000, { id: 1, key: 1, top: [['z', [2]]], rest: null, others: 0 });
    expect(split.groups()).to.deep.equal([
      { name: 'b', points: [undefined, [2]] },
      { name: REST, points: [undefined, [5]] },
    ]);
  });
});

describe('what is copied', () => {
  it('is the query of what is shown', () => {
    expect(promqlOf(info())).to.equal('sum (rate(a_b_total[1m]))');
    expect(promqlOf(info(), 0)).to.equal('sum by (http_route) (rate(a_b_total[1m]))');
    expect(promqlOf(info({ kind: 'histogram', prometheus: 'h' }), 0)).to.equal(
      'histogram_quantile(0.99, sum by (le, http_route) (rate(h_bucket[1m])))',
    );
    expect(promqlOf(info({ kind: 'gauge', prometheus: 'a "b"' }))).to.equal('avg ({"a \\"b\\""})');
    expect(promqlOf(info({ kind: 'level', prometheus: 'l' }), 0)).to.equal('sum by (http_route) (l)');
  });

  it('is a view that drops the attribute, as code', () => {
    const view = viewWithout("it's", 'a\\b');
    const seen: unknown = runInNewContext(`JSON.stringify(${view})`, {
      createDenyListAttributesProcessor: (keys: readonly string[]) => keys,
    });
    expect(JSON.parse(seen as string)).to.deep.equal({
      instrumentName: "it's",
      attributesProcessors: [['a\\b']],
    });
  });
});
