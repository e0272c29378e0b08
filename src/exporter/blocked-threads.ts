import { hrTimeOf } from '../collect/hr-time.ts';
import type { SelfMetric } from '../collect/self-metrics.ts';
import type { PulseReader } from '../memory/pulse.ts';

/** How often threads are looked at: a block is seen at the latest so long after it began, and its age is exact to this. */
export const LOOK_MILLIS = 500;

/** The gauge that tells which threads are blocked. Only threads that record, or have recorded, are known. */
export function blockedThreads(pulses: PulseReader, startMillis: number): SelfMetric {
  return {
    name: 'seqlock.thread.blocked',
    description: 'How long the event loop of a recording thread has not turned; 0 while it turns.',
    unit: 's',
    kind: 'gauge',
    start: hrTimeOf(startMillis),
    read: () =>
      pulses.read().map(({ threadId, silentMillis }) => ({
        value: Math.round(silentMillis) / 1000,
        attributes: { 'thread.id': threadId },
      })),
  };
}
