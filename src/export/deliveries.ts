/**
 * Sends bodies to receivers. All receivers of a body share it while it waits in this process. The number of
 * receivers that do not read, and are still waited for, is limited.
 */
import type { ServerResponse } from 'node:http';
import { yieldToEventLoop } from '../base/event-loop.ts';
import { clearTimeout, performance, setTimeout } from '../base/platform.ts';
import { inPieces } from './compression.ts';
import type { TextBody } from './prometheus-text.ts';

const WRITE_BYTES = 64 * 1024;
/** Smaller pieces are copied together for each receiver; larger ones are sent as they are. */
const JOINED = { upTo: 4096, join: (small: readonly Buffer[]): Buffer => Buffer.concat(small) };
/** How many bytes are written before the receiver is waited for. */
const BURST_BYTES = 512 * 1024;
/** A receiver that has taken nothing for this long has stalled. */
const STALLED_MILLIS = 1000;
/** How many stalled receivers are waited for. Each has filled some megabytes of the system's memory. */
const MAX_STALLED = 16;
/** How many bodies are held for receivers, beside the newest of each format; one may be larger. */
const MAX_HELD_BYTES = 32 * 2 ** 20;

interface Delivery {
  readonly response: ServerResponse;
  readonly body: TextBody;
  /** When the receiver took something. */
  tookAt: number;
  /** False while the system would take more: then it is this thread that has not continued yet. */
  isWaiting: boolean;
}

export class Deliveries {
  readonly #timeoutMillis: number;
  readonly #open = new Set<Delivery>();

  /** `timeoutMillis`: how long each delivery may take from beginning to end. */
  constructor(timeoutMillis: number) {
    this.#timeoutMillis = timeoutMillis;
  }

  /**
   * Sends a body. Resolves when the system has taken all of it, or the receiver is gone; one that is too slow
   * is cut off.
   */
  async send(response: ServerResponse, body: TextBody): Promise<void> {
    const delivery = { response, body, tookAt: performance.now(), isWaiting: false };
    this.#open.add(delivery);
    const timer = setTimeout(() => response.destroy(), this.#timeoutMillis);
    try {
      await write(delivery);
    } finally {
      clearTimeout(timer);
      this.#open.delete(delivery);
    }
  }

  /**
   * Cuts off receivers if too many have stalled, or too many bodies are held for them. The one that has taken
   * nothing for the longest time is the first.
   */
  trim(): void {
    const slowestFirst = [...this.#open].sort(
      (a, b) => Number(b.isWaiting) - Number(a.isWaiting) || a.tookAt - b.tookAt,
    );
    const stalledSince = performance.now() - STALLED_MILLIS;
    let stalled = slowestFirst.filter(({ tookAt, isWaiting }) => isWaiting && tookAt < stalledSince).length;
    for (const delivery of slowestFirst) {
      if (stalled <= MAX_STALLED && !this.#holdsTooMuch()) return;
      stalled--;
      this.#open.delete(delivery);
      delivery.response.destroy();
    }
  }

  #holdsTooMuch(): boolean {
    const bodies = new Set([...this.#open].map(({ body }) => body));
    return bodies.size > 1 && [...bodies].reduce((sum, { length }) => sum + length, 0) > MAX_HELD_BYTES;
  }
}

/** Copies no large pieces, and makes as few system calls as the receiver allows. */
async function write(delivery: Delivery): Promise<void> {
  const { response, body } = delivery;
  let bytes = 0;
  response.cork();
  for (const piece of inPieces(body.pieces, WRITE_BYTES, JOINED)) {
    if (response.destroyed) return;
    response.write(piece);
    bytes += piece.length;
    if (bytes < BURST_BYTES) continue;
    bytes = 0;
    response.uncork();
    delivery.isWaiting = response.writableNeedDrain;
    if (delivery.isWaiting) await drained(response);
    else await yieldToEventLoop(); // the system took it all: let others continue
    delivery.isWaiting = false;
    delivery.tookAt = performance.now();
    response.cork();
  }
  response.uncork();
  response.end();
  delivery.isWaiting = true;
  if (!response.writableFinished && !response.destroyed) await finished(response);
}

/** Resolves when more may be written, or the receiver is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** Resolves when everything was handed to the system, or the receiver is gone. */
function finished(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('finish', resolve).once('close', resolve);
  });
}
