import type { ServerResponse } from 'node:http';
import type { Point, Status } from './page-protocol.ts';
import type { Watch } from './page-watch.ts';

/**
 * A receiver that has not taken so many bytes is cut off. It comes back by itself, and gets what it missed.
 */
const MAX_WAITING_BYTES = 2 ** 20;
/** How long a browser waits until it comes back, in milliseconds. */
const RETRY_MILLIS = 1000;

/** One open page: what it looks at, and the event stream to it. */
export class PageViewer {
  readonly watch: Watch;
  readonly #response: ServerResponse;
  readonly #sent = new Map<string, string>();

  constructor(response: ServerResponse, watch: Watch, onGone: (viewer: PageViewer) => void) {
    this.#response = response;
    this.watch = watch;
    response.once('close', () => onGone(this));
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no', // of nginx, which would hold events back
    });
    response.write(`retry: ${RETRY_MILLIS}\n\n`);
  }

  /** Sends an event. `id`: what the browser names when it comes back. */
  send(event: string, data: unknown, id?: number): void {
    this.sendText(event, JSON.stringify(data), id);
  }

  /** The same with JSON that is there already. */
  sendText(event: string, json: string, id?: number): void {
    if (this.#response.destroyed) return;
    if (this.#response.writableLength > MAX_WAITING_BYTES) {
      this.#response.destroy();
      return;
    }
    this.#response.write(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${json}\n\n`);
  }

  /** Sends the parts of `status` that differ from those it was sent before. */
  sendStatus(status: Partial<Status>): void {
    const parts: string[] = [];
    for (const [name, part] of Object.entries(status)) {
      const json = JSON.stringify(part);
      if (this.#sent.get(name) === json) continue;
      this.#sent.set(name, json);
      parts.push(`${JSON.stringify(name)}:${json}`);
    }
    if (parts.length > 0) this.sendText('status', `{${parts.join()}}`);
  }

  /** Sends `data` if it differs from what was sent by that name before. */
  sendIfNew(event: string, json: string): void {
    if (this.#sent.get(event) === json) return;
    this.#sent.set(event, json);
    this.sendText(event, json);
  }

  end(): void {
    this.#response.end();
  }
}

/** Points as JSON, made once for all pages that look at them. */
export class PointTexts {
  readonly #texts = new Map<number, string>();
  readonly #points: ReadonlyMap<number, Point>;

  constructor(points: ReadonlyMap<number, Point>) {
    this.#points = points;
  }

  /** Of those streams that have changed: `[id,...point],...`. */
  of(streams: Iterable<number>): string {
    const all: string[] = [];
    for (const id of streams) {
      const text = this.#textOf(id);
      if (text !== undefined) all.push(text);
    }
    return all.join();
  }

  #textOf(id: number): string | undefined {
    const point = this.#points.get(id);
    if (point === undefined) return undefined;
    let text = this.#texts.get(id);
    if (text === undefined) this.#texts.set(id, (text = JSON.stringify([id, ...point])));
    return text;
  }
}
