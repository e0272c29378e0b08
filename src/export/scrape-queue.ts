/**
 * The only queue of a handler: every scrape waits here for a body.
 *
 *   scrape --> round of callbacks --> waits --> | snapshot --> bodies | --> is sent
 *              (shared)                         one batch at a time
 *
 * A batch is one snapshot and the bodies made of it: one for each requested format and coding, shared by all
 * who wait for it. The next snapshot waits for them, so nothing changes while they are made. A batch has the
 * formats whose text is kept, and one of those that must be made from nothing. So somebody who asks for
 * unusual formats delays a usual scraper by one of them at most.
 */
import { sleep, withTimeout } from '../base/deadline.ts';
import { yieldToEventLoop } from '../base/event-loop.ts';
import { withoutContext } from '../base/no-context.ts';
import { performance } from '../base/platform.ts';
import type { Warnings } from '../base/warnings.ts';
import type { MetricColumns } from '../collect/rows/column.ts';
import type { ContentCoding, NegotiatedFormat } from './accept.ts';
import { compressed } from './compression.ts';
import type { ExpositionOptions } from './family-plan.ts';
import { prometheusProtobuf } from './prometheus-protobuf.ts';
import type { TextBody } from './prometheus-text.ts';
import { SLICE_MILLIS, type SnapshotSource } from './scrape-source.ts';
import { textKey, TextShelf } from './text-shelf.ts';

/** The least time between the beginnings of two rounds of callbacks, however many scrapes there are. */
const MIN_ROUND_MILLIS = 100;
/**
 * The share of a scrape's time-out that callbacks have. If some of them hang, there is time left to serve
 * what the others observed.
 */
const CALLBACK_SHARE = 0.8;
/** A place in the queue. */
export interface Ticket {
  /** Shared: its bytes do not change until everybody who waited for it has left. */
  readonly body: Promise<TextBody>;
  /** Call it when the body was sent, or is not wanted any more. A body that nobody wants is not made. */
  readonly leave: () => void;
}

export class ScrapeQueue {
  readonly #source: SnapshotSource;
  readonly #texts: TextShelf;
  readonly #options: ExpositionOptions;
  readonly #warnings: Warnings;
  readonly #timeoutMillis: number;
  readonly #beforeBatch: () => void;
  #round: Promise<void> | undefined;
  #roundBegan = -Infinity;
  #waiting = new Map<string, Job>(); // in the order in which they were first asked for
  #isWorking = false;

  /** `timeoutMillis`: for callbacks. `beforeBatch` is called before new bodies are made. */
  constructor(
    source: SnapshotSource,
    options: ExpositionOptions,
    warnings: Warnings,
    timeoutMillis: number,
    beforeBatch: () => void,
  ) {
    this.#source = source;
    this.#options = options;
    this.#warnings = warnings;
    this.#timeoutMillis = timeoutMillis;
    this.#beforeBatch = beforeBatch;
    this.#texts = new TextShelf(options, warnings);
  }

