import { expect } from 'chai';
import { createServer, request, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { performance } from '../../src/base/platform.ts';
import { createPrometheusHandler, SeqlockMetricReader } from '../../src/index.ts';
import type { PrometheusHandlerOptions } from '../../src/export/prometheus-handler.ts';
import type { ScrapeSource } from '../../src/export/scrape-source.ts';
import { ObservableRegistry } from '../../src/sdk/observable-registry.ts';
import { parseStrictly } from './strict-parser.ts';
import { opened, shutDownOpened } from '../support/opened.ts';
import { hasZstd, zstdText } from '../support/zstd.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const servers: Server[] = [];

async function serve(source: ScrapeSource, options?: PrometheusHandlerOptions) {
  const handler = createPrometheusHandler(source, options);
  const server = createServer((req, res) => void handler(req, res));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return (headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const req = request({ port, host: '127.0.0.1', method, headers }, (res) => {
        const pieces: Buffer[] = [];
        res.on('data', (piece: Buffer) => pieces.push(piece));
        res.on('end', () =>
          resolve({ status: res.statusCode!, headers: res.headers, body: Buffer.concat(pieces) }),
        );
        res.on('error', reject);
      });
      req.on('error', reject);
      req.end();
    });
}

function setUp() {
  const reader = new SeqlockMetricReader();
  const provider = opened({ readers: [reader], resource: { attributes: { 'service.name': 'x' } } });
  const meter = provider.getMeter('s');
  return { reader, provider, meter };
}

/** A source that counts its snapshots and answers when it is told to. */
function slowSource() {
  let snapshots = 0;
  let answer: (() => void) | undefined;
  const resourceMetrics = { resource: { attributes: {} }, scopeMetrics: [] };
  const source = {
    collect: () =>
      new Promise<{ resourceMetrics: unknown; errors: unknown[] }>((resolve) => {
        snapshots++;
        answer = () => resolve({ resourceMetrics, errors: [] });
      }),
  };
  return { source, snapshots: () => snapshots, answer: () => answer!() };
}

/** While time goes by as often as it is looked at, a millisecond each time. */
async function withFastClock<T>(during: () => Promise<T>): Promise<T> {
  const { now } = performance;
  let millis = now.call(performance);
  performance.now = () => ++millis;
  try {
    return await during();
  } finally {
    performance.now = now;
  }
}

const later = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

