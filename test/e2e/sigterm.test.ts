/** SIGTERM in the middle of load: the app stops its work, and its last export arrives, with everything. */
import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { pushFrom, PUSHERS, type AppOptions } from './app/protocol.ts';
import { arrivals, receivedBooks, withoutExtremes } from './compare/otlp-books.ts';
import { compareBooks } from './compare/table.ts';
import { needs } from './programs/programs.ts';
import { withApp } from './servers/app.ts';
import { startFileCollector, type FileCollector } from './servers/collector.ts';
import { scratchFolder } from './servers/scratch.ts';

describe('SIGTERM in the middle of load', function () {
  this.timeout(60_000);
  let collector: FileCollector;

  beforeEach(async function () {
    needs(this, 'collector');
    collector = await startFileCollector({ folder: scratchFolder() });
  });
  afterEach(() => collector?.stop());

  for (const pusher of PUSHERS)
    for (const temporality of ['cumulative', 'delta'] as const)
      it(`the last export arrives, ${temporality}, pushed by the ${pusher}`, async () => {
        const instance = `${pusher}, ${temporality}`;
        const options: AppOptions = {
          instance,
          workers: 3,
          outputs: [
            pushFrom(pusher, {
              protocol: 'http/protobuf',
              temporality,
              url: collector.url,
              intervalMillis: 250,
              timeoutMillis: 250,
            }),
          ],
        };
        const books = await withApp(options, {}, async (app) => {
          await app.ask({ do: 'start' });
          await eventually(() => Promise.resolve(arrivals(collector.received(), instance)[3]));
          await wait(Math.random() * 250); // anywhere between two exports, or in one
          return app.terminate();
        });
        expect(Object.keys(books).length).to.be.greaterThan(20);
        await collector.stop(); // writes what it has
        const arrived = receivedBooks(arrivals(collector.received(), instance));
        const what = `SIGTERM under load, ${temporality}, ${pusher}`;
        if (pusher === 'exporter thread' && temporality === 'delta')
          compareBooks('f', what, withoutExtremes(books), withoutExtremes(arrived));
        else compareBooks('f', what, books, arrived);
      });
});
