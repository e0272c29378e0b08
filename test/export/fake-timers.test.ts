/** Scrapes of an app whose tests have put fake timers and clocks in the place of the platform's. */
import FakeTimers from '@sinonjs/fake-timers';
import { expect } from 'chai';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPrometheusHandler } from '../../src/index.ts';
import { opened, shutDownOpened } from '../support/opened.ts';

describe('under fake timers', () => {
  let clock: ReturnType<typeof FakeTimers.install> | undefined;
  let server: Server | undefined;
  afterEach(shutDownOpened);
  afterEach(() => {
    clock?.uninstall();
    clock = undefined;
    server?.close();
    server?.closeAllConnections();
  });

  /** All that can be faked but `process.nextTick`, without which Node's own streams stand still. */
  function fakeAll(): void {
    clock = FakeTimers.install({
      now: 1_000_000_000_000,
      toFake: [
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
        'setImmediate',
        'clearImmediate',
        'queueMicrotask',
        'performance',
        'hrtime',
        'Date',
      ],
    });
  }

  async function scrape(headers: Record<string, string>): Promise<string> {
    const { port } = server!.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', headers }, (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve(`${response.statusCode} ${text}`)).on('error', reject);
      }).on('error', reject);
    });
  }

  for (const headers of [
    {},
    { accept: 'application/openmetrics-text; version=1.0.0' },
    { 'accept-encoding': 'gzip' },
  ])
    it(`a scrape is answered: ${JSON.stringify(headers)}`, async () => {
      await setUp(() => {});
      fakeAll();
      expect(await scrape(headers)).to.match(/^200 /);
      expect(await scrape(headers), 'and again').to.match(/^200 /);
    });

  it('a callback that hangs is cut off', async () => {
    await setUp(() => new Promise(() => {}));
    fakeAll();
    expect(await scrape({ 'x-prometheus-scrape-timeout-seconds': '0.1' })).to.match(/^200 [^]*c_total/);
  });

  it('times are those of the system, and not of the fake clock', async () => {
    await setUp((result: { observe(value: number): void }) => result.observe(1));
    fakeAll();
    const text = await scrape({ accept: 'application/openmetrics-text; version=1.0.0' });
    const created = Number(/^c_created\S* (\S+)/m.exec(text)?.[1]);
    expect(created).to.be.above(1_600_000_000);
  });

  async function setUp(callback: (result: { observe(value: number): void }) => unknown): Promise<void> {
    const provider = opened({});
    provider.getMeter('m').createCounter('c').add(1);
    provider
      .getMeter('m')
      .createObservableGauge('g')
      .addCallback(callback as () => void);
    const handler = createPrometheusHandler(provider.store);
    server = createServer((request, response) => void handler(request, response));
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  }
});
