/**
 * What is asked of the metrics endpoint by those who mean no good, or do not know better, while an honest scraper asks too.
 *
 *   npm run test:abuse -- [--minutes 10] [--only dropped]
 *
 * Each abuse has its bar: bytes, or a ratio to what the same app did before. Bounded in number and time, on this machine alone. `--minutes`: mixed
 * abuse for so long in place of a quarter of a minute. What is bounded by what: docs/operations.md.
 */
import { hashSync } from 'bcryptjs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { AppOptions } from './app.ts';
import { ask, askInARow, drop, ignore, opened, readToEnd, requestText, rotating } from './attacks.ts';
import { missing } from '../e2e/programs/programs.ts';
import { startPrometheus, type Prometheus } from '../e2e/servers/prometheus.ts';
import { scratchFolder } from '../e2e/servers/scratch.ts';
import { HonestScraper, scrape, Target } from './target.ts';

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '0.25' }, only: { type: 'string', default: '' } },
});
const SERIES = 100_000;
const MIB = 2 ** 20;
/** What the app may do before an honest scrape is answered beside the abuse, in times of what it does alone. */
const MAX_WORK = 5;
/** So often the app is scraped without a pause before it is known what it has resident. */
const SETTLE_SCRAPES = 50;
const MAX_SETTLE_MILLIS = 20_000;
/** Of being dropped 200 times; 5 where the machine is fast enough for 12 honest scrapes beside. */
const MAX_TURNS = 12;

let passed = 0;
let failed = 0;

function judge(what: string, isRight: boolean): void {
  if (isRight) passed++;
  else failed++;
  console.log(`  ${isRight ? 'ok    ' : 'FAILED'} ${what}`);
}

const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;

/**
 * An app that was scraped by honest scrapers as often as it can be, and what it has resident then. `meanwhile` is what the machine
 * does in that time.
 */
async function settled(
  app: AppOptions,
  headers = {},
  meanwhile: (target: Target) => Promise<unknown> = () => Promise.resolve(),
) {
  const target = await Target.start(app);
  const codings = ['gzip', 'identity'].map((coding) => ({ ...headers, 'accept-encoding': coding }));
  const eager = codings.map((asked) => new HonestScraper(target, 0, asked));
  const until = performance.now() + MAX_SETTLE_MILLIS;
  await meanwhile(target);
  for (let scrapes = 0; scrapes < SETTLE_SCRAPES && performance.now() < until;) {
    await wait(1000);
    for (const scraper of eager) await scraper.pause();
    scrapes = eager.reduce((sum, scraper) => sum + scraper.scrapes.length, 0);
    for (const scraper of eager) scraper.goOn();
  }
  await Promise.all(eager.map((scraper) => scraper.stop()));
  return { target, body: eager[0]!.scrapes[0]!.bytes, resident: target.peakResident() };
}

/** `settled`, and scraped by one honest scraper alone for a while. */
async function ready(app: AppOptions, headers = {}) {
  const { target, body, resident } = await settled(app, headers);
  const alone = new HonestScraper(target, 50, headers);
  await wait(3000);
  await alone.stop();
  return { target, body, alone, resident: Math.max(resident, target.peakResident()) };
}

function judgeHonest(honest: HonestScraper, alone: HonestScraper): void {
  const { scrapes, failures } = honest;
  const ratio = honest.workMillis / alone.workMillis;
  judge(
    `${scrapes.length} honest scrapes beside it waited for ${ratio.toFixed(1)} times the ${alone.workMillis.toFixed(0)} ms of work of one alone (at most ${MAX_WORK}), ${(honest.millis / alone.millis).toFixed(1)} times its time`,
    scrapes.length > 0 && ratio <= MAX_WORK,
  );
  judge(
    `none of them failed${failures.length > 0 ? `: ${failures.length}, ${failures[0]}` : ''}`,
    failures.length === 0,
  );
}

function judgeResident(resident: number, before: number, most: number): void {
  judge(
    `${mib(resident - before)} more resident at the most (at most ${mib(most)})`,
    resident - before <= most,
  );
}

