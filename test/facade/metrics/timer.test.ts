import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { SeqlockMetricsProvider, Timer } from '../../../src/index.ts';

function recorder(): { readonly recorded: number[]; observe(seconds: number): void } {
  const recorded: number[] = [];
  return { recorded, observe: (seconds) => void recorded.push(seconds) };
}

describe('Timer', () => {
  it('records the seconds of a scope when it ends, however it ends', async () => {
    const histogram = recorder();
    const leave = (how: 'end' | 'return' | 'throw'): void => {
      using timer = new Timer(histogram);
      expect(timer.seconds).to.be.at.least(0);
      if (how === 'return') return;
      if (how === 'throw') throw new Error('on purpose');
    };
    leave('end');
    leave('return');
    expect(() => leave('throw')).to.throw('on purpose');
    expect(histogram.recorded).to.have.length(3);
    {
      using _timer = new Timer(histogram);
      await wait(20);
    }
    expect(histogram.recorded[3]).to.be.within(0.018, 30);
  });

  it('records once, whatever ends it', () => {
    const histogram = recorder();
    const timer = new Timer(histogram);
    const seconds = timer.stop();
    expect(timer.stop()).to.equal(seconds);
    timer[Symbol.dispose]();
    expect(timer.seconds).to.equal(seconds);
    expect(histogram.recorded).to.deep.equal([seconds]);
    {
      using stopped = new Timer(histogram);
      stopped.stop();
    }
    expect(histogram.recorded).to.have.length(2);
  });

  it('goes by a clock that nobody sets', () => {
    const { now } = Date;
    const histogram = recorder();
    try {
      const timer = new Timer(histogram);
      Date.now = () => 0; // the system's time is set back by decades
      timer.stop();
    } finally {
      Date.now = now;
    }
    expect(histogram.recorded[0]).to.be.within(0, 30);
  });

  describe('time', () => {
    it('gives what the work gives, and records it', () => {
      const histogram = recorder();
      expect(Timer.time(histogram, () => 42)).to.equal(42);
      expect(histogram.recorded).to.have.length(1);
    });

    it('records work that throws', () => {
      const histogram = recorder();
      expect(() =>
        Timer.time(histogram, () => {
          throw new RangeError('on purpose');
        }),
      ).to.throw(RangeError, 'on purpose');
      expect(histogram.recorded).to.have.length(1);
    });

    it('records promises when they are settled, and gives them', async () => {
      const histogram = recorder();
      const work = wait(20).then(() => 'done');
      const given = Timer.time(histogram, () => work);
      expect(given).to.equal(work);
      expect(histogram.recorded).to.deep.equal([]);
      expect(await given).to.equal('done');
      expect(histogram.recorded).to.have.length(1);
      expect(histogram.recorded[0]).to.be.within(0.018, 30);
    });

    it('records promises that are rejected, and leaves the rejection to the caller alone', async () => {
      const histogram = recorder();
      const unhandled: unknown[] = [];
      const note = (reason: unknown): void => void unhandled.push(reason);
      process.on('unhandledRejection', note);
      try {
        const failed = await Timer.time(histogram, () => Promise.reject(new Error('on purpose'))).catch(
          (error: unknown) => error,
        );
        expect((failed as Error).message).to.equal('on purpose');
        expect(histogram.recorded).to.have.length(1);
        await wait(5);
        expect(unhandled).to.deep.equal([]);
      } finally {
        process.off('unhandledRejection', note);
      }
    });

    it('records into histograms of a provider', async () => {
      const metrics = new SeqlockMetricsProvider();
      const histogram = metrics.histogram('seconds', '');
      Timer.time(histogram, () => {});
      await Timer.time(histogram.labels({ a: 'b' }), () => wait(2));
      expect(histogram.stats().count).to.equal(1);
      expect(histogram.labels({ a: 'b' }).stats().min).to.be.within(0.001, 30);
      await metrics.shutdown();
    });
  });
});
