/** What a page looks at: the query of its event stream (page-protocol.ts). */
export interface Watch {
  /** Streams to send, and the time up to which the page has their points; 0 for none. */
  readonly streams: ReadonlyMap<number, number>;
  readonly splits: readonly { readonly id: number; readonly key: number }[];
  readonly status: boolean;
  readonly cardinality: boolean;
}

/** A page that shows more is not ours. */
const MAX_STREAMS = 2000;
const MAX_SPLITS = 8;

/** `lastEventId`: what the browser says when it comes back by itself; it has everything up to that. */
export function watchOf(query: URLSearchParams, lastEventId?: string): Watch {
  const numbers = (name: string): number[] =>
    (query.get(name) ?? '')
      .split(',')
      .map((text) => (/^\d{1,9}$/.test(text) ? Number(text) : -1))
      .filter((id) => id >= 0);
  const again = Number(lastEventId ?? 0) || 0;
  const from = Math.max(Number(query.get('from')) || 0, again);
  const streams = new Map<number, number>();
  for (const id of numbers('have')) streams.set(id, from);
  for (const id of numbers('want')) streams.set(id, again);
  return {
    streams: new Map([...streams].slice(0, MAX_STREAMS)),
    splits: query
      .getAll('by')
      .slice(0, MAX_SPLITS)
      .flatMap((text) => {
        const [, id, key] = /^(\d{1,9}):(\d{1,3})$/.exec(text) ?? [];
        return id === undefined ? [] : [{ id: Number(id), key: Number(key) }];
      }),
    status: query.has('status'),
    cardinality: query.has('cardinality'),
  };
}
