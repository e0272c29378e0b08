import type { IncomingMessage, ServerResponse } from 'node:http';
import { TimeoutError } from '../base/deadline.ts';
import { flag, LONGEST_TIMER, rule, table, wholeNumber, type Check } from '../base/options.ts';
import { Warnings } from '../base/warnings.ts';
import { Access, ACCESS_CHECKS, type AccessOptions } from './access.ts';
import { negotiateCoding, negotiateFormat } from './accept.ts';
import { CODINGS } from './compression.ts';
import { Deliveries } from './deliveries.ts';
import type { ExpositionOptions } from './family-plan.ts';
import { EXPOSITION_CHECKS } from './prometheus-text.ts';
import { ScrapeQueue } from './scrape-queue.ts';
import { expositionOf, snapshotSourceOf, type ScrapeSource } from './scrape-source.ts';

/** How a handler answers: what the text is like, who may ask, and its limits. */
export interface PrometheusHandlerOptions extends ExpositionOptions, AccessOptions {
  /** Compresses answers for scrapers that accept it, without stalling the thread. Default true. */
  readonly compression?: boolean;
  /**
   * How long a scrape waits for observable callbacks, or for a reader of another SDK, in milliseconds. It
   * never waits longer than nine tenths of the time-out that the scraper names. Default 10,000.
   */
  readonly timeoutMillis?: number;
  /**
   * How long sending an answer may take, in milliseconds. A receiver that has not taken all of it by then is
   * cut off. Default 30,000.
   */
  readonly sendTimeoutMillis?: number;
  /**
   * How many scrapes may wait or be answered at the same time. Further ones get 503 with `Retry-After` at
   * once. Default 256.
   */
  readonly maxScrapes?: number;
  /**
   * Adds the `seqlock.*` metrics of the store (docs/operations.md). Has an effect where the source is a
   * store; the provider of a reader has an option of its own. Default false.
   */
  readonly selfMetrics?: boolean;
}

/**
 * A request listener of `node:http`; it is also a route handler of fastify. Resolves when the answer was sent
 * or its receiver is gone; never rejects.
 */
export type PrometheusHandler = (
  request: IncomingMessage | { readonly raw: IncomingMessage },
  response: ServerResponse | FastifyReply,
) => Promise<void>;

/** The parts of a fastify reply that are used. Fastify must be told that somebody else answers. */
interface FastifyReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

const DEFAULT_TIMEOUT_MILLIS = 10_000;
const DEFAULT_SEND_TIMEOUT_MILLIS = 30_000;
const DEFAULT_MAX_SCRAPES = 256;
/** The share of a scraper's time-out that is kept for making and sending the answer. */
const MARGIN = 0.1;
const RETRY_SECONDS = 1;

const warnings = new Warnings();

/**
 * Makes a handler that serves the metrics of a store, or of any OpenTelemetry reader, to Prometheus, in the
 * format, escaping and coding it asks for. It answers GET and HEAD; the server chooses the path. Scrapes that
 * wait at the same time share a snapshot and its text. An error is answered with a 5xx that has the reason.
 * Use it in the thread that made it.
 *
 * @throws OptionError where an option is wrong; it names the option. An `Error` where a file with access
 * rules cannot be used.
 */
export function createPrometheusHandler(
  source: ScrapeSource,
  options: PrometheusHandlerOptions = {},
): PrometheusHandler {
  checkHandlerOptions(options, 'options of createPrometheusHandler');
  const access = new Access(options, warnings);
  const serve = unguardedHandler(source, options);
  return async (given, answer) => {
    const request = 'raw' in given ? given.raw : given;
    const response = 'raw' in answer ? answer.raw : answer;
    if ('raw' in answer) answer.hijack();
    response.on('error', () => {}); // a receiver that goes away is not the app's fault
    try {
      if (await access.admits(request, response)) await serve(request, response);
    } catch (error) {
      fail(response, 500, messageOf(error));
    }
  };
}

/** A handler without access control, for a server that has checked the request. The options are checked. */
export function unguardedHandler(
  source: ScrapeSource,
  options: PrometheusHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { compression = true, selfMetrics = false, maxScrapes = DEFAULT_MAX_SCRAPES } = options;
  const { timeoutMillis = DEFAULT_TIMEOUT_MILLIS, sendTimeoutMillis = DEFAULT_SEND_TIMEOUT_MILLIS } = options;
  const snapshotSource = snapshotSourceOf(source, warnings, { selfMetrics });
  const exposition = { ...expositionOf(source), ...options };
  const deliveries = new Deliveries(sendTimeoutMillis);
  let queue: ScrapeQueue | undefined;
  const queueOf = (): ScrapeQueue =>
    (queue ??= new ScrapeQueue(snapshotSource(), exposition, warnings, timeoutMillis, () =>
      deliveries.trim(),
    ));
  let scrapes = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new Promise<void>((resolve) => response.once('close', resolve));
    if (response.destroyed) return;
    const format = negotiateFormat(header(request, 'accept'));
    const coding = compression ? negotiateCoding(header(request, 'accept-encoding'), CODINGS) : 'identity';
    const scrape = queueOf();
    await Promise.race([scrape.observed(waitMillisOf(request, timeoutMillis)), gone]);
    if (response.destroyed) return;
    const ticket = scrape.join(format, coding);
    void gone.then(ticket.leave); // a body that nobody waits for is not made
    try {
      const body = await Promise.race([ticket.body, gone]);
      if (body === undefined || response.destroyed) return;
      response.setHeader('Content-Type', format.contentType);
      response.setHeader('Vary', 'Accept, Accept-Encoding');
      response.setHeader('Content-Length', body.length);
      if (coding !== 'identity') response.setHeader('Content-Encoding', coding);
      if (request.method === 'HEAD') response.end();
      else await deliveries.send(response, body);
    } finally {
      ticket.leave();
    }
  }

  return async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      fail(response, 405, 'only GET and HEAD are served here');
      return;
    }
    if (scrapes >= maxScrapes) {
      response.setHeader('Retry-After', RETRY_SECONDS);
      fail(response, 503, `${maxScrapes} scrapes are under way already`);
      return;
    }
    scrapes++;
    try {
      await answer(request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else
        fail(
          response,
          error instanceof TimeoutError ? 503 : 500,
          `metrics could not be collected: ${messageOf(error)}`,
        );
    } finally {
      scrapes--;
    }
  };
}

const positiveMillis = rule(
  `a number of milliseconds above 0, at most ${LONGEST_TIMER}`,
  (value) => typeof value === 'number' && value > 0 && value <= LONGEST_TIMER,
);

/** What each option of the handler may be, besides those of an exposition. */
export const ANSWER_CHECKS: {
  readonly [K in Exclude<keyof PrometheusHandlerOptions, keyof ExpositionOptions | 'selfMetrics'>]-?: Check;
} = {
  ...ACCESS_CHECKS,
  compression: flag,
  timeoutMillis: positiveMillis,
  sendTimeoutMillis: positiveMillis,
  maxScrapes: wholeNumber(1, Infinity),
};

const checkHandlerOptions: Check = table<PrometheusHandlerOptions>(
  { ...EXPOSITION_CHECKS, ...ANSWER_CHECKS, selfMetrics: flag },
  { prefix: '' },
);

/** A scraper may wait for a shorter time than the handler would, never for a longer one. */
function waitMillisOf(request: IncomingMessage, timeoutMillis: number): number {
  const seconds = Number(header(request, 'x-prometheus-scrape-timeout-seconds'));
  return seconds > 0 ? Math.min(seconds * 1000 * (1 - MARGIN), timeoutMillis) : timeoutMillis;
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
