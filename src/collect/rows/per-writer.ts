import type { Attributes } from '@opentelemetry/api';
import type { MergedStream } from '../directory/merged-stream.ts';

/** The attribute that tells the writers of a `per-writer` gauge apart (semantic conventions, thread attributes). */
export const THREAD_ATTRIBUTE = 'thread.id';

/** The value a thread set last, in one series. */
export interface WriterValue {
  /** Which contribution of the series it is. */
  readonly node: number;
  readonly threadId: number;
  readonly value: number;
  readonly tick: number;
}

/**
 * Attributes of a `per-writer` gauge's points: those of the series, and the thread. The same objects again as long as a cell is the same
 * thread's, since rows of a column are known by them.
 */
export class WriterAttributes {
  readonly #known = new Map<number, { readonly threadId: number; readonly attributes: Attributes }>();

  of(stream: MergedStream, series: number, { node, threadId }: WriterValue): Attributes {
    const known = this.#known.get(node);
    if (known?.threadId === threadId) return known.attributes;
    const own = Object.entries(stream.attributes[series]!);
    const attributes = Object.fromEntries(
      [...own, [THREAD_ATTRIBUTE, threadId] as const].sort(([a], [b]) => (a < b ? -1 : 1)), // as all keys are
    );
    this.#known.set(node, { threadId, attributes });
    return attributes;
  }
}

/** One value a thread: it may have two slabs, where it loaded the package twice. */
export function newestOfEachThread(values: readonly WriterValue[]): WriterValue[] {
  const newest = new Map<number, WriterValue>();
  for (const one of values) {
    const other = newest.get(one.threadId);
    if (other === undefined || other.tick < one.tick) newest.set(one.threadId, one);
  }
  return [...newest.values()];
}