const abuses: Readonly<Record<string, () => Promise<void>>> = {
  async dropped() {
    for (const serves of ['thread', 'handler'] as const) {
      console.log(`1,000 scrapes of ${SERIES} series that hang up, served by the ${serves}`);
      // The same at the app's own port: what it costs the machine to ask and to hang up is no cost of the metrics.
      const { target, body, resident } = await settled({ serves, series: SERIES }, {}, ({ appPort }) =>
        drop(appPort, 1000, 200),
      );
      const alone = new HonestScraper(target, 50);
      await alone.pause();
      const honest = new HonestScraper(target, 50);
      await honest.pause();
      // In turns, so that what else the machine does concerns both.
      for (let turn = 0; turn < MAX_TURNS && (turn < 5 || honest.scrapes.length < 12); turn++) {
        alone.goOn();
        await drop(target.appPort, 200, 200);
        await alone.pause();
        honest.goOn();
        await drop(target.port, 200, 200);
        await honest.pause();
      }
      const mostResident = target.peakResident();
      await Promise.all([alone.stop(), honest.stop()]);
      judgeResident(mostResident, resident, 2 * body);
      judgeHonest(honest, alone);
      await target.stop();
    }
  },

  async rotating() {
    console.log(`200 scrapes of ${SERIES / 5} series at once, in ten formats that come in turn`);
    const { target, resident } = await ready({ serves: 'thread', series: SERIES / 5 });
    const honest = new HonestScraper(target, 50);
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(target.port, rotating(i))));
    await honest.stop();
    const answered = outcomes.filter(({ status }) => status === 200 || status === 503).length;
    judge(`${answered} of 200 were answered`, answered === 200);
    const slowest = Math.max(...outcomes.map(({ millis }) => millis));
    judge(`the last after ${(slowest / 1000).toFixed(1)} s (at most 30)`, slowest < 30_000);
    judgeResident(target.peakResident(), resident, 64 * MIB);
    judge(
      `${honest.scrapes.length} honest scrapes beside it waited for ${honest.workMillis.toFixed(0)} ms of work (at most 2,000), ${honest.millis.toFixed(0)} ms in all`,
      honest.workMillis <= 2000,
    );
    judge(`${honest.failures.length} of them failed`, honest.failures.length === 0);
    await target.stop();
  },

  async ignoring() {
    console.log(`100 receivers that ask for ${SERIES} series and read nothing`);
    const { target, alone, body, resident } = await ready({
      serves: 'thread',
      series: SERIES,
      prometheus: { sendTimeoutMillis: 8000 },
    });
    const honest = new HonestScraper(target, 50);
    const sockets = await ignore(target.port, 100);
    await wait(3000);
    judgeResident(target.peakResident(), resident, 32 * MIB + 2 * body);
    await wait(6000);
    await honest.stop();
    const whole = (await Promise.all(sockets.map(readToEnd))).filter((bytes) => bytes >= body).length;
    judge(`${whole} of them were not cut off when their time was over`, whole === 0);
    judgeHonest(honest, alone);
    await target.stop();
  },

  async descriptors() {
    console.log('150 connections that do nothing, to a process that may have 128 descriptors');
    const target = await Target.start({ serves: 'thread', series: 1000 }, 128);
    const sockets = [];
    for (let i = 0; i < 150; i++) sockets.push(await opened(target.port));
    let answered = 0;
    for (let i = 0; i < 20; i++)
      answered += (await ask(target.appPort, requestText())).status === 200 ? 1 : 0;
    judge(`the app answered ${answered} of 20 requests`, answered === 20);
    judge('and a scrape', (await scrape(target)).status === 200);
    for (const socket of sockets) socket.destroy();
    await target.stop();
  },

  async steering() {
    console.log('scrapes with absurd time-outs, where a callback hangs');
    const target = await Target.start({
      serves: 'handler',
      series: 100,
      callbackMillis: 0,
      hangs: true,
      prometheus: { timeoutMillis: 2000 },
    });
    const timeouts = ['1000000000', '0.000001', 'Infinity', '-1', 'x'];
    const absurd = Array.from({ length: 50 }, (_, i) =>
      ask(
        target.port,
        requestText({ 'x-prometheus-scrape-timeout-seconds': timeouts[i % timeouts.length]! }),
      ),
    );
    const honest = new HonestScraper(target, 50);
    const statuses = (await Promise.all(absurd)).map(({ status }) => status);
    await wait(3000);
    await honest.stop();
    judge(
      `${statuses.filter((status) => status === 200).length} of 50 were served`,
      statuses.every((status) => status === 200),
    );
    const { callbacks } = await target.report();
    judge(`callbacks went on being called (${callbacks})`, callbacks > 3);
    judge(
      `none of ${honest.scrapes.length} honest scrapes failed`,
      honest.failures.length === 0 && honest.scrapes.length > 3,
    );
    await target.stop();
  },

  async heads() {
    console.log('HEAD requests in a row on 4 connections, with a callback of 5 ms');
    const target = await Target.start({ serves: 'handler', series: 100, callbackMillis: 5 });
    const before = await target.report();
    const head = requestText({}, 'HEAD');
    const until = performance.now() + 4000;
    const answers = await Promise.all([1, 2, 3, 4].map(() => askInARow(target.port, head, until)));
    const after = await target.report();
    const perSecond = (after.callbacks - before.callbacks) / 4;
    judge(
      `${answers.reduce((sum, one) => sum + one)} answers, ${perSecond.toFixed(1)} rounds of callbacks a second (at most 11), the loop busy for ${(100 * after.busy).toFixed(0)} %`,
      perSecond <= 11 && perSecond > 0,
    );
    await target.stop();
  },

  async guessing() {
    console.log('wrong passwords and tokens, as fast as they are answered');
    const headers = { authorization: `Basic ${Buffer.from('prometheus:right').toString('base64')}` };
    const users = { prometheus: hashSync('right', 10) };
    const { target, alone } = await ready(
      { serves: 'thread', series: 20_000, prometheus: { webConfig: { basic_auth_users: users } } },
      headers,
    );
    const honest = new HonestScraper(target, 50, headers);
    const until = performance.now() + 5000;
    let refused = 0;
    const guess = async (): Promise<void> => {
      for (let i = 0; performance.now() < until; i++) {
        const authorization =
          i % 2 === 0
            ? `Basic ${Buffer.from(`prometheus:${Math.random()}`).toString('base64')}`
            : `Bearer ${i}`;
        const { status } = await Promise.race([
          ask(target.port, requestText({ authorization })),
          wait(200, { status: 401 }),
        ]);
        if (status === 401 || status === 503) refused++;
      }
    };
    await Promise.all(Array.from({ length: 8 }, guess));
    await honest.stop();
    judge(`${refused} guesses were refused`, refused > 8);
    judgeHonest(honest, alone);
    await target.stop();
  },

  async mixed() {
    const seconds = 60 * Number(options.minutes);
    console.log(
      `all at once for ${seconds.toFixed(0)} s: hang-ups, slow receivers, odd formats, a full pool and store, ends of the exporter thread`,
    );
    const { target, body, resident } = await ready({
      serves: 'thread',
      series: 20_000,
      maxBytes: 64 * MIB,
      prometheus: { sendTimeoutMillis: 2000 },
    });
    const honest = new HonestScraper(target, 200);
    const prometheus = await prometheusOf(target.port);
    const until = performance.now() + 1000 * seconds;
    let deaths = 0;
    target.tell('block the pool');
    target.tell('fill the store');
    const hangUps = async (): Promise<void> => {
      while (performance.now() < until) await drop(target.port, 100, 50);
    };
    const odd = async (): Promise<void> => {
      for (let i = 0; performance.now() < until; i++) await ask(target.port, rotating(i));
    };
    const slow = async (): Promise<void> => {
      while (performance.now() < until) {
        const sockets = await ignore(target.port, 20);
        await wait(2000);
        for (const socket of sockets) socket.destroy();
      }
    };
    const death = async (): Promise<void> => {
      while (performance.now() + 8000 < until) {
        await wait(5000);
        target.tell('end the exporter thread');
        deaths++;
      }
    };
    await Promise.all([hangUps(), odd(), slow(), death()]);
    await wait(1000);
    await honest.stop();
    judge('the app is alive', target.isAlive);
    if (prometheus !== undefined) {
      const whole = `[${Math.ceil(seconds) + 60}s]`;
      const value = async (query: string): Promise<number> => (await prometheus.value(query)) ?? Number.NaN;
      const all = await value(`count_over_time(up${whole})`);
      const good = await value(`sum_over_time(up${whole})`);
      const falls = await value(`resets(ticks_total${whole})`);
      judge(
        `a real Prometheus got ${good} of ${all} scrapes (at least a third), and saw a counter fall ${falls} times`,
        good >= all / 3 && falls === 0,
      );
      await prometheus.stop();
    }
    judge(
      `${honest.scrapes.length} honest scrapes, ${honest.failures.length} failed in ${deaths} ends of the exporter thread (at most 20 each)${honest.failures.length > 0 ? `: ${honest.failures[0]}` : ''}`,
      honest.scrapes.length > seconds / 10 && honest.failures.length <= 20 * deaths,
    );
    judgeResident(target.peakResident(), resident, 64 * MIB + 32 * MIB + 20 * body);
    await target.stop();
  },
};

/** A real server that scrapes each second; undefined, and said, where there is none. */
async function prometheusOf(port: number): Promise<Prometheus | undefined> {
  const lacks = missing(['prometheus 2']);
  if (lacks !== undefined) {
    console.log(`  SKIPPED beside a real Prometheus. Not found: ${lacks}`);
    return undefined;
  }
  const config = `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs: [{ job_name: abused, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]
`;
  return startPrometheus({ program: 'prometheus 2', folder: scratchFolder(), config });
}

for (const [name, abuse] of Object.entries(abuses)) {
  if (options.only !== '' && options.only !== name) continue;
  const started = performance.now();
  await abuse();
  console.log(`  (${((performance.now() - started) / 1000).toFixed(0)} s)`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
