import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { performance } from '../../src/base/platform.ts';
import { Deliveries } from '../../src/export/deliveries.ts';
import type { TextBody } from '../../src/export/prometheus-text.ts';

const MIB = 2 ** 20;

function bodyOf(length: number): TextBody {
  return { pieces: [Buffer.alloc(length)], length, release: () => {} };
}

/** A receiver that takes what it is told to take. */
class Receiver extends EventEmitter {
  destroyed = false;
  writableNeedDrain = false;
  writableFinished = false;
  written = 0;

  cork(): void {}
  uncork(): void {}
  write(piece: Buffer): void {
    this.written += piece.length;
    this.writableNeedDrain = true;
  }
  end(): void {}
  take(): void {
    this.writableNeedDrain = false;
    this.emit('drain');
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function send(deliveries: Deliveries, body: TextBody): Receiver & { readonly sent: Promise<void> } {
  const receiver = new Receiver();
  return Object.assign(receiver, { sent: deliveries.send(receiver as unknown as ServerResponse, body) });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Deliveries', () => {
  const { now } = performance;
  let clock: number;
  beforeEach(() => {
    clock = 1e6;
    performance.now = () => clock;
  });
  afterEach(() => (performance.now = now));

  it('write so much and no more to a receiver that takes nothing', async () => {
    const deliveries = new Deliveries(10_000);
    const receiver = send(deliveries, bodyOf(8 * MIB));
    for (let i = 0; i < 5; i++) await turn();
    const first = receiver.written;
    expect(first).to.be.at.most(MIB);
    receiver.take();
    for (let i = 0; i < 5; i++) await turn();
    expect(receiver.written).to.equal(2 * first);
    receiver.destroy();
    await receiver.sent;
  });

  it('end when their time is over', async () => {
    const receiver = send(new Deliveries(1), bodyOf(8 * MIB));
    await receiver.sent;
    expect(receiver.destroyed).to.equal(true);
  });

  it('wait for so many receivers that have stalled, and cut off those first that took nothing for longest', () => {
    const deliveries = new Deliveries(10_000);
    const body = bodyOf(8 * MIB);
    const receivers = Array.from({ length: 40 }, () => {
      clock += 10;
      return send(deliveries, body);
    });
    deliveries.trim();
    expect(receivers.filter(({ destroyed }) => destroyed)).to.deep.equal([]);
    clock += 1001;
    deliveries.trim();
    expect(receivers.map(({ destroyed }) => destroyed)).to.deep.equal(
      receivers.map((_, i) => i < receivers.length - 16),
    );
    deliveries.trim();
    expect(receivers.filter(({ destroyed }) => !destroyed)).to.have.length(16);
    for (const receiver of receivers) receiver.destroy();
  });

  it('hold so many bytes for receivers, however few those are; one body always', async () => {
    const deliveries = new Deliveries(10_000);
    const receivers: Receiver[] = [];
    for (let i = 0; i < 4; i++) {
      clock += 10;
      receivers.push(send(deliveries, bodyOf(15 * MIB)));
    }
    clock += 10;
    receivers[0]!.take();
    await turn();
    deliveries.trim();
    expect(receivers.map(({ destroyed }) => destroyed)).to.deep.equal([false, true, true, false]);
    const shared = bodyOf(100 * MIB);
    const others = [send(deliveries, shared), send(deliveries, shared)];
    clock += 10;
    deliveries.trim();
    expect(receivers.every(({ destroyed }) => destroyed)).to.equal(true);
    expect(others.some(({ destroyed }) => destroyed)).to.equal(false);
    for (const receiver of others) receiver.destroy();
  });

  it('leave no listeners with a receiver, however often it was waited for', async () => {
    const receiver = send(new Deliveries(10_000), bodyOf(8 * MIB));
    for (let i = 0; i < 12; i++) {
      await turn();
      expect(receiver.listenerCount('close')).to.be.at.most(1);
      expect(receiver.listenerCount('drain')).to.be.at.most(1);
      receiver.take();
    }
    expect(receiver.written).to.be.above(4 * MIB);
    receiver.destroy();
    await receiver.sent;
    expect(receiver.listenerCount('drain')).to.equal(0);
  });
});
