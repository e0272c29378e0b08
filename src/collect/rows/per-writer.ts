import type { Attributes } from '@opentelemetry/api';
import type { MergedStream } from '../directory/merged-stream.ts';

/** The attributes that tell the writers of a `per-writer` gauge apart (semantic conventions, thread and process attributes). */
export const THREAD_ATTRIBUTE = 'thread.id';
const PROCESS_ATTRIBUTE = 'process.pid';

/** The value a thread set last, in one series. */
export interface WriterValue {
  /** Which contribution of the series it is. */
  readonly node: number;
  readonly threadId: number;
  /** Undefined in a store of one process. */
  readonly processId: number | undefined;
  readonly value: number;
  readonly tick: number;
}

/**
 * Attributes of a `per-writer` gauge's points: those of the series, and the thread. The same objects again as long as a cell is the same
 * thread's, since rows of a column are known by them.
 */
export class WriterAttributes {
  readonly #known = new Map<number, { readonly writer: string; readonly attributes: Attributes }>();

  of(stream: MergedStream, series: number, { node, threadId, processId }: WriterValue): Attributes {
    const writer = `${processId} ${threadId}`;
    const known = this.#known.get(node);
    if (known?.writer === writer) return known.attributes;
    const all = {
      ...(processId !== undefined && { [PROCESS_ATTRIBUTE]: processId }),
      ...stream.attributes[series]!,
      [THREAD_ATTRIBUTE]: threadId,
    };
    const attributes = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1))); // as all keys are
    this.#known.set(node, { writer, attributes });
    return attributes;
  }
}

/** One value a thread: it may have two slabs, where it loaded the package twice. Processes of two pid namespaces may be taken for one. */
export function newestOfEachThread(values: readonly WriterValue[]): WriterValue[] {
  const newest = new Map<string, WriterValue>();
  for (const one of values) {
    const writer = `${one.processId} ${one.threadId}`;
    const other = newest.get(writer);
    if (other === undefined || other.tick < one.tick) newest.set(writer, one);
  }
  return [...newest.values()];
}
