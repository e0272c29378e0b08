/**
 * The Collector is down, refuses, or is slow, while an app with much to say records on. The app must not wait, must not keep what it could not
 * send, and its cumulative totals must be right as soon as the Collector is back.
 */
import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { arrivals, receivedBooks } from './compare/otlp-books.ts';
import { compareBooks, compareLimit } from './compare/table.ts';
import { needs } from './programs/programs.ts';
import { startApp, type App } from './servers/app.ts';
import { startFileCollector } from './servers/collector.ts';
import { MoodyCollector, type Mood } from './servers/moody-collector.ts';
import { scratchFolder } from './servers/scratch.ts';

const INTERVAL_MILLIS = 100;
const OUTAGE_MILLIS = 5000;
/** An app that waited for the Collector would be held up for as long as this is not there. */
const MAX_DELAY_MILLIS = OUTAGE_MILLIS / 4;
/** One export of so many series is about 1 MB of objects; all exports of an outage would be 50 MB. */
const WIDE = 1900;
const MAX_GROWTH_BYTES = 10e6;

function startPushing(url: string, instance: string): Promise<App> {
  return startApp({
    instance,
    workers: 2,
    wide: WIDE,
    outputs: [
      {
        kind: 'otlp',
        protocol: 'http/protobuf',
        temporality: 'cumulative',
        url,
        intervalMillis: INTERVAL_MILLIS,
        timeoutMillis: INTERVAL_MILLIS,
      },
    ],
  });
}

const MOODS: Readonly<Record<string, Mood>> = {
  'is down': { kind: 'down' },
  'answers 429 with Retry-After': { kind: 'refuses', status: 429, retryAfterSeconds: 1 },
  'answers 503 with Retry-After': { kind: 'refuses', status: 503, retryAfterSeconds: 30 },
  'takes 3 s to answer': { kind: 'slow', millis: 3000 },
  'never answers': { kind: 'silent' },
};

describe('a Collector in trouble', function () {
  this.timeout(60_000);
  let collector: MoodyCollector;
  let app: App;

  beforeEach(async () => {
    collector = await MoodyCollector.start();
  });
  afterEach(async () => {
    await collector.become({ kind: 'well' });
    await app.end();
    await collector.stop();
  });

  for (const [trouble, mood] of Object.entries(MOODS))
    it(`${trouble}: the app does not wait, and cumulative totals are right afterwards`, async () => {
      app = await startPushing(collector.url, trouble);
      await app.ask({ do: 'start' });
      await eventually(() => Promise.resolve(collector.accepted[3]));
      const { heapBytes: before } = await app.ask({ do: 'vitals' });
      await collector.become(mood);
      const acceptedBefore = collector.accepted.length;
      const roundsBefore = roundsIn(await app.ask({ do: 'books' }));
      await wait(OUTAGE_MILLIS);
      const { longestDelayMillis, heapBytes } = await app.ask({ do: 'vitals' });
      const rounds = roundsIn(await app.ask({ do: 'books' })) - roundsBefore;
      expect(rounds, 'rounds recorded meanwhile').to.be.greaterThan(100);
      compareLimit('d', `${trouble}: longest delay, ms`, MAX_DELAY_MILLIS, longestDelayMillis);
      compareLimit('d', `${trouble}: heap grown by, bytes`, MAX_GROWTH_BYTES, heapBytes - before);
      expect(collector.accepted.length - acceptedBefore).to.be.at.most(1); // one was on its way
      expect((await app.ask({ do: 'said' })).join('\n')).to.match(/export (failed|timed out)|Export failed/);

      await collector.become({ kind: 'well' });
      await app.ask({ do: 'stop' });
      const books = await app.ask({ do: 'books' });
      const seen = collector.accepted.length;
      await eventually(() => Promise.resolve(collector.accepted[seen + 2]));
      compareBooks(
        'd',
        `${trouble}: totals afterwards`,
        books,
        receivedBooks(arrivals(collector.accepted, trouble)),
      );
    });
});

describe('a real Collector that is killed and started again', function () {
  this.timeout(60_000);

  it('has the right totals as soon as it is back', async function () {
    needs(this, 'collector');
    const folder = scratchFolder();
    const first = await startFileCollector({ folder });
    const app = await startPushing(first.url, 'survivor');
    await app.ask({ do: 'start' });
    await eventually(() => Promise.resolve(arrivals(first.received(), 'survivor')[3]));
    await first.stop('SIGKILL');
    await wait(1000);
    const second = await startFileCollector({ folder, port: first.port });
    try {
      await app.ask({ do: 'stop' });
      const books = await app.ask({ do: 'books' });
      const seen = arrivals(second.received(), 'survivor').length;
      await eventually(() => Promise.resolve(arrivals(second.received(), 'survivor')[seen + 2]));
      const arrived = receivedBooks(arrivals(second.received(), 'survivor'));
      compareBooks('d', 'killed and started again: totals', books, arrived);
    } finally {
      await app.end();
      await second.stop();
    }
  });
});

function roundsIn(books: Awaited<ReturnType<App['ask']>>): number {
  return Object.entries(books as Record<string, number>).reduce(
    (sum, [key, value]) => sum + (key.startsWith('["rounds.done"') ? value : 0),
    0,
  );
}
