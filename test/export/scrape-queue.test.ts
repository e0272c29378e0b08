import { expect } from 'chai';
import { performance } from '../../src/base/platform.ts';
import { Warnings } from '../../src/base/warnings.ts';
import { MetricColumn, type MetricColumns } from '../../src/collect/rows/column.ts';
import { negotiateFormat } from '../../src/export/accept.ts';
import type { TextBody } from '../../src/export/prometheus-text.ts';
import { ScrapeQueue, type Ticket } from '../../src/export/scrape-queue.ts';
import type { SnapshotSource } from '../../src/export/scrape-source.ts';

const TEXT = negotiateFormat('text/plain');
const OPEN = negotiateFormat('application/openmetrics-text');
const DOTS = negotiateFormat('text/plain;version=1.0.0;escaping=dots');
const VALUES = negotiateFormat('text/plain;version=1.0.0;escaping=values');
const PROTOBUF = negotiateFormat(
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A counter with so many series, whose values are the number of the snapshot. */
class Source implements SnapshotSource {
  readonly servesBeforeObserved: boolean = true;
  rounds = 0;
  snapshots = 0;
  rowsRead = 0;
  isAsked = true;
  observe: () => Promise<void> = async () => void this.rounds++;
  readonly #column: MetricColumn;

  constructor(rows = 1) {
    const scope = { name: 's' };
    this.#column = new MetricColumn(
      {
        scope,
        name: 'c',
        unit: '',
        kind: 'counter',
        boundaries: [],
        hasSum: true,
        words: 1,
        hasMinMax: false,
        isSum: true,
      },
      '',
    );
    for (let row = 0; row < rows; row++) {
      this.#column.open();
      this.#column.close({ row }, 0);
    }
    // What is made of a row begins with its attributes.
    const { attributes } = this.#column;
    (this.#column as { attributes: unknown }).attributes = new Proxy(attributes, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d/.test(key)) this.rowsRead++;
        return Reflect.get(target, key) as unknown;
      },
    });
  }

  callsBack(): boolean {
    return this.isAsked;
  }

  columns(): Promise<MetricColumns> {
    this.#column.values.fill(++this.snapshots);
    return Promise.resolve({ columns: [this.#column], resource: { attributes: {} } });
  }
}

function queueOf(source: SnapshotSource): ScrapeQueue {
  return new ScrapeQueue(source, { created: false }, new Warnings(), 10_000, () => {});
}

/** Which snapshot a body is of. */
async function snapshotOf({ body }: Ticket): Promise<number> {
  const text = Buffer.concat((await body).pieces).toString();
  return Number(/^c_total\{.*\} (\d+)$/m.exec(text)![1]);
}

/** While no slice of work does more than it must. */
async function withFastClock<T>(during: () => Promise<T>): Promise<T> {
  const { now } = performance;
  let millis = now.call(performance);
  performance.now = () => (millis += 10);
  try {
    return await during();
  } finally {
    performance.now = now;
  }
}

/** While time stands still; what it was then. */
async function withClock<T>(during: (clock: { now: number }) => Promise<T>): Promise<T> {
  const { now } = performance;
  const clock = { now: now.call(performance) };
  performance.now = () => clock.now;
  try {
    return await during(clock);
  } finally {
    performance.now = now;
  }
}

describe('ScrapeQueue', () => {
  it('gives all who wait for a format one body, of one snapshot', async () => {
    const source = new Source();
    const queue = queueOf(source);
    for (const snapshots of [2, 3]) {
      const tickets = [TEXT, TEXT, OPEN, TEXT].map((format) => queue.join(format, 'identity'));
      const bodies = await Promise.all(tickets.map(({ body }) => body));
      expect(new Set(bodies).size).to.equal(2);
      expect(bodies[0]).to.equal(bodies[3]);
      expect(source.snapshots, 'two at first, as neither text was there').to.equal(snapshots);
    }
  });

  it('shares what is compressed too', async () => {
    const queue = queueOf(new Source());
    const tickets = [queue.join(TEXT, 'gzip'), queue.join(TEXT, 'gzip'), queue.join(TEXT, 'identity')];
    const [first, second, plain] = await Promise.all(tickets.map(({ body }) => body));
    expect(first).to.equal(second).and.not.to.equal(plain);
  });

  it('takes the next snapshot when the texts of the last are made, for all who came meanwhile', async () => {
    const source = new Source(200);
    const queue = queueOf(source);
    await withFastClock(async () => {
      const first = queue.join(TEXT, 'identity');
      let made: TextBody | undefined;
      void first.body.then((body) => (made = body));
      while (source.snapshots === 0) await turn();
      const later = [queue.join(TEXT, 'identity'), queue.join(TEXT, 'gzip'), queue.join(OPEN, 'identity')];
      let turns = 0;
      for (; made === undefined; turns++) {
        expect(source.snapshots).to.equal(1);
        await turn();
      }
      expect(turns).to.be.above(3);
      expect(await snapshotOf(first)).to.equal(1);
      await Promise.all(later.map(({ body }) => body));
      expect(source.snapshots).to.equal(2);
      expect(await snapshotOf(later[0]!)).to.equal(2);
      expect(await snapshotOf(first), 'still held').to.equal(1);
    });
  });

  it('makes nothing for those who have left before their turn', async () => {
    const source = new Source();
    const queue = queueOf(source);
    for (let i = 0; i < 5; i++) queue.join(TEXT, 'gzip').leave();
    for (let i = 0; i < 5; i++) await turn();
    expect(source.snapshots).to.equal(0);
    expect(await snapshotOf(queue.join(TEXT, 'identity'))).to.equal(1);
  });

  for (const [name, format] of Object.entries({ text: TEXT, protobuf: PROTOBUF }))
    it(`stops making a ${name} body when the last has left who waited for it`, async () => {
      const source = new Source(1000);
      const queue = queueOf(source);
      await withFastClock(async () => {
        const tickets = [queue.join(format, 'identity'), queue.join(format, 'identity')];
        while (source.rowsRead < 100) await turn();
        tickets[0]!.leave();
        tickets[0]!.leave(); // is one, however often
        const before = source.rowsRead;
        for (let i = 0; i < 5; i++) await turn();
        expect(source.rowsRead).to.be.above(before);
        tickets[1]!.leave();
        for (let i = 0; i < 2; i++) await turn();
        const then = source.rowsRead;
        for (let i = 0; i < 5; i++) await turn();
        expect(source.rowsRead).to.equal(then);
      });
      const { body } = queue.join(TEXT, 'identity');
      const lines = Buffer.concat((await body).pieces)
        .toString()
        .split('\n');
      expect(lines.filter((line) => line.endsWith('} 2')).length, 'made whole for the next').to.equal(1000);
    });

  it('lets go of a body when the last has left', async () => {
    const source = new Source();
    const queue = queueOf(source);
    const tickets = [queue.join(TEXT, 'identity'), queue.join(TEXT, 'identity')];
    const { pieces } = await tickets[0]!.body;
    const bytes = pieces.at(-1)!;
    tickets[0]!.leave();
    await queue.join(TEXT, 'identity').body.then(() => {});
    expect(String(bytes), 'one still holds it').to.match(/ 1\n$/);
    tickets[1]!.leave();
  });

  it('makes of unusual formats one a snapshot, after those whose text is kept', async () => {
    const source = new Source();
    const queue = queueOf(source);
    for (const format of [TEXT, OPEN]) {
      const ticket = queue.join(format, 'identity');
      await ticket.body;
      ticket.leave();
    }
    const done: string[] = [];
    const tickets = Object.entries({ DOTS, VALUES, PROTOBUF, TEXT, OPEN }).map(([name, format]) => {
      const ticket = queue.join(format, 'identity');
      void ticket.body.then(() => done.push(`${name} of ${source.snapshots - 2}`));
      return ticket;
    });
    await Promise.all(tickets.map(({ body }) => body));
    expect(done).to.deep.equal(['TEXT of 1', 'OPEN of 1', 'DOTS of 1', 'VALUES of 2', 'PROTOBUF of 3']);
  });

  it('keeps the texts of usual scrapers, whatever others ask for, as long as they come', async () => {
    const source = new Source(50);
    const queue = queueOf(source);
    const rowsReadFor = async (format: typeof TEXT): Promise<number> => {
      const before = source.rowsRead;
      const ticket = queue.join(format, 'identity');
      await ticket.body;
      ticket.leave();
      return source.rowsRead - before;
    };
    await withClock(async (clock) => {
      for (const format of [TEXT, OPEN]) expect(await rowsReadFor(format)).to.be.above(50);
      const again = await rowsReadFor(TEXT);
      for (const format of [DOTS, VALUES, DOTS, VALUES]) expect(await rowsReadFor(format)).to.be.above(again);
      expect(await rowsReadFor(TEXT)).to.equal(again);
      clock.now += 200_000;
      expect(await rowsReadFor(OPEN)).to.equal(again);
      clock.now += 200_000; // nobody has asked for TEXT for long
      await rowsReadFor(DOTS);
      expect(await rowsReadFor(DOTS)).to.equal(again);
      expect(await rowsReadFor(OPEN)).to.equal(again);
      expect(await rowsReadFor(TEXT)).to.be.above(again);
    });
  });

  it('goes on when a snapshot fails', async () => {
    const source = new Source();
    const queue = queueOf(source);
    const columns = source.columns.bind(source);
    source.columns = () => Promise.reject(new Error('no luck'));
    const failed = queue.join(TEXT, 'identity');
    expect(await failed.body.catch((error: Error) => error.message)).to.equal('no luck');
    source.columns = columns;
    expect(await snapshotOf(queue.join(TEXT, 'identity'))).to.equal(1);
  });

  describe('has callbacks called', () => {
    it('once for all who wait meanwhile', async () => {
      const source = new Source();
      const queue = queueOf(source);
      await Promise.all([1, 2, 3].map(() => queue.observed(1000)));
      expect(source.rounds).to.equal(1);
    });

    it('not sooner than a least time after the last, where there are any', async () => {
      const source = new Source();
      const queue = queueOf(source);
      await queue.observed(10_000);
      await withClock(async (clock) => {
        await queue.observed(1); // cannot wait
        expect(source.rounds).to.equal(1);
        clock.now += 1000;
      });
      await queue.observed(10_000);
      expect(source.rounds).to.equal(2);
      source.isAsked = false;
      for (let i = 0; i < 20; i++) await queue.observed(10_000);
      expect(source.rounds).to.equal(22);
    });

    it('for as long as the handler gives them, however long a scrape can wait', async () => {
      const given: number[] = [];
      let end: (() => void) | undefined;
      const source = new Source();
      source.observe = ((timeoutMillis: number) => {
        given.push(timeoutMillis);
        return new Promise<void>((resolve) => (end = resolve));
      }) as Source['observe'];
      const queue = queueOf(source);
      let isObserved = false;
      const patient = queue.observed(1e9).then(() => (isObserved = true));
      await queue.observed(0.001);
      expect([given, isObserved]).to.deep.equal([[8000], false]);
      end!();
      await patient;
    });

    it('and rejects where nothing can be served without', async () => {
      const source = new Source();
      source.observe = () => new Promise(() => {});
      (source as { servesBeforeObserved: boolean }).servesBeforeObserved = false;
      const error: unknown = await queueOf(source)
        .observed(1)
        .catch((reason: unknown) => reason);
      expect(error).to.have.property('name', 'TimeoutError');
    });
  });
});
