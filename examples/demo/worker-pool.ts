/** A fixed number of workers that take jobs in turn, and a way to replace one while the others go on. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Job } from './jobs.ts';

interface Member {
  readonly worker: Worker;
  answered: number;
  readonly waiting: Map<number, { resolve(digest: string): void; reject(error: Error): void }>;
  /** Called when the last job it was given is answered. */
  onIdle: (() => void) | undefined;
}

export class WorkerPool {
  #members: Member[];
  #turn = 0;
  #lastId = 0;

  constructor(size: number) {
    this.#members = Array.from({ length: size }, () => startMember());
  }

  run(algorithm: string, bytes: number): Promise<string> {
    const { worker, waiting } = this.#members[this.#turn++ % this.#members.length]!;
    const job: Job = { id: ++this.#lastId, algorithm, bytes };
    return new Promise((resolve, reject) => {
      waiting.set(job.id, { resolve, reject });
      worker.postMessage(job);
    });
  }

  /**
   * Ends one worker as a crash would, without a chance to hand anything over. It has answered all it was
   * given by then. Another takes its place. Returns how many jobs the ended one had answered.
   */
  async replaceOne(): Promise<number> {
    const retired = this.#members.pop()!;
    if (retired.waiting.size > 0) await new Promise<void>((resolve) => (retired.onIdle = resolve));
    await retired.worker.terminate();
    const replacement = startMember();
    await once(replacement.worker, 'online');
    this.#members.push(replacement);
    return retired.answered;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
    this.#members = [];
  }
}

function startMember(): Member {
  const member: Member = {
    worker: new Worker(new URL('./job-worker.js', import.meta.url)),
    answered: 0,
    waiting: new Map(),
    onIdle: undefined,
  };
  member.worker.on('message', ({ id, digest }: { id: number; digest: string }) => {
    member.waiting.get(id)?.resolve(digest);
    member.waiting.delete(id);
    member.answered++;
    if (member.waiting.size === 0) member.onIdle?.();
  });
  member.worker.on('error', (error: Error) => {
    for (const job of member.waiting.values()) job.reject(error);
    member.waiting.clear();
  });
  return member;
}
