import { expect } from 'chai';
import { assert, array, double, nat, property, tuple } from 'fast-check';
import { HISTORY_MILLIS, PageHistory } from '../../src/exporter/page-history.ts';

const all = (...streams: number[]): Map<number, number> => new Map(streams.map((id) => [id, 0]));

describe('the history of the page', () => {
  it('gives back every number as it was', () => {
    const point = array(double({ noNaN: false }), { maxLength: 8 });
    assert(
      property(array(tuple(nat(1e6), point), { maxLength: 8 }), (entries) => {
        const points = new Map(entries);
        const history = new PageHistory();
        history.add(1, points);
        const [frame] = history.frames(all(...points.keys()));
        expect(frame!.p).to.deep.equal([...points].map(([id, numbers]) => [id, ...numbers]));
      }),
      { numRuns: 200 },
    );
  });

  it('gives back whole numbers of every size, in few bytes', () => {
    const numbers = [0, -0, 1, 63, 64, 8191, 8192, 2 ** 31, 2 ** 40, 2 ** 52 - 1, 2 ** 52, -1];
    const history = new PageHistory();
    history.add(1, [[7, numbers]]);
    expect(history.frames(all(7))[0]!.p).to.deep.equal([[7, ...numbers]]);
    const small = new PageHistory();
    small.add(1, [[1, [5]]]);
    expect(small.bytes).to.be.at.most(163);
  });

  it('leaves out streams that are not asked for, and what is known', () => {
    const history = new PageHistory();
    for (const t of [1, 2, 3]) history.add(t, [[1, [t]], [2, [t, t]], [300, [t]]]); // prettier-ignore
    const since = new Map([[1, 2], [300, 0]]); // prettier-ignore
    expect(history.frames(since)).to.deep.equal([
      { t: 1, p: [[300, 1]] },
      { t: 2, p: [[300, 2]] },
      { t: 3, p: [[1, 3], [300, 3]] }, // prettier-ignore
    ]);
  });

  it('takes no more memory than it may: the oldest frames make room', () => {
    const history = new PageHistory(10_000);
    for (let t = 1; t <= 1000; t++) {
      history.add(t, [[1, [0.5, t]]]);
      expect(history.bytes).to.be.at.most(10_000);
    }
    const frames = history.frames(all(1));
    expect(frames.at(-1)).to.deep.equal({ t: 1000, p: [[1, 0.5, 1000]] });
    expect(frames.length).to.be.within(40, 60);
    expect(history.start).to.equal(frames[0]!.t);
  });

  it('keeps nothing where a single frame is too much, and goes on', () => {
    const history = new PageHistory(300);
    history.add(1, [[1, Array.from({ length: 100 }, () => 0.5)]]);
    expect([history.bytes, history.start]).to.deep.equal([0, undefined]);
    history.add(2, [[1, [1]]]);
    expect(history.frames(all(1))).to.deep.equal([{ t: 2, p: [[1, 1]] }]);
  });

  it('goes back ten minutes at most', () => {
    const history = new PageHistory();
    history.add(0, []);
    history.add(HISTORY_MILLIS, []);
    expect(history.start).to.equal(0);
    history.add(HISTORY_MILLIS + 1, []);
    expect(history.start).to.equal(HISTORY_MILLIS);
  });
});