  /**
   * Waits for a round of callbacks, at most for so long. A scrape that cannot wait longer goes on without it.
   * Rejects if nothing can be served then: with a `TimeoutError`, or with the error of another reader.
   */
  async observed(waitMillis: number): Promise<void> {
    this.#round ??= withoutContext(() => this.#nextRound());
    try {
      await withTimeout(waitMillis, this.#round);
    } catch (error) {
      if (!this.#source.servesBeforeObserved) throw error;
    }
  }

  /** One round at a time, and at most one in `MIN_ROUND_MILLIS`. Scrapes that come meanwhile share it. */
  #nextRound(): Promise<void> {
    const pause = this.#roundBegan + MIN_ROUND_MILLIS - performance.now();
    const timeoutMillis = CALLBACK_SHARE * this.#timeoutMillis;
    const round = (async () => {
      if (pause > 0 && this.#source.callsBack()) await sleep(pause);
      this.#roundBegan = performance.now();
      await withTimeout(this.#timeoutMillis, this.#source.observe(timeoutMillis));
    })();
    const end = (): void => void (this.#round = undefined);
    round.then(end, end);
    return round;
  }

  /** Asks for a body of a snapshot that begins now or later. */
  join(format: NegotiatedFormat, coding: ContentCoding): Ticket {
    const key = `${textKey(format)} ${coding}`;
    let job = this.#waiting.get(key);
    if (job === undefined) this.#waiting.set(key, (job = new Job(format, coding)));
    if (!this.#isWorking) void withoutContext(() => this.#work());
    return job.ticket();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    await yieldToEventLoop(); // scrapes that came together with the first are in its batch
    for (let batch; (batch = this.#nextBatch()).length > 0;) {
      this.#beforeBatch();
      const isWanted = (): boolean => batch.some((job) => job.isWanted);
      const snapshot = this.#source.columns(isWanted);
      for (const job of batch)
        try {
          const columns = await snapshot;
          if (columns !== undefined) await this.#make(job, columns);
        } catch (error) {
          job.reject(error);
        }
      this.#texts.endBatch();
    }
    this.#isWorking = false;
  }

  /** Takes those jobs out of the queue that are done with the next snapshot. */
  #nextBatch(): Job[] {
    const batch: Job[] = [];
    let fromNothing: string | undefined;
    for (const [key, job] of this.#waiting) {
      const text = textKey(job.format);
      if (job.isWanted && !this.#texts.has(text)) {
        fromNothing ??= text;
        if (text !== fromNothing) continue; // stays in the queue
      }
      this.#waiting.delete(key);
      if (job.isWanted) batch.push(job);
    }
    // Texts that are kept take the least time, and are done first.
    return batch.sort(
      (a, b) => Number(textKey(a.format) === fromNothing) - Number(textKey(b.format) === fromNothing),
    );
  }

  async #make(job: Job, columns: MetricColumns): Promise<void> {
    if (!job.isWanted) return;
    const plain = await this.#plain(job, columns);
    if (plain === undefined || job.coding === 'identity') {
      job.resolve(plain);
      return;
    }
    try {
      const pieces = await inSlices(compressed(plain.pieces, job.coding), job);
      job.resolve(pieces && bodyOf(pieces));
    } finally {
      plain.release();
    }
  }

  /** Undefined when nobody wants it any more. */
  async #plain(job: Job, columns: MetricColumns): Promise<TextBody | undefined> {
    const { format, escaping } = job.format;
    if (format === 'protobuf') {
      const pieces = await inSlices(
        prometheusProtobuf(columns, escaping, this.#options, this.#warnings),
        job,
      );
      return pieces && bodyOf(pieces);
    }
    const text = this.#texts.take(job.format);
    do {
      await yieldToEventLoop();
      if (!job.isWanted) return undefined;
    } while (!text.update(columns, performance.now() + SLICE_MILLIS));
    return text.body();
  }
}

/** A body that is made for all who hold tickets. */
class Job {
  readonly format: NegotiatedFormat;
  readonly coding: ContentCoding;
  readonly #made: Promise<TextBody>;
  #tickets = 0;
  #body: TextBody | undefined;
  #settle: ((body: TextBody) => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;

  constructor(format: NegotiatedFormat, coding: ContentCoding) {
    this.format = format;
    this.coding = coding;
    this.#made = new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    this.#made.catch(() => {}); // waiters hear of it; there may be none left
  }

  get isWanted(): boolean {
    return this.#tickets > 0;
  }

  ticket(): Ticket {
    this.#tickets++;
    let isHeld = true;
    return {
      body: this.#made,
      leave: () => {
        if (isHeld && --this.#tickets === 0) this.#body?.release();
        isHeld = false;
      },
    };
  }

  /** Undefined: it was given up, because nobody wanted it. */
  resolve(body: TextBody | undefined): void {
    if (body === undefined) return;
    this.#body = body;
    if (!this.isWanted) body.release();
    this.#settle!(body);
  }

  reject(error: unknown): void {
    this.#fail!(error);
  }
}

function bodyOf(pieces: readonly Buffer[]): TextBody {
  return { pieces, length: pieces.reduce((sum, { length }) => sum + length, 0), release: () => {} };
}

/**
 * Everything that `pieces` yields, with turns of the event loop in between. Undefined as soon as nobody wants
 * it any more.
 */
async function inSlices(pieces: Iterable<Buffer | undefined>, job: Job): Promise<Buffer[] | undefined> {
  const all: Buffer[] = [];
  await yieldToEventLoop();
  let until = performance.now() + SLICE_MILLIS;
  for (const piece of pieces) {
    if (piece !== undefined) all.push(piece);
    if (performance.now() <= until) continue;
    await yieldToEventLoop();
    if (!job.isWanted) return undefined;
    until = performance.now() + SLICE_MILLIS;
  }
  return all;
}
