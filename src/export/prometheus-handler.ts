import type { IncomingMessage, ServerResponse } from 'node:http';
import { promises as streams, Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { TimeoutError, withTimeout } from '../base/deadline.ts';
import { flag, rule, table, type Check } from '../base/options.ts';
import { yieldToEventLoop } from '../base/event-loop.ts';
import { Warnings } from '../base/warnings.ts';
import { negotiateCoding, negotiateFormat, type ContentCoding, type NegotiatedFormat } from './accept.ts';
import type { MetricColumns } from '../collect/rows/column.ts';
import { SerialQueue } from '../base/serial-queue.ts';
import { performance } from '../base/platform.ts';
import type { Dialect, ExpositionOptions } from './family-plan.ts';
import { prometheusProtobuf } from './prometheus-protobuf.ts';
import { EXPOSITION_CHECKS, PrometheusText, type TextBody } from './prometheus-text.ts';
import {
  expositionOf,
  scrapeOf,
  SLICE_MILLIS,
  type Scrape,
  type ScrapeSource,
  type ScrapeUnderWay,
} from './scrape-source.ts';

export interface PrometheusHandlerOptions extends ExpositionOptions {
  /** Answers are compressed for those who accept it, outside the event loop. Default true. */
  readonly compression?: boolean;
  /** How long a scrape that says nothing of its own timeout waits for callbacks, or for another reader. Default 10,000. */
  readonly timeoutMillis?: number;
  /** Of a store: adds the `seqlock.*` metrics (docs/operations.md). A reader's provider has an option of its own. Default false. */
  readonly selfMetrics?: boolean;
}

/**
 * A request listener of `node:http`, and a route handler of fastify as it stands. Resolves when the answer was sent or its receiver is gone; never
 * rejects.
 */
export type PrometheusHandler = (
  request: IncomingMessage | { readonly raw: IncomingMessage },
  response: ServerResponse | FastifyReply,
) => Promise<void>;

/** What is used of a reply of fastify, which has to be told that somebody else answers. */
interface FastifyReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

/** Formats whose text is kept between scrapes, each as long as the text. More than two scrapers that disagree are rare. */
const KEPT_TEXTS = 2;
const WRITE_BYTES = 64 * 1024;
/** Written before the receiver is waited for. */
const BURST_BYTES = 512 * 1024;
const DEFAULT_TIMEOUT_MILLIS = 10_000;
/** Kept back from a scraper's timeout for making and sending the answer. */
const MARGIN = 0.1;

const warnings = new Warnings();

/** `node:zlib` as it is from 22.15 on; its types here are those of Node 20. */
type Codecs = Pick<typeof zlib, 'createGzip'> & {
  readonly createZstdCompress?: () => NodeJS.ReadWriteStream;
};
const { createGzip, createZstdCompress }: Codecs = zlib;

/** Of equals the first is used. */
const CODINGS: readonly ContentCoding[] = createZstdCompress === undefined ? ['gzip'] : ['zstd', 'gzip'];

/**
 * Serves the metrics of a store, or of any OpenTelemetry reader, to Prometheus: in the format, escaping and coding it asks for. GET and HEAD;
 * the path is for the server to choose. Scrapes that come while a snapshot is being taken share it. What fails is a 5xx with the reason.
 */
export function createPrometheusHandler(
  source: ScrapeSource,
  options: PrometheusHandlerOptions = {},
): PrometheusHandler {
  checkHandlerOptions(options, 'options of createPrometheusHandler');
  const { compression = true, timeoutMillis = DEFAULT_TIMEOUT_MILLIS, selfMetrics = false } = options;
  const scrape = scrapeOf(source, warnings, { selfMetrics });
  const bodies = new Bodies(scrape, { ...expositionOf(source), ...options });
  return async (given, answer) => {
    const request = 'raw' in given ? given.raw : given;
    const response = 'raw' in answer ? answer.raw : answer;
    if ('raw' in answer) answer.hijack();
    response.on('error', () => {}); // a receiver that goes away is no fault of the app's
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        fail(response, 405, 'only GET and HEAD are served here');
        return;
      }
      const format = negotiateFormat(header(request, 'accept'));
      const coding = compression ? negotiateCoding(header(request, 'accept-encoding'), CODINGS) : 'identity';
      const body = await bodies.body(format, timeoutOf(request, timeoutMillis));
      try {
        await send(response, body, format, coding, request.method === 'HEAD');
      } finally {
        body.release();
      }
    } catch (error) {
      if (response.headersSent) response.destroy();
      else
        fail(
          response,
          error instanceof TimeoutError ? 503 : 500,
          `metrics could not be collected: ${messageOf(error)}`,
        );
    }
  };
}

