/**
 * The page: a live look at the metrics of a store, beside those for Prometheus. It is served while the app
 * hangs too. What it shows is read as a scrape is, in frames of a second, whether somebody looks or not: so
 * a page that is opened in the middle of trouble shows what led to it.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Attributes } from '@opentelemetry/api';
import { clearInterval, setInterval, systemClock } from '../base/platform.ts';
import { VERSION } from '../base/version.ts';
import type { MetricSource } from '../collect/metric-source.ts';
import type { ExpositionOptions } from '../export/family-plan.ts';
import type { BlockedThreads } from './blocked-threads.ts';
import { answerAsset } from './page-assets.ts';
import { attributesOf, seriesBytesOf } from './page-cardinality.ts';
import { PageViewer, PointTexts } from './page-events.ts';
import { PageMonitor, type Frame } from './page-monitor.ts';
import type {
  Cardinality,
  DeliveryStatus,
  Hello,
  MetricCardinality,
  NumberedPoint,
  SplitPoints,
  Status,
} from './page-protocol.ts';
import { statusOf } from './page-status.ts';
import type { PageStream } from './page-stream.ts';
import { PageThreads } from './page-threads.ts';
import { watchOf } from './page-watch.ts';

/** Event streams at the same time. Scrapes must find a connection too. */
const MAX_VIEWERS = 64;
/** As often as threads are looked at, so that one that hangs is seen within two seconds. */
const STATUS_MILLIS = 500;
/** Attributes are counted so often while somebody looks, in milliseconds. */
const COUNT_MILLIS = 10_000;
/** Metrics whose attributes are counted: those with the most series. */
const COUNTED_METRICS = 20;

/** What the page shows beside the metrics. */
export interface PageSources {
  readonly blocked?: BlockedThreads | undefined;
  /** How scrapes and pushes go. */
  readonly deliveries: () => readonly DeliveryStatus[];
}

export class Page {
  readonly #server = randomUUID();
  readonly #source: MetricSource;
  readonly #sources: PageSources;
  readonly #monitor: PageMonitor;
  readonly #threads: PageThreads;
  readonly #viewers = new Set<PageViewer>();
  /** By stream. */
  readonly #attributes = new Map<number, MetricCardinality['attributes']>();
  readonly #timer: NodeJS.Timeout;
  #countedAt = -Infinity;
  #isCounting = false;

  /** Nobody else reads `source`. It looks at once, and each second until it is closed. */
  constructor(source: MetricSource, exposition: ExpositionOptions, sources: PageSources) {
    this.#source = source;
    this.#sources = sources;
    this.#threads = new PageThreads(source.region, sources.blocked);
    this.#monitor = new PageMonitor(source, exposition, (frame) => this.#send(frame));
    this.#monitor.start();
    this.#timer = setInterval(() => this.#sendStatus(), STATUS_MILLIS);
  }

  /** Looks now too. */
  look(): void {
    this.#monitor.look();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#monitor.stop();
    for (const viewer of this.#viewers) viewer.end();
  }

  /** Answers a request. False if it is for nothing that the page has. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (answerAsset(pathname, request, response)) return true;
    if (pathname !== '/events' && pathname !== '/streams') return false;
    if (request.method !== 'GET') refuse(response, 405, 'only GET is served here');
    else if (!isFromPage(request)) refuse(response, 403, 'other sites may not read this');
    else if (pathname === '/streams') this.#sendList(response, Number(searchParams.get('since')) || 0);
    else if (this.#viewers.size >= MAX_VIEWERS)
      refuse(response, 503, `${MAX_VIEWERS} pages are open already`);
    else this.#open(request, response, searchParams);
    return true;
  }

  #sendList(response: ServerResponse, since: number): void {
    response
      .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      .end(JSON.stringify(this.#monitor.list(since)));
  }

  #open(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    const lastEventId = request.headers['last-event-id'];
    const watch = watchOf(query, Array.isArray(lastEventId) ? lastEventId[0] : lastEventId);
    const viewer = new PageViewer(response, watch, (gone) => this.#viewers.delete(gone));
    this.#viewers.add(viewer);
    const hello: Hello = { server: this.#server, version: VERSION };
    viewer.send('hello', hello);
    viewer.send('past', { frames: this.#past(watch.streams) });
    for (const { id, key } of watch.splits) this.#monitor.streams[id]?.split(key);
    if (watch.cardinality) viewer.sendIfNew('cardinality', this.#cardinality());
    viewer.sendStatus(statusFor(viewer, this.#status()));
    this.#monitor.observe();
  }

  /** The frames that are kept. The last one has the values of streams that did not change in any of them. */
  #past(since: ReadonlyMap<number, number>): { t: number; p: NumberedPoint[] }[] {
    const frames = this.#monitor.history.frames(since);
    const last = frames.at(-1);
    if (last === undefined) return [];
    const known = new Set(frames.flatMap(({ p }) => p.map(([id]) => id!)));
    for (const [id, from] of since) {
      const latest = this.#monitor.streams[id]?.latest;
      if (from === 0 && latest !== undefined && !known.has(id)) last.p.push([id, ...latest]);
    }
    return frames;
  }

