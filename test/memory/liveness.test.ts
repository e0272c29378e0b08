import { expect } from 'chai';
import { once } from 'node:events';
import { threadId, Worker } from 'node:worker_threads';
import { isProvenDead, MARK_KIND, markOfNodeThread, OWN_MARK, ownMark } from '../../src/memory/liveness.ts';
import { DEAD_MARK } from '../support/marks.ts';

/** A worker that tells its mark and then lives until it is terminated. */
async function startMarked(): Promise<{ readonly worker: Worker; readonly mark: number }> {
  const module = new URL('../../src/memory/liveness.js', import.meta.url).href;
  const code = `import(${JSON.stringify(module)}).then((m) => {
    require('worker_threads').parentPort.postMessage(m.OWN_MARK); setInterval(() => {}, 1000); })`;
  const worker = new Worker(code, { eval: true });
  const [mark] = (await once(worker, 'message')) as [number];
  return { worker, mark };
}

/** Waits for what the kernel does a moment after the 'exit' event. */
async function waitFor(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  return condition();
}

describe('liveness', () => {
  it('uses the kernel thread id on Linux', function () {
    if (process.platform !== 'linux') this.skip();
    expect(MARK_KIND).to.equal('linux-thread-id');
    expect(OWN_MARK).to.equal(process.pid); // the main thread's id is the process's, and mocha runs on it
  });

  it('marks are positive int32 and differ between live threads', async () => {
    const { worker, mark } = await startMarked();
    try {
      for (const each of [OWN_MARK, mark]) expect(each).to.satisfy((m: number) => m > 0 && m === (m | 0));
      expect(mark).to.not.equal(OWN_MARK);
      expect(markOfNodeThread(threadId)).to.be.above(2 ** 22, 'no kernel id, whatever thread it is');
    } finally {
      await worker.terminate();
    }
  });

  it('this thread is not dead, whatever happens', () => {
    expect(isProvenDead(OWN_MARK)).to.equal(false);
  });

  it('nothing proves that a thread named by its Node id is dead', () => {
    for (const id of [0, 1, 1_000_000]) expect(isProvenDead(markOfNodeThread(id))).to.equal(false);
  });

  it("a region's kind of marks is obeyed by a thread that sees more", () => {
    expect(ownMark('node-thread-id')).to.equal(markOfNodeThread(threadId));
    expect(ownMark('linux-thread-id')).to.equal(OWN_MARK);
  });

  it('a terminated worker is dead, and was not before', async function () {
    if (MARK_KIND !== 'linux-thread-id') this.skip();
    const { worker, mark } = await startMarked();
    expect(isProvenDead(mark)).to.equal(false);
    await worker.terminate();
    expect(await waitFor(() => isProvenDead(mark))).to.equal(true);
  });

  it('an id that no thread of this process has is dead', function () {
    if (MARK_KIND !== 'linux-thread-id') this.skip();
    expect(isProvenDead(DEAD_MARK)).to.equal(true);
  });
});
