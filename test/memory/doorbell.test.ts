import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { CALLBACK_MILLIS, answerRings, ring, type RingListener } from '../../src/memory/doorbell.ts';
import { Region } from '../../src/memory/region.ts';
import { eventually } from '../support/eventually.ts';
import { collectGarbage } from '../support/collect-garbage.ts';

class Listener implements RingListener {
  readonly heard: (readonly [number, number])[] = [];

  onRing(request: number, timeoutMillis: number): void {
    this.heard.push([request, timeoutMillis]);
  }
}

describe('doorbell', () => {
  it('tells of requests, and of nothing when the store is closed', async () => {
    const region = Region.create(2 ** 20);
    const listener = new Listener();
    answerRings(region, listener);
    const request = ring(region);
    await eventually(() => Promise.resolve(listener.heard[0]));
    expect(listener.heard).to.deep.equal([[request, CALLBACK_MILLIS]]);
    region.close();
    await wait(150);
    expect(listener.heard).to.have.length(1);
  });

  it('tells of requests of readers that are attached to a closed store, each once', async () => {
    const region = Region.create(2 ** 20);
    const listener = new Listener();
    answerRings(region, listener);
    region.close();
    for (let i = 1; i <= 2; i++) {
      const request = ring(region);
      await eventually(() => Promise.resolve(listener.heard[i - 1]));
      expect(listener.heard[i - 1]).to.deep.equal([request, CALLBACK_MILLIS]);
    }
    await wait(150);
    expect(listener.heard).to.have.length(2);
  });

  it('holds a listener nobody else holds while the store is open, and then no longer', async () => {
    const region = Region.create(2 ** 20);
    const listeners: WeakRef<Listener>[] = [];
    const listen = (): void => {
      const listener = new Listener();
      listeners.push(new WeakRef(listener));
      answerRings(region, listener);
    };
    listen();
    await collectGarbage();
    expect(listeners[0]!.deref()).to.not.equal(undefined);
    region.close();
    await eventually(async () => {
      await collectGarbage();
      return listeners[0]!.deref() === undefined ? true : undefined;
    });
  });
});
