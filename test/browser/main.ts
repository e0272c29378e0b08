/**
 * The page in a real browser (Debian's chromium; the variable CHROMIUM names another).
 *
 *   npm run test:page                      about a minute
 *   npm run test:page -- --minutes 10      a page that stays open: memory of browser and app
 *   npm run test:page -- --pictures <to>   writes the pictures of the documents to a folder
 */
import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch, type Browser, type Page } from 'puppeteer-core';
import type { StreamList } from '../../src/exporter/page-protocol.ts';
import { HOSTILE } from './hostile.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** Nothing is judged by how fast this machine is: only what never comes is a failure. */
const PATIENCE_MILLIS = 30_000;
/** What a page with 1,000 series on view may be sent in a second. */
const MAX_BYTES_A_SECOND = 20_000;

interface App {
  readonly url: string;
  readonly child: ChildProcess;
  say(command: string): void;
}

async function start(kind: string): Promise<App> {
  const script = fileURLToPath(new URL('app.js', import.meta.url));
  const environment = { ...process.env, SEQLOCK_METRICS_QUIET: 'true' };
  const child = spawn(process.execPath, [script, kind], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: environment,
  });
  for await (const line of createInterface(child.stdout))
    if (line.startsWith('port '))
      return {
        url: `http://127.0.0.1:${line.slice(5)}/`,
        child,
        say: (command) => void child.stdin.write(`${command}\n`),
      };
  throw new Error(`the app ${kind} has ended`);
}

async function stop({ child }: App): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

/** What must never happen in a page: an error, a dialog, or a request to another server. */
const faults: string[] = [];

async function open(browser: Pick<Browser, 'newPage'>, { url }: App, hash = '#/'): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MILLIS);
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${String(error)}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
      faults.push(`request to ${request.url()}`);
  });
  await page.goto(`${url}${hash}`);
  return page;
}

async function sees(page: Page, text: string, where = 'body'): Promise<void> {
  const isShown = `document.querySelector(${JSON.stringify(where)})?.textContent.includes(${JSON.stringify(text)}) === true`;
  await page.waitForFunction(isShown, { polling: 100 }).catch(async () => {
    const shown = await page.$eval(where, (element) => element.textContent).catch(() => 'nothing');
    throw new Error(`"${text}" is not shown in ${where}, but: ${String(shown).slice(0, 500)}`);
  });
}

/** A row of a table, as the browser knows it. */
interface Row {
  readonly cells: Iterable<{ readonly textContent: string | null }>;
}

/** The cells of a row of a metric's table, by the name of the line. */
async function row(page: Page, name: string): Promise<string[]> {
  return page.$$eval(
    '.legend tbody tr',
    (rows, wanted) =>
      rows
        .map((one) => [...(one as unknown as Row).cells].map((cell) => cell.textContent ?? ''))
        .find(([first]) => first === wanted) ?? [],
    name,
  );
}

/** Splits by the attribute that is shown so, or begins so. */
async function splitBy(page: Page, shown: string): Promise<void> {
  await sees(page, shown, '#split');
  const value = await page.$$eval(
    '#split option',
    (all, wanted) => {
      const options = all as unknown as { value: string; textContent: string }[];
      return options.find(({ textContent }) => textContent.startsWith(wanted))?.value ?? '';
    },
    shown,
  );
  await page.select('#split', value);
}

async function until(is: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + PATIENCE_MILLIS;
  while (!(await is())) {
    if (Date.now() > end) throw new Error(`it never came to it: ${what}`);
    await wait(100);
  }
}

