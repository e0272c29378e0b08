import * as http from 'node:http';
import * as https from 'node:https';
import { clearTimeout, performance, setTimeout, systemClock } from '../base/platform.ts';
import { VERSION } from '../base/version.ts';
import { compressed } from '../export/compression.ts';
import { yieldToEventLoop } from '../base/event-loop.ts';
import type { HostNames } from './host-names.ts';

/** Where requests go, and how. */
export interface OtlpDestination {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly compression: 'none' | 'gzip';
  /** For https. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

/** A request that was not accepted. */
class DeliveryError extends Error {
  /**
   * Undefined if it makes no sense to send it again. Otherwise milliseconds to wait, or 0 if the collector
   * did not say.
   */
  readonly retryInMillis: number | undefined;
  /** A status of HTTP, a code of the system, or `timeout`. */
  readonly type: string;

  constructor(message: string, type: string, retryInMillis?: number, cause?: unknown) {
    super(message, { cause });
    this.type = type;
    this.retryInMillis = retryInMillis;
  }
}

const MAX_RETRIES = 5;
const FIRST_BACKOFF_MILLIS = 1000;
const LONGEST_BACKOFF_MILLIS = 5000;
const BACKOFF_FACTOR = 1.5;
const JITTER = 0.2;
const RETRYABLE_STATUSES: readonly number[] = [429, 502, 503, 504];
/** No more of a response is read. */
const MAX_RESPONSE_BYTES = 4 * 2 ** 20;

/**
 * Sends OTLP by HTTP as the specification says. After errors that may pass, it waits and tries again, within
 * the given time. Nothing in it waits for libuv's thread pool: bodies are compressed here, in slices, and
 * names are found by `HostNames`.
 */
export class OtlpTransport {
  readonly #destination: OtlpDestination;
  readonly #names: HostNames;
  readonly #agent: http.Agent;
  /** Ends the pause before a retry, without a retry. */
  #giveUp: (() => void) | undefined;

  constructor(destination: OtlpDestination, names: HostNames) {
    this.#destination = destination;
    this.#names = names;
    this.#agent = this.#isSecure
      ? new https.Agent({ keepAlive: true, ...destination.tls })
      : new http.Agent({ keepAlive: true });
    // while the pool may have a thread for it
    names.find(new URL(destination.url).hostname.replace(/^\[|\]$/g, '')).catch(() => {});
  }

  get #isSecure(): boolean {
    return this.#destination.url.startsWith('https:');
  }

  /**
   * Resolves to the collector's response. Rejects with the reason of the last try; without `retries` there is
   * one. One call at a time.
   */
  async send(body: Uint8Array, timeoutMillis: number, retries: boolean): Promise<Buffer> {
    const deadline = performance.now() + timeoutMillis;
    const pieces = await this.#encoded(body);
    let backoff = FIRST_BACKOFF_MILLIS;
    for (let left = retries ? MAX_RETRIES : 0; ; left--)
      try {
        return await this.#try(pieces, deadline - performance.now());
      } catch (error) {
        const { retryInMillis } = error as DeliveryError;
        if (retryInMillis === undefined || left === 0) throw error;
        const pause = retryInMillis || backoff * (1 + JITTER * (2 * Math.random() - 1));
        backoff = Math.min(backoff * BACKOFF_FACTOR, LONGEST_BACKOFF_MILLIS);
        if (performance.now() + pause >= deadline || !(await this.#pause(pause))) throw error;
      }
  }

  /** A request that waits for its next try fails now. */
  giveUp(): void {
    this.#giveUp?.();
  }

  close(): void {
    this.giveUp();
    this.#agent.destroy();
  }

  async #encoded(body: Uint8Array): Promise<readonly Uint8Array[]> {
    if (this.#destination.compression === 'none') return [body];
    const pieces: Buffer[] = [];
    const whole = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    for (const piece of compressed([whole], 'gzip')) {
      pieces.push(piece);
      await yieldToEventLoop();
    }
    return pieces;
  }

  /** False if it was given up. */
  async #pause(millis: number): Promise<boolean> {
    const isOver = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(resolve, millis, true);
      this.#giveUp = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
    this.#giveUp = undefined;
    return isOver;
  }

  #try(pieces: readonly Uint8Array[], timeoutMillis: number): Promise<Buffer> {
    const { url, headers, contentType, compression } = this.#destination;
    const { request } = this.#isSecure ? https : http;
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        {
          method: 'POST',
          agent: this.#agent,
          lookup: this.#names.lookup,
          headers: {
            ...headers,
            'content-type': contentType,
            'content-length': pieces.reduce((sum, { length }) => sum + length, 0),
            'user-agent': `OTel-OTLP-Exporter-seqlock-metrics/${VERSION}`,
            ...(compression === 'gzip' && { 'content-encoding': 'gzip' }),
          },
        },
        (response) => void bodyOf(response).then(resolve, reject),
      );
      const timer = setTimeout(() => {
        sent.destroy();
        reject(new DeliveryError(`no answer within ${Math.round(timeoutMillis)} ms`, 'timeout'));
      }, timeoutMillis);
      sent.on('error', (error: NodeJS.ErrnoException) =>
        reject(new DeliveryError(messageOf(error), error.code ?? error.name, 0, error)),
      );
      sent.on('close', () => clearTimeout(timer));
      for (const piece of pieces) sent.write(piece);
      sent.end();
    });
  }
}

/** The body of a response with a good status. */
async function bodyOf(response: http.IncomingMessage): Promise<Buffer> {
  const { statusCode = 0, statusMessage = '' } = response;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      if ((bytes += chunk.length) > MAX_RESPONSE_BYTES) break;
    }
  } catch {
    // The connection broke after the status, which says enough.
  }
  if (statusCode >= 200 && statusCode < 300) return Buffer.concat(chunks);
  throw new DeliveryError(
    `${statusCode} ${statusMessage}`.trim(),
    String(statusCode),
    RETRYABLE_STATUSES.includes(statusCode) ? retryAfter(response.headers['retry-after']) : undefined,
  );
}

/** Milliseconds; 0 if the response does not say. */
function retryAfter(header: string | undefined): number {
  if (header === undefined) return 0;
  const millis = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - systemClock.now();
  return millis > 0 ? millis : 0;
}

/** If several addresses were tried, the message of the whole error is empty. */
function messageOf(error: Error): string {
  const { errors = [] } = error as Partial<AggregateError>;
  return error.message || (errors as Error[]).map(({ message }) => message).join('; ') || error.name;
}
