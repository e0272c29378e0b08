/** OTLP to a real Collector: both encodings, plain and compressed, cumulative and delta; every number of every export. */
import { resourceFromAttributes } from '@opentelemetry/resources';
import { expect } from 'chai';
import { SeqlockMeterProvider, startExporterThread } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import type { Books } from './app/account.ts';
import { SCOPE } from './app/instruments.ts';
import { pushFrom, PUSHERS, type AppOptions } from './app/protocol.ts';
import {
  arrivals,
  CUMULATIVE,
  DELTA,
  receivedBooks,
  withoutExtremes,
  type ArrivedPoint,
} from './compare/otlp-books.ts';
import { compareBooks } from './compare/table.ts';
import { needs } from './programs/programs.ts';
import { withApp } from './servers/app.ts';
import { startFileCollector, type FileCollector } from './servers/collector.ts';
import { scratchFolder } from './servers/scratch.ts';

const FLUSHES = 3;

describe('OTLP to a Collector', function () {
  this.timeout(120_000);
  let collector: FileCollector;

  before(async function () {
    needs(this, 'collector');
    collector = await startFileCollector({ folder: scratchFolder() });
  });
  after(() => collector?.stop());

  for (const { pusher, protocol, temporality, compression } of everyWay()) {
    const what = `${pusher}, ${protocol}, ${temporality}, ${compression}`;
    it(`${what}: every number arrives`, async () => {
      const options: AppOptions = {
        instance: what,
        workers: 2,
        outputs: [
          pushFrom(pusher, {
            protocol,
            temporality,
            url: collector.url,
            intervalMillis: 3_600_000, // only when it is told to
            timeoutMillis: 20_000,
          }),
        ],
      };
      const env = { OTEL_EXPORTER_OTLP_COMPRESSION: compression };
      const books = await withApp(options, env, async (app) => {
        for (let i = 0; i < FLUSHES; i++) {
          await app.ask({ do: 'record', rounds: 500 + i });
          await app.ask({ do: 'flush' });
        }
        await app.ask({ do: 'record', rounds: 77 });
        const recorded = await app.ask({ do: 'books' });
        expect((await app.ask({ do: 'said' })).filter((line) => !line.startsWith('info '))).to.deep.equal([]);
        await app.end();
        return recorded;
      });
      const exports = await eventually(async () => {
        const arrived = arrivals(collector.received(), what);
        return arrived.length === FLUSHES + 1 ? arrived : undefined;
      });
      const comparable = pusher === 'exporter thread' && temporality === 'delta' ? withoutExtremes : same;
      compareBooks('a', what, comparable(books), comparable(receivedBooks(exports)));
      if (temporality === 'delta') intervalsFollowEachOther(exports, books);
      else startsStandStill(exports);
    });
  }

  it('exporter thread, http/json: takes NaN and the infinities, and what is beside them', async () => {
    const provider = new SeqlockMeterProvider({
      resource: resourceFromAttributes({ 'service.instance.id': 'no numbers of JSON' }),
    });
    const exporter = await startExporterThread({
      otlp: { url: collector.url, protocol: 'http/json', intervalMillis: 3_600_000 },
      store: provider.store,
    });
    const gauge = provider.getMeter(SCOPE.name).createGauge('g');
    for (const value of [NaN, Infinity, -Infinity, 1.5]) gauge.record(value, { n: String(value) });
    await exporter.forceFlush();
    await provider.shutdown();
    const points = await eventually(async () => {
      const [first] = arrivals(collector.received(), 'no numbers of JSON');
      return first;
    });
    expect(points).to.have.length(4);
  });
});

const same = (books: Books): Books => books;

function everyWay() {
  return PUSHERS.flatMap((pusher) =>
    (['http/protobuf', 'http/json'] as const).flatMap((protocol) =>
      (['cumulative', 'delta'] as const).flatMap((temporality) =>
        (['none', 'gzip'] as const).map((compression) => ({ pusher, protocol, temporality, compression })),
      ),
    ),
  );
}

function startsStandStill(exports: readonly ArrivedPoint[][]): void {
  const starts = new Map<string, bigint>();
  for (const { key, start, end, temporality } of exports.flat()) {
    if (temporality === undefined) continue;
    expect(temporality).to.equal(CUMULATIVE);
    expect(start <= end, key).to.equal(true);
    expect(starts.get(key) ?? start, key).to.equal(start);
    starts.set(key, start);
  }
}

function intervalsFollowEachOther(exports: readonly ArrivedPoint[][], books: Books): void {
  const ends = new Map<string, bigint>();
  for (const { key, start, end, temporality } of exports.flat()) {
    if (temporality === undefined) continue;
    // An up-down counter's deltas are cumulative with the official exporters' "delta" preference.
    expect(temporality, key).to.equal(/queue.length|rounds.open/.test(key) ? CUMULATIVE : DELTA);
    if (temporality === DELTA && ends.has(key)) expect(start, key).to.equal(ends.get(key));
    expect(start <= end, key).to.equal(true);
    ends.set(key, end);
  }
  expect([...ends.keys()].every((key) => key in books)).to.equal(true);
}