/** Milliseconds of processor time that a process has used. */
function processorTime({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

function residentBytes({ pid }: ChildProcess): number {
  return 4096 * Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
}

const checks: Record<string, (browser: Browser) => Promise<string>> = {
  async 'what is on the page is what was recorded'(browser) {
    const app = await start('shop');
    try {
      app.say('level 1234');
      const page = await open(browser, app, '#/metric/manual.level/shop');
      await until(async () => (await row(page, 'value'))[2] === '1234', 'the level');
      app.say('level -34');
      await until(async () => (await row(page, 'value'))[2] === '1200', 'the level, changed');
      await page.goto(`${app.url}#/metric/manual.histogram/shop`);
      await sees(page, 'No metric');
      for (const value of [0.5, 1.5, 3, 3.5]) app.say(`record ${value}`);
      // Ranks of 4 values in the buckets (0, 1], (1, 2] and twice (2, 4]; as histogram_quantile has it.
      await until(async () => (await row(page, 'p50'))[2] === '2', 'the median');
      expect((await row(page, 'p90'))[2]).to.equal(String(2 + 2 * ((0.9 * 4 - 2) / 2)));
      const query = await page.$eval('.query code', (element) => element.textContent);
      expect(query).to.equal(
        'histogram_quantile(0.99, sum by (le) (rate(manual_histogram_seconds_bucket[1m])))',
      );
      await page.close();
      return '';
    } finally {
      await stop(app);
    }
  },

  async 'a thread that hangs shows, also what it has to do with'(browser) {
    const app = await start('shop');
    try {
      const page = await open(browser, app);
      await sees(page, 'responsive', 'table');
      const begun = Date.now();
      app.say('hang 10000');
      await sees(page, 'has been blocked for', '.attention');
      const millis = Date.now() - begun;
      await sees(page, 'Atomics.wait', '.attention');
      await page.close();
      return `after ${(millis / 1000).toFixed(1)} s`;
    } finally {
      await stop(app);
    }
  },

  async 'a metric is found, split, zoomed, paused, and read by keys'(browser) {
    const app = await start('shop');
    try {
      const page = await open(browser, app, '#/metrics');
      await sees(page, 'http.requests');
      await page.keyboard.press('/');
      await page.keyboard.type('request duration');
      await sees(page, '1 metric', '.tools');
      await page.click('.card');
      await sees(page, 'How long requests took');
      await splitBy(page, 'http.route');
      await until(async () => (await page.$$('.legend tbody tr')).length === 11, 'ten groups and the rest');
      await sees(page, 'the rest (3 values)', '.legend');
      await page.select('#split', '');
      await sees(page, 'p99', '.legend');
      const box = (await (await page.$('.u-over'))!.boundingBox())!;
      await page.mouse.move(box.x + box.width * 0.9, box.y + 50);
      await sees(page, 'At ', 'caption');
      await page.mouse.move(box.x + box.width * 0.5, box.y + 50);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.8, box.y + 60, { steps: 4 });
      await page.mouse.up();
      await sees(page, 'Escape shows all', '.zoomed');
      await page.keyboard.press('Escape');
      await sees(page, 'Drag over', '.zoomed');
      await page.keyboard.press('Space');
      await sees(page, 'Go on', '#pause');
      await page.focus('.chart[tabindex]');
      await page.keyboard.press('ArrowLeft');
      await sees(page, 'p99', '#spoken');
      await page.close();
      return '';
    } finally {
      await stop(app);
    }
  },

  async 'an overflow names the attribute, and the view that helps'(browser) {
    const app = await start('shop');
    try {
      const page = await open(browser, app);
      await sees(page, 'http.requests has overflowed', '.attention');
      await sees(page, 'Attribute user.id has', '.attention');
      await page.keyboard.press('3');
      await sees(page, 'saves', 'main');
      const lines = await page.$$eval('details code', (all) => all.map(({ textContent }) => textContent));
      expect(lines).to.include(
        "{ instrumentName: 'http.requests', attributesProcessors: [createDenyListAttributesProcessor(['user.id'])] }",
      );
      await page.close();
      return '';
    } finally {
      await stop(app);
    }
  },

  async 'a store of 100,000 series does not slow it down'(browser) {
    const app = await start('large');
    try {
      const page = await open(browser, app);
      await sees(page, '100 k', '.tiles');
      const before = processorTime(app.child);
      const begun = Date.now();
      await wait(5000);
      const share = (processorTime(app.child) - before) / (Date.now() - begun);
      await page.close();
      const idleBefore = processorTime(app.child);
      const idleBegun = Date.now();
      await wait(5000);
      const idle = (processorTime(app.child) - idleBefore) / (Date.now() - idleBegun);
      return `${(100 * share).toFixed(1)} % of a core with the overview open, ${(100 * idle).toFixed(1)} % without`;
    } finally {
      await stop(app);
    }
  },

  async 'ten thousand metrics, and texts that mean harm'(browser) {
    const app = await start('many');
    try {
      const page = await open(browser, app, '#/metrics');
      await sees(page, '10,002 metrics', '.tools');
      const cards = (await page.$$('.card')).length;
      expect(cards, 'only what is on the screen is there').to.be.within(4, 200);
      await page.goto(`${app.url}#/metric/hostile/shop`);
      await sees(page, '<img src=x', '.description, main');
      for (const text of HOSTILE) {
        const shown = text.slice(0, 8).replace('\u202e', '‹U+202E›').replaceAll('\n', '‹U+000A›');
        await splitBy(page, shown);
        await sees(page, shown, '.legend');
      }
      await page.goto(`${app.url}#/metric/${encodeURIComponent(HOSTILE[0]!)}/x`);
      await sees(page, 'No metric <img');
      expect(await page.$$('main img, main script, main svg')).to.deep.equal([]);
      await page.close();
      return `${cards} cards`;
    } finally {
      await stop(app);
    }
  },

  async '1,000 series on view take less than 20 kB a second'() {
    const app = await start('busy');
    try {
      let ids: number[] = [];
      await until(async () => {
        const { streams } = (await (await fetch(`${app.url}streams`)).json()) as StreamList;
        ids = streams.filter(({ name }) => name.startsWith('busy.')).map(({ id }) => id);
        return ids.length === 1000;
      }, 'a list of 1,000 metrics');
      const before = processorTime(app.child);
      const sizes: number[] = [];
      for await (const tick of ticks(`${app.url}events?want=${ids.join()}`, 5)) sizes.push(tick.length);
      const size = sizes.slice(1).reduce((a, b) => a + b, 0) / (sizes.length - 1);
      expect(size).to.be.below(MAX_BYTES_A_SECOND);
      return `${(size / 1000).toFixed(1)} kB a frame; ${processorTime(app.child) - before} ms of processor in 5 frames, the app's own included`;
    } finally {
      await stop(app);
    }
  },

  async 'ten pages of ten people, and ten tabs of one'(browser) {
    const app = await start('shop');
    try {
      const contexts = await Promise.all(Array.from({ length: 10 }, () => browser.createBrowserContext()));
      const pages = await Promise.all(contexts.map((context) => open(context, app)));
      for (const page of pages) await sees(page, 'responsive', 'table');
      await Promise.all(contexts.map((context) => context.close()));
      const tabs: Page[] = [];
      for (let i = 0; i < 10; i++) {
        const page = await open(browser, app);
        tabs.push(page);
        await sees(page, 'responsive', 'table');
      }
      for (const page of tabs) await page.close();
      return '';
    } finally {
      await stop(app);
    }
  },
};

/** The texts of so many ticks of an event stream. */
async function* ticks(url: string, count: number): AsyncGenerator<string> {
  const abort = new AbortController();
  const { body } = await fetch(url, { signal: abort.signal });
  let text = '';
  for await (const part of body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const event = text.slice(0, end);
      if (!event.startsWith('event: tick')) continue;
      yield event;
      if (--count === 0) {
        abort.abort();
        return;
      }
    }
  }
}

