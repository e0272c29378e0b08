/**
 * Four processes push through the gateway of examples/collector, and Prometheus adds them up. One process ends in the middle and another takes its
 * place. Counters of the fleet must be right, and no series may look as if it had started anew.
 */
import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { addUp, nameAndAttributes, type Books } from './app/account.ts';
import { arrivedSamples, expectedSamples } from './compare/prometheus-books.ts';
import { compareBooks, compareNumber, settled } from './compare/table.ts';
import { needs } from './programs/programs.ts';
import { startApp, type App } from './servers/app.ts';
import { startGateway, startScrapedGateway } from './servers/gateway.ts';
import { startPrometheus, type Prometheus } from './servers/prometheus.ts';
import { scratchFolder } from './servers/scratch.ts';

const PROCESSES = 4;
/** Series that may fall are no counters. */
const COUNTERS = /_(total|count|sum|bucket)$/;

interface Way {
  readonly url: string;
  readonly prometheus: Prometheus;
  stop(): Promise<void>;
}

const WAYS: Readonly<Record<string, { needs: Parameters<typeof needs>[1][]; start(): Promise<Way> }>> = {
  'gateway pushes to Prometheus 3': {
    needs: ['collector', 'prometheus'],
    start: async () => {
      const { gateway, prometheus, stop } = await startGateway(scratchFolder());
      return { url: gateway.url, prometheus, stop };
    },
  },
  'gateway is scraped by Prometheus 2': {
    needs: ['collector', 'prometheus 2'],
    start: async () => {
      const { gateway, scrapePort } = await startScrapedGateway();
      const prometheus = await startPrometheus({
        program: 'prometheus 2',
        folder: scratchFolder(),
        config: `
scrape_configs:
  - { job_name: gateway, honor_labels: true, scrape_interval: 1s, static_configs: [{ targets: ['127.0.0.1:${scrapePort}'] }] }
`,
      });
      const stop = async (): Promise<void> => {
        await gateway.stop();
        await prometheus.stop();
      };
      return { url: gateway.url, prometheus, stop };
    },
  },
};

function startMember(url: string, instance: string, intervalMillis = 500): Promise<App> {
  return startApp({
    instance,
    workers: 2,
    outputs: [
      {
        kind: 'otlp',
        protocol: 'http/protobuf',
        temporality: 'cumulative',
        url,
        intervalMillis,
        timeoutMillis: intervalMillis,
      },
    ],
  });
}

/** Of each counter, how often its series of a job fell in the last minutes. */
async function resetsOf(prometheus: Prometheus, selector: string): Promise<Map<string, number>> {
  const names = new Set((await prometheus.query(`last_over_time(${selector}[10m])`)).map(({ name }) => name));
  const found = new Map<string, number>();
  for (const counter of [...names].filter((name) => COUNTERS.test(name)))
    found.set(counter, (await prometheus.value(`sum(resets(${counter}${selector}[10m]))`))!);
  return found;
}

for (const [name, way] of Object.entries(WAYS))
  describe(`a fleet of ${PROCESSES} processes, ${name}`, function () {
    this.timeout(120_000);
    let backend: Way;
    let prometheus: Prometheus;
    const booksOf = new Map<string, Books>();
    const apps: App[] = [];

    before(async function () {
      needs(this, ...way.needs);
      backend = await way.start();
      ({ prometheus } = backend);
      for (let i = 0; i < PROCESSES; i++) apps.push(await startMember(backend.url, `process-${i}`));
      for (const app of apps) await app.ask({ do: 'start' });
      await wait(5000);
      const [leaving] = apps.splice(1, 1);
      booksOf.set(leaving!.instance, await leaving!.terminate());
      const successor = await startMember(backend.url, `process-${PROCESSES}`);
      apps.push(successor);
      await successor.ask({ do: 'start' });
      await wait(5000);
      for (const app of apps) await app.ask({ do: 'stop' });
      for (const app of apps) booksOf.set(app.instance, await app.ask({ do: 'books' }));
    });
    after(async () => {
      for (const app of apps) await app.end();
      await backend?.stop();
    });

    it('has every number of every process, also of the one that ended', async () => {
      expect([...booksOf.keys()].sort()).to.deep.equal(
        Array.from({ length: PROCESSES + 1 }, (_, i) => `process-${i}`),
      );
      for (const [instance, books] of booksOf) {
        const expected = expectedSamples(books, 'otlp');
        const selector = `{job="shop",instance="${instance}"}`;
        const arrived = await settled(expected, async () =>
          arrivedSamples(await prometheus.query(`last_over_time(${selector}[10m])`)),
        );
        compareBooks('c', `${name}: ${instance}`, expected, arrived);
      }
    });

    it('adds the fleet up', async () => {
      const orders = Object.entries(addUp([...booksOf.values()])).reduce(
        (sum, [key, value]) => (nameAndAttributes(key)[0] === 'orders' ? sum + (value as number) : sum),
        0,
      );
      const arrived = await prometheus.value('sum(last_over_time(orders_total[10m]))');
      compareNumber('c', `${name}: orders of the fleet`, orders, arrived!);
    });

    it('sees no reset', async () => {
      const resets = await resetsOf(prometheus, '{job="shop"}');
      expect(resets.size).to.be.greaterThan(5);
      expect([...resets].filter(([, count]) => count !== 0)).to.deep.equal([]);
      compareNumber(
        'c',
        `${name}: resets`,
        0,
        [...resets.values()].reduce((a, b) => a + b),
      );
    });

    it('sees resets where two processes have one identity, which is why each needs its own', async () => {
      // Of two that push in step, the same one could always be the last before a scrape.
      const twins = [await startMember(backend.url, 'twin'), await startMember(backend.url, 'twin', 430)];
      try {
        await twins[0]!.ask({ do: 'record', rounds: 1000 });
        const fell = await eventually(async () => {
          for (const twin of twins) await twin.ask({ do: 'record', rounds: 10 });
          const found = await prometheus.value('sum(resets(orders_total{instance="twin"}[10m]))');
          return found !== undefined && found > 0 ? found : undefined;
        });
        expect(fell).to.be.greaterThan(0);
      } finally {
        for (const twin of twins) await twin.kill();
      }
    });
  });
