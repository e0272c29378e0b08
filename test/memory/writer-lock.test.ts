import { expect } from 'chai';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { MARK_KIND, OWN_MARK } from '../../src/memory/liveness.ts';
import { WriterLock } from '../../src/memory/writer-lock.ts';

const WAITERS = 0x80000000 | 0;
const OTHER = 0x7ffffff0; // no thread has this id

function makeWord(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** A worker that takes the lock on word 1, says so, and holds it until it is ended or word 0 becomes 1. */
async function startHolder(words: Int32Array): Promise<Worker> {
  const module = new URL('../../src/memory/writer-lock.js', import.meta.url).href;
  const code = `
    const { parentPort, workerData } = require('worker_threads');
    import(${JSON.stringify(module)}).then(({ WriterLock }) => {
      const lock = new WriterLock(workerData, 1);
      lock.acquire();
      parentPort.postMessage('held');
      Atomics.wait(workerData, 0, 0);
      lock.release();
      parentPort.postMessage('released');
    });`;
  const worker = new Worker(code, { eval: true, workerData: words });
  await once(worker, 'message');
  return worker;
}

describe('WriterLock', () => {
  it('puts the mark of its thread into the word, and 0 when it is released', () => {
    const words = makeWord();
    const lock = new WriterLock(words, 1);
    lock.acquire();
    expect([...words]).to.deep.equal([0, OWN_MARK]);
    lock.release();
    expect([...words]).to.deep.equal([0, 0]);
  });

  it('refuses a second lock in the same thread, its own or another, and keeps the first', () => {
    const words = makeWord();
    const lock = new WriterLock(words, 0);
    const other = new WriterLock(words, 1);
    lock.acquire();
    expect(() => lock.acquire()).to.throw(Error, /inside the function given to update/);
    expect(() => other.acquire()).to.throw(Error, /inside the function given to update/);
    expect([...words]).to.deep.equal([OWN_MARK, 0]);
    lock.release();
    other.acquire();
    other.release();
    expect([...words]).to.deep.equal([0, 0]);
  });

  it('takes over from a holder that isDead knows to be dead, and asks about that mark', () => {
    const words = makeWord();
    words[1] = OTHER;
    const asked: number[] = [];
    const lock = new WriterLock(words, 1, (mark) => asked.push(mark) > 0);
    lock.acquire();
    expect(asked).to.deep.equal([OTHER]);
    expect(words[1]).to.equal(OWN_MARK | WAITERS);
    lock.release();
    expect(words[1]).to.equal(0);
  });

  it('waits while nothing proves the holder dead, however long that takes', () => {
    const words = makeWord();
    words[1] = OTHER | WAITERS;
    let asked = 0;
    const lock = new WriterLock(words, 1, () => ++asked === 6);
    lock.acquire();
    expect(asked).to.equal(6);
    lock.release();
  });

  it('takes over its own mark, left by a dead thread that had the same id', () => {
    const words = makeWord();
    words[1] = OWN_MARK;
    const lock = new WriterLock(words, 1, () => expect.fail('no proof is needed'));
    lock.acquire();
    lock.release();
    expect(words[1]).to.equal(0);
  });

  it('says so, and frees nothing, when the lock was taken from it while it lived', () => {
    const words = makeWord();
    const lock = new WriterLock(words, 1);
    lock.acquire();
    words[1] = OTHER;
    expect(() => lock.release()).to.throw(Error, /taken over while that thread was alive/);
    expect(words[1]).to.equal(OTHER);
    words[1] = 0;
    lock.acquire(); // and the thread is not stuck inside
    lock.release();
  });

  it('waits on the main thread for a live holder in a worker', async () => {
    const words = makeWord();
    const worker = await startHolder(words);
    const released = once(worker, 'message');
    // Nobody but this thread can end the wait, and it is about to sleep: let another thread do it.
    const alarm = new Worker(
      `const { workerData } = require('worker_threads');
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
       Atomics.store(workerData, 0, 1); Atomics.notify(workerData, 0);`,
      { eval: true, workerData: words },
    );
    const lock = new WriterLock(words, 1);
    lock.acquire();
    expect(Atomics.load(words, 0), 'the holder was told to release').to.equal(1);
    lock.release();
    await released;
    await Promise.all([worker.terminate(), alarm.terminate()]);
    expect(words[1]).to.equal(0);
  });

  it('takes over from a terminated worker, and not from one that lives', async function () {
    if (MARK_KIND !== 'linux-thread-id') this.skip();
    const words = makeWord();
    const worker = await startHolder(words);
    const mark = words[1]!;
    expect(mark).to.not.equal(0);
    const code = `
      const { parentPort, workerData } = require('worker_threads');
      import(${JSON.stringify(new URL('../../src/memory/writer-lock.js', import.meta.url).href)}).then(({ WriterLock }) => {
        const lock = new WriterLock(workerData, 1);
        parentPort.postMessage('waiting');
        lock.acquire();
        lock.release();
        parentPort.postMessage('had it');
      });`;
    const waiter = new Worker(code, { eval: true, workerData: words });
    await once(waiter, 'message');
    const hadIt = once(waiter, 'message');
    const early = await Promise.race([
      hadIt.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, 200, false)),
    ]);
    expect(early, 'taken from a live holder').to.equal(false);
    expect(words[1]! & 0x7fffffff).to.equal(mark);
    await worker.terminate();
    await hadIt;
    expect(words[1]).to.equal(0);
    await waiter.terminate();
  });
});