/** A page that stays open: neither it nor the app takes more and more memory. */
async function stayOpen(browser: Browser, minutes: number): Promise<void> {
  const app = await start('shop');
  const page = await open(browser, app, '#/metrics');
  const heaps: number[] = [];
  const resident: number[] = [];
  for (let minute = 0; minute <= minutes; minute++) {
    if (minute > 0) await wait(60_000);
    const session = await page.createCDPSession();
    await session.send('HeapProfiler.collectGarbage');
    await session.detach();
    heaps.push((await page.metrics()).JSHeapUsedSize! / 2 ** 20);
    resident.push(residentBytes(app.child) / 2 ** 20);
    console.log(
      `${minute} min: page ${heaps.at(-1)!.toFixed(1)} MiB, app ${resident.at(-1)!.toFixed(0)} MiB`,
    );
  }
  await stop(app);
}

/** The pictures of the documents. */
async function takePictures(browser: Browser, folder: string): Promise<void> {
  const app = await start('shop');
  await wait(150_000);
  const page = await open(browser, app);
  const picture = async (
    name: string,
    hash: string,
    width: number,
    height: number,
    theme: string,
  ): Promise<void> => {
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
    await page.goto(`${app.url}${hash}`);
    await wait(4000);
    await page.screenshot({ path: `${folder}/${name}.png` });
  };
  await picture('page-overview', '#/', 900, 600, 'light');
  await picture('page-metric', '#/metric/http.server.request.duration/shop', 860, 740, 'dark');
  await picture('page-narrow', '#/', 320, 640, 'dark');
  await picture('page-wide', '#/metrics', 3840, 2160, 'light');
  await picture('page-cardinality', '#/cardinality', 1200, 820, 'light');
  await stop(app);
}

const { values } = parseArgs({ options: { minutes: { type: 'string' }, pictures: { type: 'string' } } });
if (!existsSync(CHROMIUM)) {
  if (process.env['CI'] === 'true') throw new Error(`${CHROMIUM} is missing: apt install chromium`);
  console.log(`SKIPPED: there is no browser at ${CHROMIUM} (apt install chromium, or set CHROMIUM).`);
  process.exit();
}
const browser = await launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
let failed = 0;
let passed = 0;
try {
  if (values.minutes !== undefined) await stayOpen(browser, Number(values.minutes));
  else if (values.pictures !== undefined) await takePictures(browser, values.pictures);
  else
    for (const [name, check] of Object.entries(checks)) {
      const begun = Date.now();
      try {
        const note = await check(browser);
        expect(faults.splice(0).join('\n'), 'faults of the page').to.equal('');
        passed++;
        console.log(`ok   ${name}${note === '' ? '' : `: ${note}`} (${Date.now() - begun} ms)`);
      } catch (error) {
        failed++;
        console.log(`FAIL ${name}: ${error instanceof Error ? error.message : String(error)}`);
        for (const page of await browser.pages()) await page.close();
        console.log(faults.splice(0).join('\n'));
      }
    }
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
