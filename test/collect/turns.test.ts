import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { Turns } from '../../src/collect/turns.ts';

describe('turns', () => {
  it('are taken one after the other, in order, whether the one before failed or not', async () => {
    const turns = new Turns();
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
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const turns = new Turns();
    const results: WeakRef<object>[] = [];
    const take = async (): Promise<void> => {
      results.push(new WeakRef(await turns.take(() => Promise.resolve({}))));
    };
    await take();
    await wait(1); // a WeakRef keeps its object for the turn of the event loop it was made in
    collectGarbage();
    expect(results[0]!.deref()).to.equal(undefined);
  });
});
