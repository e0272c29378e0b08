/**
 * The Collector is down, refuses, or is slow, while an app with much to say records on. The app must not wait, must not keep what it could not
 * send, and its cumulative totals must be right as soon as the Collector is back.
 */
import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import type { OtlpRequest } from '../../examples/demo/otlp-receiver.ts';
import { eventually } from '../support/eventually.ts';
import { nameAndAttributes, type Books } from './app/account.ts';
import { pushFrom, PUSHERS, type AppOptions } from './app/protocol.ts';
import { arrivals, DELTA, receivedBooks, withoutExtremes, type ArrivedPoint } from './compare/otlp-books.ts';
import { compareBooks, compareLimit, compareNumber, settled } from './compare/table.ts';
import { needs } from './programs/programs.ts';
import { withApp } from './servers/app.ts';
import { startFileCollector } from './servers/collector.ts';
import { MoodyCollector, type Mood } from './servers/moody-collector.ts';
import { scratchFolder } from './servers/scratch.ts';

const INTERVAL_MILLIS = 100;
const OUTAGE_MILLIS = 5000;
/** A failed export leaves other garbage than a good one: memory is compared from when the heap has the size for it. */
const SETTLING_MILLIS = 2500;
/** An app that waited for the Collector would be held up for as long as this is not there. */
const MAX_DELAY_MILLIS = OUTAGE_MILLIS / 4;
/** An exporter that kept what it could not send would grow by 22 to 30 MB in an outage, one that does not grows by 3 MB at most. */
const WIDE = 5700;
const MAX_HEAP_GROWTH = 10e6;
const MAX_RESIDENT_GROWTH = 15e6;

interface Pushing {
  readonly url: string;
  readonly instance: string;
  readonly pusher: (typeof PUSHERS)[number];
  readonly temporality?: 'cumulative' | 'delta';
  readonly wide?: number;
  readonly intervalMillis?: number;
}

function pushing(options: Pushing): AppOptions {
  const { url, instance, pusher, temporality = 'cumulative', wide = WIDE } = options;
  const { intervalMillis = INTERVAL_MILLIS } = options;
  return {
    instance,
    workers: 2,
    wide,
    outputs: [
      pushFrom(pusher, {
        protocol: 'http/protobuf',
        temporality,
        url,
        intervalMillis,
        timeoutMillis: intervalMillis,
      }),
    ],
  };
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

  beforeEach(async () => {
    collector = await MoodyCollector.start();
  });
  afterEach(() => collector.stop());

  for (const pusher of PUSHERS)
    for (const [trouble, mood] of Object.entries(MOODS)) {
      const what = `${trouble}, ${pusher}`;
      it(`${trouble}: the app does not wait, and totals pushed by the ${pusher} are right afterwards`, () =>
        withApp(pushing({ url: collector.url, instance: what, pusher }), {}, async (app) => {
          await app.ask({ do: 'start' });
          await eventually(() => Promise.resolve(collector.accepted[3]));
          await app.ask({ do: 'vitals' }); // the longest delay counts from here
          await collector.become(mood);
          const acceptedBefore = collector.accepted.length;
          const roundsBefore = roundsIn(await app.ask({ do: 'books' }));
          await wait(SETTLING_MILLIS);
          const before = await app.ask({ do: 'vitals' });
          await wait(OUTAGE_MILLIS);
          const after = await app.ask({ do: 'vitals' });
          const rounds = roundsIn(await app.ask({ do: 'books' })) - roundsBefore;
          expect(rounds, 'rounds recorded meanwhile').to.be.greaterThan(100);
          const longestDelay = Math.max(before.longestDelayMillis, after.longestDelayMillis);
          compareLimit('d', `${what}: longest delay, ms`, MAX_DELAY_MILLIS, longestDelay);
          compareLimit(
            'd',
            `${what}: heap grown by, bytes`,
            MAX_HEAP_GROWTH,
            after.heapBytes - before.heapBytes,
          );
          const residentGrowth = after.residentBytes - before.residentBytes;
          compareLimit('d', `${what}: resident memory grown by, bytes`, MAX_RESIDENT_GROWTH, residentGrowth);
          expect(collector.accepted.length - acceptedBefore).to.be.at.most(1); // one was on its way
          expect((await app.ask({ do: 'said' })).join('\n')).to.match(
            /export (failed|timed out)|could not be pushed/,
          );

          await collector.become({ kind: 'well' });
          await app.ask({ do: 'stop' });
          const books = await app.ask({ do: 'books' });
          const received = await settled(books, () =>
            Promise.resolve(receivedBooks(arrivals(collector.accepted, what))),
          );
          compareBooks('d', `${what}: totals afterwards`, books, received);
        }));
    }
});

