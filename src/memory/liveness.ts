/**
 * Who a thread is, and proof that it is dead.
 *
 * A thread's mark is a positive int32 that no other live thread of the process has. Shared memory names
 * owners by their marks: the owner of a slab, the holder of a lock. What an owner left may be taken over only
 * on proof of its death. A time-out is no proof, because a thread that was only suspended would go on
 * writing.
 *
 * A mark shows what it is made of, so that nobody applies the proof of one kind to another:
 *
 *   1 .. 2^22    the kernel's thread id (Linux). The proof is that /proc/self/task/<id> is gone: it needs no
 *                co-operation, and it also sees threads that were terminated or crashed. The kernel may give
 *                the id of a dead thread to a new one. The dead owner then looks alive for as long as that
 *                thread lives, which delays the take-over and harms nothing; and a thread that is just
 *                starting owns nothing, so whatever carries its own mark is a dead predecessor's.
 *   from 2^24    2^24 + Node's thread id. There is no proof: the thread that made a worker sees its 'exit'
 *                event and gives up what the worker owned (`state/store.ts`).
 *
 * The thread that makes a region writes into its header which kind its owners have (`ownMark`). Node's
 * permission model may show /proc to some threads of a process and not to others. A thread that cannot read
 * its kernel id uses Node's everywhere. What cannot be read proves nothing.
 */
import { readlinkSync, statSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

export type MarkKind = 'linux-thread-id' | 'node-thread-id';

/** Above the largest thread id that Linux gives, which is 2^22. */
const NODE_MARKS_FROM: number = 2 ** 24;

function linuxThreadId(): number {
  if (process.platform !== 'linux') return 0;
  try {
    return Number.parseInt(/\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1] ?? '0', 10);
  } catch {
    return 0; // no /proc, or not for this thread: fall back to Node's own ids
  }
}

/** The mark that a worker has by Node's id, where marks are made of those ids. */
export function markOfNodeThread(nodeThreadId: number): number {
  return NODE_MARKS_FROM + nodeThreadId;
}

const ownLinuxThreadId = linuxThreadId();
const OWN_NODE_MARK = markOfNodeThread(threadId);

/** The kind of this thread's mark, where it has the choice. */
export const MARK_KIND: MarkKind = ownLinuxThreadId > 0 ? 'linux-thread-id' : 'node-thread-id';

/** The mark of the calling thread, where it has the choice. */
export const OWN_MARK: number = ownLinuxThreadId > 0 ? ownLinuxThreadId : OWN_NODE_MARK;

/** The mark of the calling thread in a region whose header says `kind`. */
export function ownMark(kind: MarkKind): number {
  return kind === 'node-thread-id' ? OWN_NODE_MARK : OWN_MARK;
}

/** True only on proof that the thread of `mark` has ended. A system call on Linux, about 5 microseconds. */
export function isProvenDead(mark: number): boolean {
  if (mark === OWN_MARK || mark >= NODE_MARKS_FROM || MARK_KIND !== 'linux-thread-id') return false;
  // If /proc does not show even this thread, it proves nothing: it was taken away since.
  return !hasTask(mark) && hasTask(ownLinuxThreadId);
}

function hasTask(id: number): boolean {
  try {
    return statSync(`/proc/self/task/${id}`, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // anything but "no such thread" proves nothing
  }
}

/** The system's id of the thread of `mark`; undefined where marks are not made of those. */
export function systemThreadId(mark: number): number | undefined {
  return mark > 0 && mark < NODE_MARKS_FROM && MARK_KIND === 'linux-thread-id' ? mark : undefined;
}
