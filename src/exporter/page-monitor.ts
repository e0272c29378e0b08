import { clearTimeout, performance, setTimeout } from '../base/platform.ts';
import type { MetricSink, MetricSource } from '../collect/metric-source.ts';
import type { Resource } from '../collect/metric-data.ts';
import { hasCallbacks } from '../collect/observation.ts';
import type { MetricColumn } from '../collect/rows/column.ts';
import type { ExpositionOptions } from '../export/family-plan.ts';
import { PageHistory } from './page-history.ts';
import type { Point, StreamInfo, StreamList } from './page-protocol.ts';
import { PageStream } from './page-stream.ts';
import { isOfFrame, STREAM_KINDS } from './page-tally.ts';

const FRAME_MILLIS = 1000;
/** A frame may take this share of a core. If it takes more, frames come less often, but not for ever. */
const SHARE = 0.01;
const LONGEST_FRAME_MILLIS = 10_000;
/** How often observable callbacks are run for those who look, at most. */
const OBSERVE_MILLIS = 5000;
/** Values that stay are written again after so many frames, since the frames before make room. */
const FRAMES_BETWEEN_KEYS = 30;
/**
 * Of the times of so many frames the shortest counts: in the others the system may have been busy with
 * something else, or there was much that was new.
 */
const TIMES = 5;

const OWN_SCOPE = 'seqlock-metrics';

/** What happened in a frame. */
export interface Frame {
  /** Milliseconds since the epoch. */
  readonly t: number;
  /** By stream: those that changed. */
  readonly points: ReadonlyMap<number, Point>;
}

/** Looks at a store each second, and keeps what it has seen for the page. Belongs to one thread. */
export class PageMonitor implements MetricSink<void> {
  readonly history: PageHistory = new PageHistory();
  readonly streams: PageStream[] = [];
  /** What the metrics are about; undefined before the first frame. */
  resource: Resource | undefined;
  /** Grows when a stream comes or changes. */
  version = 0;
  /** Milliseconds from one frame to the next. */
  every: number = FRAME_MILLIS;
  readonly #source: MetricSource;
  readonly #exposition: ExpositionOptions;
  readonly #onFrame: (frame: Frame) => void;
  readonly #byColumn = new Map<MetricColumn, PageStream>();
  #timer: NodeJS.Timeout | undefined;
  #hasBase = false;
  #frames = 0;
  #times: number[] = [];
  #observedAt = -Infinity;

  /** Nobody else reads `source`. */
  constructor(source: MetricSource, exposition: ExpositionOptions, onFrame: (frame: Frame) => void) {
    this.#source = source;
    this.#exposition = exposition;
    this.#onFrame = onFrame;
  }

  /** Takes frames until it is stopped. */
  start(): void {
    this.look();
    this.#timer = setTimeout(() => this.start(), this.every);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Takes a frame now. */
  look(): void {
    const before = performance.now();
    this.#source.read(this);
    this.#times = [performance.now() - before, ...this.#times].slice(0, TIMES);
    if (this.#times.length < TIMES) return;
    this.every = Math.min(LONGEST_FRAME_MILLIS, Math.max(FRAME_MILLIS, Math.min(...this.#times) / SHARE));
  }

  /** Runs the observable callbacks of the app, if that was not done for a while. */
  observe(): void {
    const now = performance.now();
    if (now - this.#observedAt < OBSERVE_MILLIS || !hasCallbacks(this.#source.region)) return;
    this.#observedAt = now;
    void this.#source.observe().catch(() => {}); // errors are told in the threads of the callbacks
  }

  add(column: MetricColumn): void {
    let stream = this.#byColumn.get(column);
    if (stream === undefined) {
      const isOwn = column.description.scope.name === OWN_SCOPE;
      stream = new PageStream(this.streams.length, column, this.#exposition, isOwn, !this.#hasBase);
      this.#byColumn.set(column, stream);
      this.streams.push(stream);
    }
    stream.add(column);
  }

  end(resource: Resource): void {
    this.resource = resource;
    const t = Math.round(this.#source.region.takeTime());
    const points = new Map<number, Point>();
    const kept: [id: number, point: Point][] = [];
    let version = this.version;
    for (const stream of this.streams) {
      const { point, hasChanged } = stream.close(t);
      if (hasChanged) stream.version = version = this.version + 1;
      if (point !== undefined) points.set(stream.id, point);
      if (isOfFrame(STREAM_KINDS[stream.column.description.kind])) {
        if (point !== undefined) kept.push([stream.id, point]);
        continue;
      }
      if (point !== undefined) stream.latest = point;
      const isKey = stream.id % FRAMES_BETWEEN_KEYS === this.#frames % FRAMES_BETWEEN_KEYS;
      if (stream.latest !== undefined && (point !== undefined || isKey))
        kept.push([stream.id, stream.latest]);
    }
    this.version = version;
    this.#frames++;
    this.#hasBase = true;
    this.history.add(t, kept);
    this.#onFrame({ t, points });
  }

  /** The streams that have changed since a version of the list. */
  list(since: number): StreamList {
    const changed = (stream: PageStream): StreamInfo[] => (stream.version > since ? [stream.info()] : []);
    return { version: this.version, streams: this.streams.flatMap(changed) };
  }
}
