/**
 * Who a thread is, and proof that it is dead.
 *
 * A thread's mark is a positive int32 that no other live thread of the process has. Shared memory names owners by
 * their marks: the owner of a slab, the holder of a lock. What an owner left behind may be taken over only on proof
 * of its death; never after a time-out, because a thread that was merely suspended would go on writing.
 *
 * On Linux the mark is the kernel's thread id, and the proof is that /proc/self/task/<id> is gone: it needs no
 * co-operation, and it also sees threads that were terminated or crashed. The kernel may give the id of a dead thread
 * to a new one. The dead owner then looks alive for as long as that thread lives, which delays the take-over and harms
 * nothing; and a thread that is just starting owns nothing, so whatever carries its own mark is a dead predecessor's.
 *
 * Elsewhere the mark is 1 + Node's thread id, and this module has no proof: the thread that made a worker sees its
 * 'exit' event and gives up what the worker owned (`state/store.ts`).
 */
import { readlinkSync, statSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

export type MarkKind = 'linux-thread-id' | 'node-thread-id';

function linuxThreadId(): number {
  if (process.platform !== 'linux') return 0;
  try {
    return Number.parseInt(/\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1] ?? '0', 10);
  } catch {
    return 0; // no /proc: fall back to Node's own ids
  }
}

const ownLinuxThreadId = linuxThreadId();

/** How this process names threads; one kind for all its threads. */
export const MARK_KIND: MarkKind = ownLinuxThreadId > 0 ? 'linux-thread-id' : 'node-thread-id';

/** The mark of a worker by Node's id, where marks are made of those. */
export function markOfNodeThread(nodeThreadId: number): number {
  return nodeThreadId + 1;
}

/** The mark of the thread that runs this. */
export const OWN_MARK: number = ownLinuxThreadId > 0 ? ownLinuxThreadId : markOfNodeThread(threadId);

/** True only on proof that the thread of `mark` has ended. A system call on Linux, about 5 microseconds. */
export function isProvenDead(mark: number): boolean {
  if (mark === OWN_MARK || MARK_KIND !== 'linux-thread-id') return false;
  try {
    return statSync(`/proc/self/task/${mark}`, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false; // anything but "no such thread" proves nothing
  }
}
