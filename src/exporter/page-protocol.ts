/**
 * What the server tells the page, and what the page asks for. Types only: the server and the browser's code
 * both use them.
 *
 *   GET /                     the page; its script and style are beside it
 *   GET /streams?since=v      StreamList: the streams that are new or have changed since version v
 *   GET /events?...           an event stream (server-sent events) of what is looked at
 *
 *   events?have=1,2&want=3    streams to send: the page has the points of the first ones up to `from`, and
 *                             wants all that is kept of the others
 *          &from=1700000000000
 *          &by=3:0            a split of a stream by an attribute, numbered as in its StreamInfo
 *          &status            all of Status; without it only what needs attention and what the app is
 *          &cardinality       Cardinality too
 *
 *   event      data
 *   hello      Hello, first
 *   past       Past: the frames that the page does not have
 *   tick       Tick, about each second
 *   status     Partial<Status>: the parts that have changed
 *   cardinality  Cardinality, when it has changed
 */

/** How the points of a stream are to be read. */
export type StreamKind = 'counter' | 'level' | 'gauge' | 'histogram' | 'exponential';

/**
 * What a stream did in one frame, over all its series.
 *
 *   counter       [increase]
 *   level         [sum]
 *   gauge         [mean, min, max, series]; empty while it has no value
 *   histogram     [count, sum, bucket, count, bucket, count, ...]: what was recorded in the frame; buckets
 *                 without values are left out
 *   exponential   [count, sum, scale, zeros, positive buckets, bucket, count, ..., bucket, count, ...]: the
 *                 negative buckets come after so many positive ones
 */
export type Point = readonly number[];

/** A point with the number of its stream in front. */
export type NumberedPoint = readonly number[];

export interface StreamInfo {
  readonly id: number;
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly scope: string;
  readonly kind: StreamKind;
  /** Upper bounds of a histogram's buckets; empty for other kinds. */
  readonly bounds: readonly number[];
  /** The name in Prometheus; of a histogram without `_bucket`. */
  readonly prometheus: string;
  /** Attribute keys that its series have, with their names in Prometheus. They keep their places. */
  readonly keys: readonly (readonly [key: string, label: string])[];
  readonly series: number;
  /** True for metrics of this package about itself. */
  readonly isOwn: boolean;
}

export interface StreamList {
  readonly version: number;
  readonly streams: readonly StreamInfo[];
}

export interface Hello {
  /** Differs when the server was started anew: what the page has is of another one then. */
  readonly server: string;
  readonly version: string;
}

export interface Tick {
  /** Milliseconds since the epoch. */
  readonly t: number;
  /** The version of the list of streams. */
  readonly v: number;
  /** Only streams that have changed. */
  readonly p: readonly NumberedPoint[];
  readonly splits?: readonly SplitPoints[];
}

/** The frames that are kept, oldest first. */
export interface Past {
  readonly frames: readonly { readonly t: number; readonly p: readonly NumberedPoint[] }[];
}

/** The groups of a split with the highest values, and all others together. */
export interface SplitPoints {
  readonly id: number;
  /** Place of the attribute's key in `keys` of StreamInfo. */
  readonly key: number;
  /** The text of an attribute's value, undefined for series without it; and the point. */
  readonly top: readonly (readonly [value: string | null, point: Point])[];
  readonly rest: Point | null;
  /** How many values are in `rest`. */
  readonly others: number;
}

/**
 * What a thread does. `turning`: its event loop turns. Otherwise `waiting`: for a lock, in `Atomics.wait` or
 * for the system, without using the processor; `busy`; or `unknown`, if the system does not show it.
 */
export type ThreadState = 'turning' | 'waiting' | 'busy' | 'unknown';

export interface ThreadStatus {
  /** Null in a store of one process. */
  readonly process: number | null;
  readonly thread: number;
  readonly state: ThreadState;
  /** For how many seconds its event loop has been blocked; 0 while it turns. */
  readonly blocked: number;
  /** Measurements a second. */
  readonly rate: number;
}

/** How scrapes or pushes went. */
export interface DeliveryStatus {
  /** `Prometheus`, or where pushes go. */
  readonly name: string;
  /** When the latest one was done, in milliseconds since the epoch; null before the first. */
  readonly at: number | null;
  readonly millis: number | null;
  readonly bytes: number | null;
  readonly failures: number;
  /** Why the latest one failed, and since when they fail; null while they succeed. */
  readonly reason: string | null;
  readonly failingSince: number | null;
}

/** Something that needs attention, in words. */
export interface Attention {
  readonly level: 'bad' | 'warn';
  /** What happens. */
  readonly what: string;
  /** Since when, in milliseconds since the epoch. */
  readonly since?: number;
  /** What it means, and what to do. */
  readonly advice: string;
  /** The stream that it is about. */
  readonly stream?: number;
}

/** The whole app at a glance. */
export interface Status {
  readonly attention: readonly Attention[];
  readonly app: {
    readonly name: string;
    readonly version: string;
    readonly since: number;
    readonly resource: readonly (readonly [key: string, value: string])[];
  };
  readonly threads: readonly ThreadStatus[];
  readonly store: {
    readonly used: number;
    readonly max: number;
    readonly metrics: number;
    readonly series: number;
    readonly lost: number;
    readonly overflow: number;
    /** Threads that have ended and whose totals are kept. */
    readonly dead: number;
    readonly directory: string | null;
  };
  readonly deliveries: readonly DeliveryStatus[];
  readonly history: {
    readonly seconds: number;
    readonly bytes: number;
    readonly maxBytes: number;
    /** Milliseconds from one frame to the next. */
    readonly every: number;
  };
}

/** A metric with many series. */
export interface MetricCardinality {
  readonly id: number;
  readonly series: number;
  /** Series it had at most ten minutes ago. */
  readonly before: number;
  /** Bytes of the store for one series, about. */
  readonly seriesBytes: number;
  readonly attributes: readonly {
    readonly key: string;
    readonly values: number;
    /** Series that would be left if a view dropped the attribute. */
    readonly without: number;
  }[];
}

export interface Cardinality {
  readonly metrics: readonly MetricCardinality[];
}