/** What each option may be that the handler has beside those of an exposition. */
export const ANSWER_CHECKS: {
  readonly [K in Exclude<keyof PrometheusHandlerOptions, keyof ExpositionOptions | 'selfMetrics'>]-?: Check;
} = {
  compression: flag,
  timeoutMillis: rule('a number of milliseconds above 0', (value) => typeof value === 'number' && value > 0),
};

const checkHandlerOptions: Check = table<PrometheusHandlerOptions>(
  { ...EXPOSITION_CHECKS, ...ANSWER_CHECKS, selfMetrics: flag },
  { prefix: '' },
);

interface KeptText {
  readonly text: PrometheusText;
  /** Those who work on the text, one after the other. */
  readonly turns: SerialQueue;
}

/** Makes bodies; one snapshot at a time, and one text for each format in use. */
class Bodies {
  readonly #scrape: Scrape;
  readonly #options: ExpositionOptions;
  readonly #texts = new Map<string, KeptText>(); // used last stands last
  #underWay: ScrapeUnderWay | undefined;
  /** Bodies that are made of the columns there are. */
  readonly #making = new Set<Promise<unknown>>();

  constructor(scrape: Scrape, options: ExpositionOptions) {
    this.#scrape = scrape;
    this.#options = options;
  }

  async body(format: NegotiatedFormat, timeoutMillis: number): Promise<TextBody> {
    const columns = await this.#columns(timeoutMillis);
    const body = this.#bodyOf(columns, format);
    this.#making.add(body);
    try {
      return await body;
    } finally {
      this.#making.delete(body);
    }
  }

  async #bodyOf(columns: MetricColumns, { format, escaping }: NegotiatedFormat): Promise<TextBody> {
    if (format === 'protobuf') {
      const pieces = await inSlices(prometheusProtobuf(columns, escaping, this.#options, warnings));
      return { pieces, length: pieces.reduce((sum, piece) => sum + piece.length, 0), release: () => {} };
    }
    const { text, turns } = this.#textFor(`${format} ${escaping}`, {
      openMetrics: format === 'openmetrics',
      escaping,
    });
    // The event loop turns in between. Another body of the same format is made when this one is done.
    return turns.take(async () => {
      do await yieldToEventLoop();
      while (!text.update(columns, performance.now() + SLICE_MILLIS));
      return text.body();
    });
  }

  /** Of the snapshot that is being taken, or else of a new one. The time is for waiting; what is work is done to its end. */
  async #columns(timeoutMillis: number): Promise<MetricColumns> {
    this.#underWay ??= this.#begin(timeoutMillis);
    const { waited, columns } = this.#underWay;
    await withTimeout(timeoutMillis, waited);
    return columns;
  }

  #begin(timeoutMillis: number): ScrapeUnderWay {
    const underWay = this.#scrape(timeoutMillis, () => this.#undisturbed());
    const done = (): void => void (this.#underWay = undefined);
    underWay.columns.then(done, done);
    return underWay;
  }

  /** Resolves when all bodies are made of the latest snapshot: the next one fills the same columns. */
  async #undisturbed(): Promise<void> {
    do {
      await yieldToEventLoop(); // who waited for the snapshot has begun by then
      await Promise.allSettled(this.#making);
    } while (this.#making.size > 0);
  }

  #textFor(key: string, dialect: Dialect): KeptText {
    const kept = this.#texts.get(key) ?? {
      text: new PrometheusText(dialect, this.#options, warnings),
      turns: new SerialQueue(),
    };
    this.#texts.delete(key);
    this.#texts.set(key, kept);
    if (this.#texts.size > KEPT_TEXTS) this.#texts.delete(this.#texts.keys().next().value!);
    return kept;
  }
}

