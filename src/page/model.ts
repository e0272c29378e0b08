import type {
  Cardinality,
  Hello,
  Past,
  Status,
  StreamInfo,
  StreamList,
  Tick,
} from '../exporter/page-protocol.ts';
import { Connection } from './connection.ts';
import { isOfFrame } from './lines.ts';
import { SplitLines } from './split-lines.ts';
import { Timeline } from './timeline.ts';

/** Changes of what is looked at within this time are one, in milliseconds: cards come and go in scrolling. */
const SETTLE_MILLIS = 120;
/** How long after the server has refused an event stream it is asked again. */
const RETRY_MILLIS = 2000;

/** What somebody looks at. */
export interface Look {
  readonly streams: readonly number[];
  readonly split?: { readonly id: number; readonly key: number } | undefined;
  readonly status?: boolean;
  readonly cardinality?: boolean;
}

/** All that the page knows. Views read it, and are told when it has changed. */
export class Model {
  readonly streams = new Map<number, StreamInfo>();
  readonly timeline = new Timeline();
  status: Partial<Status> = {};
  cardinality: Cardinality | undefined;
  split: SplitLines | undefined;
  isLinked = false;
  version = '';
  /** Called after each change, at most once in a frame of the screen. */
  onChange: () => void = () => {};
  readonly #connection: Connection;
  #server = '';
  #listVersion = 0;
  #isListing = false;
  #look: Look = { streams: [] };
  #settling: ReturnType<typeof setTimeout> | undefined;
  #frame: number | undefined;

  constructor() {
    this.#connection = new Connection({
      hello: (hello) => this.#hello(hello),
      past: (past) => this.#past(past),
      tick: (tick) => this.#tick(tick),
      status: (status) => {
        this.status = { ...this.status, ...status };
        this.#changed();
      },
      cardinality: (cardinality) => {
        this.cardinality = cardinality;
        this.#changed();
      },
      link: (isUp) => {
        this.isLinked = isUp;
        this.#changed();
        if (!isUp && !this.#connection.isAlive) this.#settle(RETRY_MILLIS);
      },
    });
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#connection.close();
      else this.#settle(0);
    });
  }

  /** Loads the list of streams, and begins to listen. */
  start(): void {
    void this.#loadList().finally(() => this.#settle(0));
  }

  /** Says what is looked at now. */
  look(look: Look): void {
    if (JSON.stringify(look) === JSON.stringify(this.#look)) return;
    this.#look = look;
    this.#settle(SETTLE_MILLIS);
  }

  #settle(millis: number): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#connect(), millis);
  }

  #connect(): void {
    if (document.hidden) return;
    const { timeline } = this;
    const { streams, split } = this.#look;
    const wanted = new Set(streams);
    const have = [...timeline.streams].filter((id) => wanted.has(id));
    for (const id of timeline.streams) if (!wanted.has(id)) timeline.drop(id);
    const want = streams.filter((id) => !have.includes(id));
    for (const id of want) timeline.begin(id, !isOfFrame(this.streams.get(id)?.kind ?? 'counter'));
    if (split === undefined) this.split = undefined;
    else if (this.split?.id !== split.id || this.split.key !== split.key)
      this.split = new SplitLines(split.id, split.key);
    this.#connection.open({
      have,
      want,
      from: timeline.latest,
      splits: split === undefined ? [] : [split],
      status: this.#look.status === true,
      cardinality: this.#look.cardinality === true,
    });
  }

  #hello({ server, version }: Hello): void {
    this.version = version;
    if (this.#server !== '' && this.#server !== server) this.#startAnew();
    this.#server = server;
  }

  /** Another server answers: nothing that is known of the old one holds. */
  #startAnew(): void {
    location.reload();
  }

  #past({ frames }: Past): void {
    for (const { t, p } of frames) this.timeline.add(t, p);
    this.#changed();
  }

  #tick({ t, v, p, splits = [] }: Tick): void {
    this.timeline.add(t, p);
    for (const split of splits) this.split?.add(t, split);
    if (v !== this.#listVersion) void this.#loadList();
    this.#changed();
  }

  async #loadList(): Promise<void> {
    if (this.#isListing) return;
    this.#isListing = true;
    try {
      const answer = await fetch(`streams?since=${this.#listVersion}`);
      if (!answer.ok) return;
      const { version, streams } = (await answer.json()) as StreamList;
      this.#listVersion = version;
      for (const info of streams) this.streams.set(info.id, info);
      this.#changed();
    } catch {
      // The next tick tries again.
    } finally {
      this.#isListing = false;
    }
  }

  #changed(): void {
    if (this.#frame !== undefined) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined;
      this.onChange();
    });
  }
}
