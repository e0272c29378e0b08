import { expect } from 'chai';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { MetricSource } from '../../src/collect/metric-source.ts';
import { HostNames } from '../../src/exporter/host-names.ts';
import { Page } from '../../src/exporter/page.ts';
import type { StreamList, Tick } from '../../src/exporter/page-protocol.ts';
import { watchOf } from '../../src/exporter/page-watch.ts';
import { servePrometheus, type PrometheusServer } from '../../src/exporter/prometheus-server.ts';
import { SeqlockMeterProvider } from '../../src/facade/meter-provider.ts';

describe('the page', () => {
  let provider: SeqlockMeterProvider;
  let server: PrometheusServer;
  let port: number;
  let page: Page;
  beforeEach(async () => {
    provider = new SeqlockMeterProvider();
    page = new Page(new MetricSource(provider.store), {}, { deliveries: () => [] });
    const where = { host: '127.0.0.1', port: 0, endpoint: '/metrics' };
    server = await servePrometheus(new MetricSource(provider.store), where, {}, new HostNames(), () => {}, {
      page,
    });
    ({ port } = server.address()!);
  });
  afterEach(async () => {
    await server.close();
    await provider.shutdown();
  });

  async function ask(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const request = get({ port, host: '127.0.0.1', path, headers, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }

  async function textOf(response: IncomingMessage): Promise<string> {
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += String(part);
    return text;
  }

  /** The data of the first event of a name, after which the stream is closed. */
  async function firstEvent(path: string, name: string): Promise<unknown> {
    const response = (await ask(path)).setEncoding('utf8');
    page.look();
    let text = '';
    for await (const part of response) {
      text += String(part);
      const [, data] = new RegExp(`^event: ${name}\n(?:id: .*\n)?data: (.*)\n\n`, 'm').exec(text) ?? [];
      if (data !== undefined) return JSON.parse(data) as unknown;
    }
    throw new Error(`no event ${name} in ${text}`);
  }

  it('is served with its script and style, which alone may be used', async () => {
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/page.js', 'text/javascript'],
      ['/page.css', 'text/css'],
    ]) {
      // prettier-ignore
      const response = await ask(path!);
      expect([response.statusCode, response.headers['content-type']]).to.deep.equal([
        200,
        `${type}; charset=utf-8`,
      ]);
      expect(response.headers['content-security-policy']).to.match(/default-src 'none'; script-src 'self';/);
      expect(response.headers['content-security-policy']).not.to.include('unsafe');
      expect(response.headers['x-content-type-options']).to.equal('nosniff');
      expect(response.headers).not.to.have.property('access-control-allow-origin');
      const text = await textOf(response);
      expect(text.length).to.be.above(500);
      if (path === '/') expect(text).not.to.match(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/);
      else expect(text, 'the licence of what is in it').to.include('MIT License');
    }
    expect((await ask('/metrics')).statusCode).to.equal(200);
    expect((await ask('/other')).statusCode).to.equal(404);
  });

  it('sends nothing to other sites, and answers to no other name', async () => {
    for (const path of ['/streams', '/events']) {
      expect((await ask(path, { 'sec-fetch-site': 'cross-site' })).statusCode).to.equal(403);
      expect((await ask(path, { 'sec-fetch-site': 'same-site' })).statusCode).to.equal(403);
      expect((await ask(path, { origin: 'http://evil.example' })).statusCode).to.equal(403);
      expect((await ask(path, { origin: 'null' })).statusCode).to.equal(403);
    }
    for (const path of ['/', '/page.js', '/streams', '/events'])
      expect((await ask(path, { host: 'evil.example' })).statusCode, path).to.equal(403);
    expect((await ask('/streams', { 'sec-fetch-site': 'same-origin' })).statusCode).to.equal(200);
  });

  it('sends each frame, and only the streams that are looked at', async () => {
    const meter = provider.getMeter('m');
    const seen = meter.createCounter('seen');
    const other = meter.createCounter('other');
    seen.add(1);
    other.add(1);
    await firstEvent('/events', 'tick');
    seen.add(41);
    other.add(5);
    const { streams } = JSON.parse(await textOf(await ask('/streams?since=0'))) as StreamList;
    const { id } = streams.find(({ name }) => name === 'seen')!;
    const { p } = (await firstEvent(`/events?want=${id}`, 'tick')) as Tick;
    expect(p).to.deep.equal([[id, 41]]);
  });

  it('sends names as they are, as JSON on one line', async () => {
    const name = 'n';
    const description = '<script>alert(1)</script>\n\nevent: tick\ndata: {}\n\n\u202e';
    provider
      .getMeter(description)
      .createCounter(name, { description })
      .add(1, { [description]: description });
    const tick = (await firstEvent('/events', 'tick')) as Tick;
    const { streams } = JSON.parse(await textOf(await ask('/streams?since=0'))) as StreamList;
    expect(tick.v).to.be.above(0);
    expect(streams[0]).to.include({ name, description, scope: description });
    const { splits } = (await firstEvent('/events?by=0:0', 'tick')) as Tick;
    expect(splits![0]!.top[0]![0]).to.equal(description);
  });

  it('sends what the app is and what it does', async () => {
    provider.getMeter('m').createCounter('c').add(1);
    const status = await firstEvent('/events?status', 'status');
    expect(status).to.have.keys('attention', 'app', 'threads', 'store', 'deliveries', 'history');
    expect(status).to.have.nested.property('threads[0].thread', 0);
    expect(await firstEvent('/events', 'status')).to.have.keys('attention', 'app');
  });

  it('ends its event streams when the server stops', async () => {
    const response = await ask('/events');
    const ended = textOf(response);
    await server.close();
    expect(await ended).to.include('event: hello');
  });
});

describe('what a page asks for', () => {
  it('is read from the query, whatever is in it', () => {
    const watch = watchOf(
      new URLSearchParams('have=1,2,x,-3,&want=7,1e3,08&from=500&by=3:1&by=x:y&by=4:&by=5:1:2&status'),
    );
    expect([...watch.streams]).to.deep.equal([[1, 500], [2, 500], [7, 0], [8, 0]]); // prettier-ignore
    expect(watch.splits).to.deep.equal([{ id: 3, key: 1 }]); // prettier-ignore
    expect([watch.status, watch.cardinality]).to.deep.equal([true, false]);
    expect([...watchOf(new URLSearchParams('want=7&have=1&from=5'), '900').streams]).to.deep.equal([[1, 900], [7, 900]]); // prettier-ignore
    const many = Array.from({ length: 9000 }, (_none, i) => i).join();
    expect(watchOf(new URLSearchParams(`want=${many}`)).streams.size).to.equal(2000);
  });
});