/** What `pieces` yields; undefined where there may be a turn of the event loop. */
async function inSlices<T>(pieces: Iterable<T | undefined>): Promise<T[]> {
  const all: T[] = [];
  await yieldToEventLoop();
  let until = performance.now() + SLICE_MILLIS;
  for (const piece of pieces) {
    if (piece !== undefined) all.push(piece);
    if (performance.now() <= until) continue;
    await yieldToEventLoop();
    until = performance.now() + SLICE_MILLIS;
  }
  return all;
}

async function send(
  response: ServerResponse,
  body: TextBody,
  { contentType }: NegotiatedFormat,
  coding: ContentCoding,
  isHead: boolean,
): Promise<void> {
  response.statusCode = 200;
  response.setHeader('Content-Type', contentType);
  response.setHeader('Vary', 'Accept, Accept-Encoding');
  if (coding === 'identity') response.setHeader('Content-Length', body.length);
  else response.setHeader('Content-Encoding', coding);
  if (isHead || body.length === 0) {
    if (coding !== 'identity' && !isHead) response.removeHeader('Content-Encoding');
    response.end();
    return;
  }
  try {
    if (coding === 'identity') await sendPlain(response, body.pieces);
    else {
      const text = Readable.from(writes(body.pieces, WRITE_BYTES), {
        objectMode: false,
        highWaterMark: WRITE_BYTES,
      });
      await streams.pipeline(text, encoderOf(coding), response);
    }
  } catch (error) {
    if (!response.destroyed) throw error; // else the receiver is gone
  }
}

/** Without copies, and with as few system calls as the receiver lets it. Resolves as well when the receiver goes away. */
async function sendPlain(response: ServerResponse, pieces: readonly Buffer[]): Promise<void> {
  let bytes = 0;
  response.cork();
  for (const piece of writes(pieces, WRITE_BYTES)) {
    if (response.destroyed) return;
    response.write(piece);
    bytes += piece.length;
    if (bytes < BURST_BYTES) continue;
    bytes = 0;
    response.uncork();
    if (response.writableNeedDrain) {
      if (!(await drained(response))) return;
    } else await yieldToEventLoop(); // the system took it all: others are to have their turn too
    response.cork();
  }
  response.uncork();
  response.end();
  if (!response.writableFinished && !response.destroyed) await closed(response);
}

/** True when more may be written, false when the receiver is gone. */
function drained(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve(!response.destroyed);
    };
    response.on('drain', done).on('close', done);
  });
}

/** When all was handed to the system, or the receiver is gone. */
function closed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('finish', resolve).once('close', resolve);
  });
}

function encoderOf(coding: 'gzip' | 'zstd'): NodeJS.ReadWriteStream {
  return coding === 'zstd' && createZstdCompress !== undefined
    ? createZstdCompress()
    : createGzip({ level: 1, chunkSize: WRITE_BYTES });
}

/** Small pieces are put together; large ones are sent as they are. */
function* writes(pieces: readonly Buffer[], most: number): Generator<Buffer> {
  let small: Buffer[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    if (bytes + piece.length > most && bytes > 0) {
      yield small.length === 1 ? small[0]! : Buffer.concat(small, bytes);
      small = [];
      bytes = 0;
    }
    small.push(piece);
    bytes += piece.length;
  }
  if (bytes > 0) yield small.length === 1 ? small[0]! : Buffer.concat(small, bytes);
}

function timeoutOf(request: IncomingMessage, timeoutMillis: number): number {
  const seconds = Number(header(request, 'x-prometheus-scrape-timeout-seconds'));
  return seconds > 0 && Number.isFinite(seconds)
    ? Math.min(seconds * 1000 * (1 - MARGIN), 2 ** 31 - 1)
    : timeoutMillis;
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join() : value;
}

function fail(response: ServerResponse, status: number, reason: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${reason}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