describe('createPrometheusHandler', () => {
  afterEach(shutDownOpened);

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('serves text 0.0.4 of a reader, of a store and of an official reader', async () => {
    const { reader, provider, meter } = setUp();
    meter.createCounter('c').add(2);
    for (const source of [reader, provider.store, { collect: () => reader.collect() }]) {
      const { status, headers, body } = await (await serve(source))();
      expect(status).to.equal(200);
      expect(headers['content-type']).to.equal(
        'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
      );
      expect(headers['content-length']).to.equal(String(body.length));
      expect(parseStrictly(String(body)).get('c_total')!.samples[0]!.value).to.equal(2);
    }
  });

  it('shows observable instruments as they are now', async () => {
    const { provider, meter } = setUp();
    let value = 0;
    meter.createObservableGauge('o').addCallback((result) => result.observe(++value));
    const get = await serve(provider.store);
    expect(String((await get()).body)).to.match(/\no\{.*\} 1\n/);
    expect(String((await get()).body)).to.match(/\no\{.*\} 2\n/);
  });

  it('chooses the format by Accept, the most wanted first', async () => {
    const { reader, meter } = setUp();
    meter.createCounter('c').add(2);
    const get = await serve(reader);
    const typeFor = async (Accept: string) => (await get({ Accept })).headers['content-type'];
    const text = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
    const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
    expect(
      await typeFor(
        'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      ),
    ).to.equal(`${open}; escaping=underscores`);
    expect(
      await typeFor('application/openmetrics-text;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.5'),
    ).to.equal(text);
    expect(await typeFor('application/openmetrics-text; version=1.0.0; escaping=allow-utf-8')).to.equal(
      `${open}; escaping=allow-utf-8`,
    );
    expect(await typeFor('application/openmetrics-text; version=9.0.0')).to.equal(text);
    expect(
      await typeFor(
        'application/openmetrics-text;version=2.0.0-rc0,application/openmetrics-text;version=1.0.0;q=0.9,*/*;q=0.1',
      ),
    ).to.equal(`${open}; escaping=underscores`);
    expect(await typeFor('text/plain; version=1.0.0; escaping="dots"')).to.equal(
      'text/plain; version=1.0.0; charset=utf-8; escaping=dots',
    );
    expect(await typeFor('image/png')).to.equal(text);
    expect(await typeFor('application/openmetrics-text;q=0')).to.equal(text);
    expect(
      await typeFor(
        'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
      ),
    ).to.equal(
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores',
    );
    expect(await typeFor(`${'"'.repeat(9000)};;==,,q=`)).to.equal(text);
    const { body } = await get({ Accept: 'application/openmetrics-text' });
    expect(parseStrictly(String(body), 'openmetrics').get('c')!.type).to.equal('counter');
  });

  it('always says which escaping it has', async () => {
    const { reader } = setUp();
    const get = await serve(reader);
    for (const type of [
      'text/plain',
      'text/plain;version=1.0.0',
      'application/openmetrics-text',
      'application/openmetrics-text;version=0.0.1',
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily',
      '*/*',
    ])
      for (const asked of ['', 'allow-utf-8', 'underscores', 'dots', 'values', 'other']) {
        const { headers } = await get({ Accept: asked === '' ? type : `${type};escaping=${asked}` });
        const hasNewNames = /1\.0\.0|protobuf/.test(headers['content-type']!);
        const isKnown = ['underscores', 'dots', 'values'].includes(asked) && type !== '*/*';
        const used = isKnown || (asked === 'allow-utf-8' && hasNewNames) ? asked : 'underscores';
        expect(headers['content-type'], `${type} ${asked}`).to.match(new RegExp(`; escaping=${used}$`));
      }
  });

  it('escapes names as asked, and never quotes them in 0.0.4', async () => {
    const { reader, meter } = setUp();
    meter.createGauge('my.gauge').record(1);
    const get = await serve(reader, { translationStrategy: 'NoTranslation' });
    const bodyFor = async (Accept: string) => String((await get({ Accept })).body);
    expect(await bodyFor('text/plain;version=1.0.0;escaping=allow-utf-8')).to.include('{"my.gauge",');
    expect(await bodyFor('text/plain;version=1.0.0;escaping=values')).to.include('U__my_2e_gauge{');
    expect(await bodyFor('text/plain;version=0.0.4;escaping=allow-utf-8')).to.include('\nmy_gauge{');
    expect(await bodyFor('*/*')).to.include('\nmy_gauge{');
  });

  it('compresses for those who take it', async () => {
    const { reader, meter } = setUp();
    const counter = meter.createCounter('c');
    for (let i = 0; i < 1500; i++) counter.add(i, { i, text: 'x'.repeat(100) });
    const get = await serve(reader);
    const plain = await get();
    expect(plain.headers).not.to.have.property('content-encoding');
    const zipped = await get({ 'Accept-Encoding': 'gzip' });
    expect(zipped.headers['content-encoding']).to.equal('gzip');
    expect(zipped.body.length).to.be.lessThan(plain.body.length / 5);
    expect(gunzipSync(zipped.body).equals(plain.body)).to.equal(true);
    expect((await get({ 'Accept-Encoding': 'gzip;q=0' })).headers).not.to.have.property('content-encoding');
    expect((await get({ 'Accept-Encoding': 'identity, gzip;q=0.5' })).headers).not.to.have.property(
      'content-encoding',
    );
    const zstd = await get({ 'Accept-Encoding': 'zstd, gzip;q=0.5' });
    if (hasZstd) {
      expect(zstd.headers['content-encoding']).to.equal('zstd');
      expect(zstdText(zstd.body).equals(plain.body)).to.equal(true);
    } else expect(zstd.headers['content-encoding']).to.equal('gzip');
    expect(
      (await (await serve(reader, { compression: false }))({ 'Accept-Encoding': 'gzip' })).headers,
    ).not.to.have.property('content-encoding');
  });

  it('answers HEAD without a body and other methods with 405', async () => {
    const { reader, meter } = setUp();
    meter.createCounter('c').add(1);
    const get = await serve(reader);
    const head = await get({}, 'HEAD');
    expect([head.status, head.body.length]).to.deep.equal([200, 0]);
    expect(head.headers['content-length']).to.equal(String((await get()).body.length));
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await get({}, method);
      expect([status, headers.allow]).to.deep.equal([405, 'GET, HEAD']);
    }
  });

  it('takes one snapshot for scrapes that come while it is taken', async () => {
    const { source, snapshots, answer } = slowSource();
    const get = await serve(source);
    const answers = [get(), get(), get({ Accept: 'application/openmetrics-text' })];
    while (snapshots() === 0) await later(5);
    await later(50);
    answer();
    expect((await Promise.all(answers)).map(({ status }) => status)).to.deep.equal([200, 200, 200]);
    expect(snapshots()).to.equal(1);
    const next = get();
    while (snapshots() === 1) await later(5);
    answer();
    expect((await next).status).to.equal(200);
  });

  it('answers scrapes whole that come while the text of many new series is made', async () => {
    const { reader, meter } = setUp();
    const counter = meter.createCounter('c');
    for (let i = 0; i < 1500; i++) counter.add(1, { i, text: `${i}`.repeat(50) });
    const get = await serve(reader);
    const answers = [];
    for (let i = 0; i < 8; i++) {
      answers.push(get(i % 4 === 3 ? { Accept: 'application/openmetrics-text' } : {}));
      counter.add(1, { i, text: 'new' });
      await later(1);
      reader.exportPrometheus(); // fills the same columns
    }
    for (const { status, body } of await Promise.all(answers)) {
      expect(status).to.equal(200);
      const isOpen = String(body).endsWith('# EOF\n');
      const family = parseStrictly(String(body), isOpen ? 'openmetrics' : 'text').get(
        isOpen ? 'c' : 'c_total',
      )!;
      const totals = family.samples.filter(({ name }) => name === 'c_total');
      expect(totals.length).to.be.within(1500, 1508);
      expect(totals.every(({ value }) => value === 1)).to.equal(true);
    }
  });

  it('lets the event loop turn while it works, and is whole when the store is closed meanwhile', async () => {
    const { provider, meter } = setUp();
    for (const name of ['a', 'b', 'c']) {
      const counter = meter.createCounter(name);
      for (let i = 0; i < 1900; i++) counter.add(1, { i });
    }
    const get = await serve(provider.store);
    for (const round of [1, 2]) {
      let turns = 0;
      const { status, body } = await withFastClock(async () => {
        let isDone = false;
        const turn = (): void => {
          if (++turns === 10 * round) provider.store.close();
          if (!isDone) setImmediate(turn);
        };
        setImmediate(turn);
        const answer = await get();
        isDone = true;
        return answer;
      });
      expect(status).to.equal(200);
      const families = parseStrictly(String(body));
      for (const name of ['a', 'b', 'c']) expect(families.get(`${name}_total`)!.samples).to.have.length(1900);
      // A slice has four looks at the time, and there is one after 64 series at the latest.
      expect(turns).to.be.at.least((3 * 1900) / 64 / 4);
    }
  });

  it('comes to an end with each of the scrapes of another reader that come one after the other', async () => {
    const { reader, meter } = setUp();
    const counter = meter.createCounter('c');
    for (let i = 0; i < 1500; i++) counter.add(1, { i });
    const get = await serve({ collect: () => reader.collect() }); // other columns each time
    await withFastClock(async () => {
      const answers = [];
      for (let i = 0; i < 4; i++) {
        answers.push(get());
        await later(5);
      }
      for (const { status, body } of await Promise.all(answers)) {
        expect(status).to.equal(200);
        expect(parseStrictly(String(body)).get('c_total')!.samples).to.have.length(1500);
      }
    });
  });

  it("gives up within the scraper's timeout", async () => {
    const { source } = slowSource();
    const get = await serve(source);
    const { status, body } = await get({ 'X-Prometheus-Scrape-Timeout-Seconds': '0.2' });
    expect(status).to.equal(503);
    expect(String(body)).to.include('not done within 180 ms');
  });

  it("gives up within a scraper's own timeout when it shares a snapshot that another one waits for", async () => {
    let fail: ((error: Error) => void) | undefined;
    const get = await serve({ collect: () => new Promise((_, reject) => (fail = reject)) });
    const first = get();
    while (fail === undefined) await later(5);
    const second = await get({ 'X-Prometheus-Scrape-Timeout-Seconds': '0.1' });
    expect([second.status, String(second.body)]).to.deep.equal([
      503,
      'metrics could not be collected: not done within 90 ms\n',
    ]);
    fail(new Error('no luck'));
    expect((await first).status).to.equal(500);
  });

  it('leaves no rejection to itself when nobody waits for a snapshot any more', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): unknown => unhandled.push(reason);
    process.on('unhandledRejection', note);
    let fail: (error: Error) => void;
    const get = await serve({ collect: () => new Promise((_, reject) => (fail = reject)) });
    expect((await get({ 'X-Prometheus-Scrape-Timeout-Seconds': '0.1' })).status).to.equal(503);
    fail!(new Error('too late'));
    await later(5);
    process.off('unhandledRejection', note);
    expect(unhandled).to.deep.equal([]);
  });

  it('serves the last values when a callback takes too long', async () => {
    const { reader, meter } = setUp();
    meter.createCounter('c').add(1);
    meter.createObservableGauge('stuck').addCallback(() => new Promise(() => {}));
    const get = await serve(reader);
    const { status, body } = await get({ 'X-Prometheus-Scrape-Timeout-Seconds': '0.2' });
    expect(status).to.equal(200);
    expect(String(body)).to.include('c_total');
  });

  it('turns away at once who comes when as many wait as may', async () => {
    const { source, snapshots, answer } = slowSource();
    const get = await serve(source, { maxScrapes: 3 });
    const waiting = [get(), get(), get()];
    while (snapshots() === 0) await later(5);
    let turnedAway: Answer[] = [];
    while (turnedAway.length < 2) {
      const next = await Promise.race([get(), later(50)]);
      if (next) turnedAway = [...turnedAway, next];
    }
    for (const { status, headers } of turnedAway)
      expect([status, headers['retry-after']]).to.deep.equal([503, '1']);
    answer();
    for (const { status } of await Promise.all(waiting)) expect(status).to.equal(200);
    const again = get();
    while (snapshots() === 1) await later(5);
    answer();
    expect((await again).status).to.equal(200);
  });

  it('is not kept from others by scrapers that have gone', async () => {
    const { source, snapshots, answer } = slowSource();
    const handler = createPrometheusHandler(source, { maxScrapes: 1 });
    const responses: ServerResponse[] = [];
    const handled: Promise<void>[] = [];
    const server = createServer((req, res) => {
      responses.push(res);
      handled.push(handler(req, res));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    for (let i = 0; i < 20; i++) {
      const req = request({ port, host: '127.0.0.1' }).on('error', () => {});
      req.end();
      while (responses.length === i) await later(1);
      req.destroy();
      await handled[i];
      expect(responses[i]!.headersSent).to.equal(false);
    }
    expect(snapshots()).to.equal(1);
    answer();
  });

  it('gives the callbacks of its own thread the time of a scrape, of a store as of a reader', async () => {
    const { provider, reader, meter } = setUp();
    const given: number[] = [];
    const { run } = ObservableRegistry.prototype;
    ObservableRegistry.prototype.run = function (this: ObservableRegistry, request, timeoutMillis) {
      given.push(timeoutMillis!);
      return run.call(this, request, timeoutMillis);
    };
    try {
      meter.createObservableGauge('g').addCallback((result) => result.observe(given.length));
      for (const source of [provider.store, reader])
        expect(String((await (await serve(source, { timeoutMillis: 20_000 }))()).body)).to.match(
          /^g\{.*\} \d$/m,
        );
    } finally {
      ObservableRegistry.prototype.run = run;
    }
    expect(given).to.deep.equal([16_000, 16_000]);
  });

  it("waits for callbacks as long as it was made to, whatever other scrapers' time-outs are", async () => {
    const { reader, meter } = setUp();
    let end: (() => void) | undefined;
    meter.createObservableGauge('slow').addCallback(async (result) => {
      await new Promise<void>((resolve) => (end = resolve));
      result.observe(7);
    });
    const get = await serve(reader);
    const patient = get({ 'X-Prometheus-Scrape-Timeout-Seconds': '1000000000' });
    while (end === undefined) await later(1);
    const hasty = await get({ 'X-Prometheus-Scrape-Timeout-Seconds': '0.000001' });
    expect(hasty.status).to.equal(200);
    expect(String(hasty.body)).not.to.include('slow');
    end();
    expect(String((await patient).body)).to.match(/^slow\{.*\} 7$/m);
  });

  it('has an end to waiting for a callback, whatever a scraper says of its time-out', async () => {
    const { reader, meter } = setUp();
    meter.createCounter('c').add(1);
    meter.createObservableGauge('stuck').addCallback(() => new Promise(() => {}));
    const get = await serve(reader, { timeoutMillis: 100 });
    for (let i = 0; i < 3; i++) {
      const { status, body } = await get({ 'X-Prometheus-Scrape-Timeout-Seconds': '1000000000' });
      expect(status).to.equal(200);
      expect(String(body)).to.include('c_total');
    }
  });

  it('says why it failed with 500', async () => {
    const unattached = await (await serve(new SeqlockMetricReader()))();
    expect(unattached.status).to.equal(500);
    expect(String(unattached.body)).to.include('has no provider yet');
    const rejecting = await (await serve({ collect: () => Promise.reject(new Error('no luck')) }))();
    expect([rejecting.status, String(rejecting.body)]).to.deep.equal([
      500,
      'metrics could not be collected: no luck\n',
    ]);
  });

  it('sends a slow receiver the text it began with', async () => {
    const { reader, meter } = setUp();
    const counter = meter.createCounter('c');
    const pad = 'x'.repeat(10_000); // more in all than sockets hold
    for (let i = 0; i < 1900; i++) counter.add(1, { i, pad });
    const handler = createPrometheusHandler(reader);
    const server = createServer((req, res) => void handler(req, res));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const slow = new Promise<string>((resolve, reject) => {
      request({ port, host: '127.0.0.1' }, (res) => {
        void (async () => {
          await later(100); // most of it is still in the server
          for (let round = 0; round < 3; round++) {
            for (let i = 0; i < 1900; i++) counter.add(1, { i, pad });
            await new Promise((done) =>
              request({ port, host: '127.0.0.1' }, (other) => other.resume().on('end', done)).end(),
            );
          }
          let text = '';
          for await (const piece of res.setEncoding('utf8')) text += piece as string;
          resolve(text);
        })().catch(reject);
      }).end();
    });
    const samples = parseStrictly(await slow).get('c_total')!.samples;
    expect(samples).to.have.length(1900);
    expect(new Set(samples.map(({ value }) => value))).to.deep.equal(new Set([1]));
  });

  it('never joins a text, in any format or coding', async () => {
    const { reader, meter } = setUp();
    const counter = meter.createCounter('c');
    for (let i = 0; i < 1900; i++) counter.add(1, { i, pad: randomBytes(450).toString('base64') });
    const handler = createPrometheusHandler(reader);
    let largest = 0;
    let sent = 0;
    const server = createServer((req, res) => {
      const write = res.write.bind(res) as (piece: Buffer) => boolean;
      res.write = (piece: Buffer) => {
        largest = Math.max(largest, piece.length);
        sent += piece.length;
        return write(piece);
      };
      void handler(req, res);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { concat } = Buffer;
    Buffer.concat = (list, length) => {
      const joined = concat(list, length);
      largest = Math.max(largest, joined.length);
      return joined;
    };
    try {
      for (const headers of [
        {},
        { 'Accept-Encoding': 'gzip' },
        { Accept: 'application/openmetrics-text' },
        { Accept: 'text/plain;version=1.0.0;escaping=values' },
      ]) {
        sent = 0;
        await new Promise((done) =>
          request({ port, host: '127.0.0.1', headers }, (res) => res.resume().on('end', done)).end(),
        );
        expect(sent, JSON.stringify(headers)).to.be.above(500_000);
      }
    } finally {
      Buffer.concat = concat;
    }
    expect(largest).to.be.below(200_000);
  });

  it('throws on options that are none', () => {
    const { reader } = setUp();
    expect(() => createPrometheusHandler(reader, { timeoutMillis: 0 })).to.throw(/timeoutMillis is 0/);
    expect(() => createPrometheusHandler(reader, { sendTimeoutMillis: 2 ** 31 })).to.throw(
      /sendTimeoutMillis/,
    );
    expect(() => createPrometheusHandler(reader, { maxScrapes: 1.5 })).to.throw(/maxScrapes is 1.5/);
    expect(() => createPrometheusHandler(reader, { translationStrategy: 'x' as never })).to.throw(
      /translationStrategy/,
    );
    expect(() => createPrometheusHandler({} as never)).to.throw(/MetricStore/);
  });
});
