import { expect } from 'chai';
import { yieldToEventLoop } from '../../src/base/event-loop.ts';
import { turnsDuring } from '../support/turns-during.ts';

describe('turn', () => {
  it('lets one go on at a turn of the event loop, each as often as the others', async () => {
    const order: string[] = [];
    const work = ['a', 'b', 'c'].map(async (name) => {
      for (let i = 0; i < 3; i++) {
        await yieldToEventLoop();
        order.push(name);
      }
    });
    const turns = await turnsDuring(Promise.all(work));
    expect(order.join('')).to.equal('abcabcabc');
    expect(turns).to.be.at.least(8); // the first may come before they are counted
    await yieldToEventLoop(); // when nobody waits any more
  });
});
