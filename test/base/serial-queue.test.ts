import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { SerialQueue } from '../../src/base/event-loop.ts';
import { collectGarbage } from '../support/collect-garbage.ts';

describe('turns', () => {
  it('are taken one after the other, in order, whether the one before failed or not', async () => {
    const turns = new SerialQueue();
    const log: string[] = [];
    const work =
      (name: string, millis: number, fails = false) =>
      async (): Promise<string> => {
        log.push(`${name} begins`);
        await wait(millis);
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const outcomes = await Promise.allSettled([
      turns.take(work('a', 10)),
      turns.take(work('b', 5, true)),
      turns.take(work('c', 0)),
    ]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
    expect(log).to.deep.equal(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('keep nothing of what came of the last one', async () => {
    const turns = new SerialQueue();
    const results: WeakRef<object>[] = [];
    const take = async (): Promise<void> => {
      results.push(new WeakRef(await turns.take(() => Promise.resolve({}))));
    };
    await take();
    await collectGarbage();
    expect(results[0]!.deref()).to.equal(undefined);
  });
});