  #send({ t, points }: Frame): void {
    const splits = this.#closeSplits();
    if (this.#viewers.size === 0) return;
    this.#monitor.observe();
    const texts = new PointTexts(points);
    const wantsCardinality = [...this.#viewers].some(({ watch }) => watch.cardinality);
    const cardinality = wantsCardinality ? this.#cardinality() : '';
    for (const viewer of this.#viewers) {
      const { watch } = viewer;
      const own = splits.filter(({ id, key }) =>
        watch.splits.some((one) => one.id === id && one.key === key),
      );
      const more = own.length === 0 ? '' : `,"splits":${JSON.stringify(own)}`;
      const list = texts.of(watch.streams.keys());
      viewer.sendText('tick', `{"t":${t},"v":${this.#monitor.version},"p":[${list}]${more}}`, t);
      if (watch.cardinality) viewer.sendIfNew('cardinality', cardinality);
    }
    if (wantsCardinality || this.#monitor.streams.some(({ hasOverflow }) => hasOverflow)) this.#count(t);
  }

  /** By itself, since frames may be further apart than a second. */
  #sendStatus(): void {
    if (this.#viewers.size === 0) return;
    const status = this.#status();
    for (const viewer of this.#viewers) viewer.sendStatus(statusFor(viewer, status));
  }

  /** Ends the frame of splits, and drops those that nobody looks at any more. */
  #closeSplits(): SplitPoints[] {
    const wanted = new Set(
      [...this.#viewers].flatMap(({ watch }) => watch.splits.map(({ id, key }) => `${id}:${key}`)),
    );
    return this.#monitor.streams.flatMap(({ id, splits }) =>
      [...splits].flatMap(([key, split]) => {
        if (wanted.has(`${id}:${key}`)) return split.close(id) ?? [];
        splits.delete(key);
        return [];
      }),
    );
  }

  #status(): Status {
    return statusOf(
      {
        region: this.#source.region,
        monitor: this.#monitor,
        threads: this.#threads,
        deliveries: this.#sources.deliveries,
        attributesOf: (stream) => this.#attributes.get(stream),
      },
      systemClock.now(),
    );
  }

  #cardinality(): string {
    const metrics = this.#largest().map((stream): MetricCardinality => ({
      id: stream.id,
      series: stream.series,
      before: stream.seriesBefore,
      seriesBytes: seriesBytesOf(stream.column.description),
      attributes: this.#attributes.get(stream.id) ?? [],
    }));
    return JSON.stringify({ metrics } satisfies Cardinality);
  }

  #largest(): PageStream[] {
    return this.#monitor.streams
      .filter(({ isOwn }) => !isOwn)
      .sort((a, b) => b.series - a.series)
      .slice(0, COUNTED_METRICS);
  }

  /** Counts the attributes of the largest metrics, if that was not done for a while. */
  #count(t: number): void {
    if (this.#isCounting || t - this.#countedAt < COUNT_MILLIS) return;
    const overflowed = this.#monitor.streams.filter(({ hasOverflow }) => hasOverflow);
    const taken = [...new Set([...this.#largest(), ...overflowed])].flatMap(
      (stream): [PageStream, readonly Attributes[]][] => {
        const attributes = stream.takeAttributes();
        return attributes === undefined ? [] : [[stream, attributes]];
      },
    );
    if (taken.length === 0) return; // in the next frame
    this.#isCounting = true;
    this.#countedAt = t;
    void this.#countAll(taken).finally(() => (this.#isCounting = false));
  }

  async #countAll(taken: readonly (readonly [PageStream, readonly Attributes[]])[]): Promise<void> {
    for (const [{ id }, series] of taken) this.#attributes.set(id, await attributesOf(series));
  }
}

/** What needs attention is shown in every view. */
function statusFor({ watch }: PageViewer, status: Status): Partial<Status> {
  return watch.status ? status : { attention: status.attention, app: status.app };
}

/** A page of another site can make a browser send requests, and must not learn anything by them. */
function isFromPage({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return headers.origin === undefined || headers.origin.replace(/^https?:\/\//, '') === headers.host;
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${reason}\n`);
}
