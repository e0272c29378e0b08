/**
 * Real Prometheus servers scrape real processes under load for a minute: the demo, an app that has the official exporter beside this
 * package's endpoint, and an app that is served by the exporter thread and whose main thread hangs meanwhile. Then they are asked what they have.
 */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../../examples/demo/free-port.ts';
import type { Books } from './app/account.ts';
import { arrivedSamples, expectedSamples } from './compare/prometheus-books.ts';
import { compareBooks, compareNumber } from './compare/table.ts';
import { missing, needs, pathOf } from './programs/programs.ts';
import { startApp, type App } from './servers/app.ts';
import { startDemo, type Demo } from './servers/demo.ts';
import { startPrometheus, type Prometheus } from './servers/prometheus.ts';
import { scratchFolder } from './servers/scratch.ts';

const SECONDS_OF_LOAD = 60;
const REQUESTS_AT_FIRST = 1000;
const HANG_MILLIS = 10_000;

const PROGRAMS = ['prometheus 2', 'prometheus'] as const;

describe('scraping by real Prometheus servers', function () {
  this.timeout((SECONDS_OF_LOAD + 120) * 1000);
  const servers = new Map<(typeof PROGRAMS)[number], Prometheus>();
  let app: App;
  let hanging: App;
  let demo: Demo;
  const books = new Map<string, Books>();
  let demoRequests = 0;

  before(async () => {
    const programs = PROGRAMS.filter((program) => missing([program]) === undefined);
    if (programs.length === 0) return; // each suite below says so
    const [official, own, thread] = [await freePort(), await freePort(), await freePort()];
    demo = await startDemo(REQUESTS_AT_FIRST);
    app = await startApp({
      instance: 'scraped',
      workers: 2,
      outputs: [
        { kind: 'official endpoint', port: official },
        { kind: 'own endpoint', port: own },
      ],
    });
    hanging = await startApp({
      instance: 'hanging',
      workers: 2,
      outputs: [{ kind: 'thread', port: thread }],
    });
    const jobs = { official, own, thread, demo: new URL(demo.metricsUrl).port };
    const config = `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
${Object.entries(jobs)
  .map(([job, port]) => `  - { job_name: ${job}, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }`)
  .join('\n')}
`;
    for (const program of programs)
      servers.set(program, await startPrometheus({ program, folder: scratchFolder(), config }));
    for (const each of [app, hanging]) await each.ask({ do: 'start' });
    const hang = wait(5000).then(() => hanging.ask({ do: 'hang', millis: HANG_MILLIS }));
    for (const end = performance.now() + SECONDS_OF_LOAD * 1000; performance.now() < end; await wait(20)) {
      expect((await fetch(demo.serviceUrl)).status).to.equal(200);
      demoRequests++;
    }
    await hang;
    for (const each of [app, hanging]) await each.ask({ do: 'stop' });
    for (const job of ['official', 'own']) books.set(job, await app.ask({ do: 'books' }));
    books.set('thread', await hanging.ask({ do: 'books' }));
    await wait(3000); // until all was scraped once more
  });
  after(async () => {
    for (const server of servers.values()) await server.stop();
    await demo?.stop();
    await app?.end();
    await hanging?.end();
  });

  for (const program of PROGRAMS)
    describe(`a ${program} server`, () => {
      let server: Prometheus;

      before(function () {
        needs(this, program, 'promtool');
        server = servers.get(program)!;
      });

      it('had all targets up in every scrape of a minute of load', async () => {
        for (const { labels, health, lastError } of await server.targets())
          expect({ health, lastError }, labels['job']).to.deep.equal({ health: 'up', lastError: '' });
        const scrapes = await server.query(`count_over_time(up[${SECONDS_OF_LOAD}s])`);
        expect(scrapes.map(({ labels }) => labels['job']).sort()).to.deep.equal([
          'demo',
          'official',
          'own',
          'thread',
        ]);
        for (const { labels, value } of scrapes) {
          const up = await server.value(`sum_over_time(up{job="${labels['job']}"}[${SECONDS_OF_LOAD}s])`);
          compareNumber('b', `${program}: scrapes of ${labels['job']} that were good`, value, up!);
          expect(value).to.be.greaterThan(SECONDS_OF_LOAD / 2);
        }
      });

      it('rejected no sample and said nothing', async () => {
        expect(server.log()).not.to.match(/level=(warn|error)|parse error|Error on ingesting|Append failed/i);
        const own = await (await fetch(`${server.url}/metrics`)).text();
        const rejected = [
          ...own.matchAll(/^(prometheus_target_scrapes_(?:sample|exceeded|exemplar)\w+) (\S+)$/gm),
        ];
        expect(rejected.length).to.be.greaterThan(3);
        expect(rejected.filter(([, , count]) => count !== '0').map(([line]) => line)).to.deep.equal([]);
      });

      it('saw no counter fall', async () => {
        const counters = await server.query('{__name__=~".+_(total|count|sum|bucket)"}');
        const names = new Set(counters.map(({ name }) => name));
        expect(names.size).to.be.greaterThan(10);
        for (const name of names)
          expect(await server.value(`sum(resets(${name}[${SECONDS_OF_LOAD}s]))`), name).to.equal(0);
      });

      for (const job of ['official', 'own', 'thread'])
        it(`has every number of the ${job} endpoint`, async () => {
          const expected = expectedSamples(books.get(job)!, job === 'official' ? 'official' : 'ours');
          const arrived = arrivedSamples(await server.query(`{job="${job}"}`));
          compareBooks('b', `${program}: ${job} endpoint`, expected, arrived);
        });

      it('saw the thread endpoint move on while the main thread hung', async () => {
        const seconds = HANG_MILLIS / 1000;
        // No stretch of the minute as long as the hang without a change, though nothing but worker threads recorded then.
        const changes = await server.query(
          `min_over_time(changes(sum(orders_total{job="thread"})[${seconds - 3}s:1s])[${SECONDS_OF_LOAD - 15}s:1s])`,
        );
        expect(changes[0]!.value).to.be.greaterThan(0);
      });

      it('has every number of the demo', async () => {
        const answered = REQUESTS_AT_FIRST + demoRequests;
        const jobs = REQUESTS_AT_FIRST * 0.95 + demoRequests;
        const numbers: readonly [string, number][] = [
          ['sum(jobs_completed_total)', jobs],
          ['sum(http_server_requests_total)', answered],
          ['sum(http_server_requests_total{http_response_status_code="404"})', REQUESTS_AT_FIRST * 0.05],
          ['sum(jobs_duration_count)', jobs],
          ['sum(jobs_duration_bucket{le="+Inf"})', jobs],
          ['sum(http_server_active_requests)', 0],
        ];
        for (const [expression, expected] of numbers)
          compareNumber('b', `${program}: ${expression}`, expected, (await server.value(expression))!);
      });
    });

  it('promtool has nothing to say against the text', async function () {
    needs(this, 'promtool');
    const input = await (await fetch(demo.metricsUrl)).text();
    const { stderr, status } = spawnSync(pathOf('promtool'), ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    // 0: clean. 3: readable, with naming advice; the names are the demo's and the exporter's. Anything else: not readable.
    expect(status, stderr).to.be.oneOf([0, 3]);
    expect(stderr).not.to.match(/error while linting|text format parsing error|collected before|duplicate/i);
  });
});
