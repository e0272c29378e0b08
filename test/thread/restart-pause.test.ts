import { expect } from 'chai';
import { RestartPause } from '../../src/thread/restart-pause.ts';

describe('RestartPause', () => {
  const pausesAfter = (...lives: number[]): number[] => {
    const pause = new RestartPause();
    return lives.map((lived) => pause.after(lived));
  };

  it('doubles while threads die soon, up to 30 seconds', () => {
    expect(pausesAfter(...Array<number>(11).fill(50))).to.deep.equal([
      100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  it('stays short for threads that are ended every few seconds', () => {
    expect(pausesAfter(5000, 5000, 5000, 4000, 2000)).to.deep.equal([100, 100, 100, 100, 100]);
  });

  it('is short again only after a life of ten times the pause before it', () => {
    const dead = Array<number>(6).fill(0); // the last is waited for 3,200 ms
    expect(pausesAfter(...dead, 31_999).at(-1)).to.equal(6400);
    expect(pausesAfter(...dead, 32_000).at(-1)).to.equal(100);
  });

  it('grows where a thread lives less than 2 seconds, however short the pause was', () => {
    expect(pausesAfter(1999, 1999, 2000)).to.deep.equal([100, 200, 100]);
  });
});