describe('a real Collector that is killed and started again', function () {
  this.timeout(60_000);

  for (const pusher of PUSHERS)
    it(`has the right totals as soon as it is back, pushed by the ${pusher}`, async function () {
      needs(this, 'collector');
      const folder = scratchFolder();
      const first = await startFileCollector({ folder });
      await withApp(pushing({ url: first.url, instance: pusher, pusher }), {}, async (app) => {
        await app.ask({ do: 'start' });
        await eventually(() => Promise.resolve(arrivals(first.received(), pusher)[3]));
        await first.stop('SIGKILL');
        await wait(1000);
        const second = await startFileCollector({ folder, port: first.port });
        try {
          await app.ask({ do: 'stop' });
          const books = await app.ask({ do: 'books' });
          const received = await settled(books, () =>
            Promise.resolve(receivedBooks(arrivals(second.received(), pusher))),
          );
          compareBooks('d', `killed and started again, ${pusher}: totals`, books, received);
        } finally {
          await second.stop();
        }
      });
    });
});

/** Deltas are told once: those of a push that fails for good are lost. The receiver can see how much: the intervals have a gap. */
describe('deltas that a Collector refused', function () {
  this.timeout(60_000);
  let collector: MoodyCollector;

  beforeEach(async () => {
    collector = await MoodyCollector.start();
  });
  afterEach(() => collector.stop());

  for (const pusher of PUSHERS)
    it(`are what is missing afterwards, exactly, and the app says so, pushed by the ${pusher}`, async () => {
      const options = pushing({
        url: collector.url,
        instance: pusher,
        pusher,
        temporality: 'delta',
        wide: 0,
        intervalMillis: 1000, // time enough for an answer on a busy machine
      });
      await withApp(options, {}, async (app) => {
        await app.ask({ do: 'start' });
        await eventually(() => Promise.resolve(collector.accepted[1]));
        await collector.become({ kind: 'refuses', status: 503, retryAfterSeconds: 30 });
        await eventually(() => Promise.resolve(collector.refused[3]));
        await collector.become({ kind: 'well' });
        const seen = collector.accepted.length;
        await eventually(() => Promise.resolve(collector.accepted[seen + 2]));
        await app.ask({ do: 'stop' });
        const books = countersIn(await app.ask({ do: 'books' }));
        const refused = arrivals(collector.refused, pusher);
        const accounted = (): Books =>
          countersIn(receivedBooks([...arrivals(collector.accepted, pusher), ...refused]));
        const received = await settled(books, () => Promise.resolve(accounted()));
        compareBooks('d', `deltas, ${pusher}: arrived and refused together`, books, received);
        expect(gaps(collector.accepted, pusher), 'gaps between intervals').to.equal(1);
        const said = (await app.ask({ do: 'said' })).join('\n');
        const failures = pusher === 'main thread' ? failuresIn(said) : lostIn(said);
        compareNumber(
          'd',
          `deltas, ${pusher}: pushes refused, and said to be lost`,
          refused.length,
          failures,
        );
      });
    });
});

function roundsIn(books: Books): number {
  return Object.entries(books).reduce(
    (sum, [key, value]) => sum + (nameAndAttributes(key)[0] === 'rounds.done' ? (value as number) : 0),
    0,
  );
}

/** Those whose deltas add up; up-down counters and gauges go out as they are. */
function countersIn(books: Books): Books {
  return Object.fromEntries(
    Object.entries(withoutExtremes(books)).filter(([key]) =>
      ['orders', 'bytes.sent', 'order.duration', 'rounds.done'].includes(nameAndAttributes(key)[0]),
    ),
  );
}

/** How often an interval of a series that is in every export does not begin where the one before ended. */
function gaps(requests: readonly OtlpRequest[], instance: string): number {
  const intervals = arrivals(requests, instance)
    .map((points) =>
      points.find(({ key, temporality }) => key.includes('"bytes.sent"') && temporality === DELTA),
    )
    .filter((point): point is ArrivedPoint => point !== undefined);
  return intervals.filter(({ start }, i) => i > 0 && start !== intervals[i - 1]!.end).length;
}

/** As the official reader says it, of each push. */
function failuresIn(said: string): number {
  return (said.match(/^error .*?metrics export failed/gm) ?? []).length;
}

/** As the exporter thread says it, of all. */
function lostIn(said: string): number {
  return Number(/(\d+) failed pushes/.exec(said)?.[1] ?? 0);
}
