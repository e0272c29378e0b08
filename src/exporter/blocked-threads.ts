import { readFileSync } from 'node:fs';
import type { SelfMetric } from '../collect/self-metrics.ts';
import { systemThreadId } from '../memory/liveness.ts';
import { PulseReader, type ThreadPulse } from '../memory/pulse.ts';
import type { Region } from '../memory/region.ts';
import { slabOwner } from '../memory/slab.ts';
import type { ThreadState } from './page-protocol.ts';

/**
 * How often threads are looked at. A block is seen at most this long after it began, and its age is exact to
 * this.
 */
export const LOOK_MILLIS = 500;

/** A thread, how long its event loop has been blocked, and what it does. */
export interface ThreadLook extends ThreadPulse {
  readonly state: ThreadState;
}

/**
 * The gauge that tells which threads are blocked. It knows only live threads that record, or have recorded.
 */
export class BlockedThreads {
  readonly #region: Region;
  readonly #pulses: PulseReader;
  /** Processor time of the threads that were silent at the latest look, by slab. */
  #times = new Map<number, number>();
  readonly metric: SelfMetric;

  constructor(region: Region) {
    this.#region = region;
    this.#pulses = new PulseReader(region);
    this.metric = {
      name: 'seqlock.thread.blocked',
      description: 'How long the event loop of a recording thread has not turned; 0 while it turns.',
      unit: 's',
      kind: 'gauge',
      start: region.takeTime(),
      read: () =>
        this.threads().map(({ processId, threadId, silentMillis, state }) => ({
          value: Math.round(silentMillis) / 1000,
          attributes: {
            ...(processId !== undefined && { 'process.pid': processId }),
            'thread.id': threadId,
            'seqlock.thread.state': state,
          },
        })),
    };
  }

  /** Every live thread that answers looks, as of the looks so far. */
  threads(): readonly ThreadLook[] {
    return this.#pulses.read().map((pulse) => ({ ...pulse, state: this.#stateOf(pulse) }));
  }

  /** Call it every `LOOK_MILLIS`. */
  look(): void {
    const silent = this.#pulses.read().filter(({ silentMillis }) => silentMillis > 0);
    this.#times = new Map(silent.map(({ slab }) => [slab, this.#taskOf(slab)?.processorTime ?? 0]));
    this.#pulses.look();
  }

  #stateOf({ slab, silentMillis }: ThreadPulse): ThreadState {
    if (silentMillis === 0) return 'turning';
    const task = this.#taskOf(slab);
    if (task === undefined) return 'unknown';
    return task.isAsleep && task.processorTime === this.#times.get(slab) ? 'waiting' : 'busy';
  }

  #taskOf(slab: number): Task | undefined {
    // In a store of several processes the owner word names a process. The threads of another process cannot
    // be seen.
    if (this.#region.directory !== undefined) return undefined;
    const id = systemThreadId(slabOwner(this.#region, slab));
    return id === undefined ? undefined : taskOf(id);
  }
}

interface Task {
  readonly isAsleep: boolean;
  /** In ticks of the system, usually a hundredth of a second. */
  readonly processorTime: number;
}

/** What the system shows of a thread; undefined if it shows nothing. */
function taskOf(id: number): Task | undefined {
  try {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third on: proc_pid_stat(5)
    return { isAsleep: fields[0] === 'S', processorTime: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}
