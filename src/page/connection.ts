import type { Cardinality, Hello, Past, Status, Tick } from '../exporter/page-protocol.ts';

/** What the page wants to be sent. */
export interface Wishes {
  /** Streams whose points are known up to `from`. */
  readonly have: readonly number[];
  /** Streams of which all that is kept is wanted. */
  readonly want: readonly number[];
  readonly from: number;
  readonly splits: readonly { readonly id: number; readonly key: number }[];
  readonly status: boolean;
  readonly cardinality: boolean;
}

export interface Listener {
  hello(hello: Hello): void;
  past(past: Past): void;
  tick(tick: Tick): void;
  status(status: Partial<Status>): void;
  cardinality(cardinality: Cardinality): void;
  /** Whether the server can be reached. */
  link(isUp: boolean): void;
}

/**
 * The event stream from the server: one at a time, and none while nobody sees the page. Browsers open no more
 * than six connections to a server, for all their tabs together.
 */
export class Connection {
  readonly #listener: Listener;
  #events: EventSource | undefined;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** Closes the stream that is open, and opens one for other wishes. */
  open(wishes: Wishes): void {
    this.close();
    const query = new URLSearchParams();
    if (wishes.have.length > 0) query.set('have', wishes.have.join());
    if (wishes.want.length > 0) query.set('want', wishes.want.join());
    query.set('from', String(wishes.from));
    for (const { id, key } of wishes.splits) query.append('by', `${id}:${key}`);
    if (wishes.status) query.set('status', '');
    if (wishes.cardinality) query.set('cardinality', '');
    const events = new EventSource(`events?${query.toString()}`);
    this.#events = events;
    events.addEventListener('open', () => this.#listener.link(true));
    events.addEventListener('error', () => this.#listener.link(false));
    for (const name of ['hello', 'past', 'tick', 'status', 'cardinality'] as const)
      events.addEventListener(name, ({ data }) =>
        (this.#listener[name] as (data: unknown) => void).call(this.#listener, JSON.parse(data as string)),
      );
  }

  /** True while the browser tries, or is, to be connected. False when it has given up. */
  get isAlive(): boolean {
    return this.#events !== undefined && this.#events.readyState !== EventSource.CLOSED;
  }

  close(): void {
    this.#events?.close();
    this.#events = undefined;
  }
}
