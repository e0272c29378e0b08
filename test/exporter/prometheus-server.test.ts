import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { performance } from '../../src/base/platform.ts';
import { MetricSource } from '../../src/collect/metric-source.ts';
import type { WebConfig, WebTlsConfig } from '../../src/export/web-config.ts';
import { defaultMaxConnections } from '../../src/exporter/connections.ts';
import type { PrometheusServerOptions } from '../../src/exporter/options.ts';
import { HostNames } from '../../src/exporter/host-names.ts';
import { servePrometheus, type PrometheusServer } from '../../src/exporter/prometheus-server.ts';
import { MetricStore } from '../../src/state/store.ts';
import { makeCertificates, type Certificate, type Certificates } from '../support/certificates.ts';

const GET = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('the Prometheus server', () => {
  let store: MetricStore;
  const servers: PrometheusServer[] = [];
  const sockets: Socket[] = [];
  beforeEach(() => (store = MetricStore.create({ maxBytes: 2 ** 20 })));
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => server.close()));
    store.close();
  });

  async function serve(options: PrometheusServerOptions = {}): Promise<number> {
    const source = new MetricSource(store, { selfMetrics: true });
    const where = { host: '127.0.0.1', port: 0, endpoint: '/metrics' };
    const server = await servePrometheus(source, where, options, new HostNames());
    servers.push(server);
    return server.address()!.port;
  }

  async function open(port: number): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket.on('error', () => {}));
    await once(socket, 'connect');
    return socket;
  }

  const ended = (socket: Socket): Promise<unknown> => once(socket.resume(), 'close');

  async function answered(socket: Socket, to = GET): Promise<string> {
    socket.write(to);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return String(answer);
  }

  it('closes connections that send no request, send it too slowly, or send no more', async () => {
    const port = await serve({ headerTimeoutMillis: 300, idleTimeoutMillis: 200 });
    const silent = await open(port);
    const slow = await open(port);
    slow.write(GET.slice(0, 20));
    const idle = await open(port);
    expect(await answered(idle)).to.match(/^HTTP\/1.1 200/);
    await Promise.all([silent, slow, idle].map(ended));
  });

  it('lets in who comes when all connections are there, in place of the one that was idle for longest', async () => {
    const port = await serve({ maxConnections: 4, idleTimeoutMillis: 60_000, headerTimeoutMillis: 60_000 });
    const first = await open(port);
    const others = [await open(port), await open(port), await open(port)];
    expect(await answered(first)).to.match(/^HTTP\/1.1 200/);
    for (let i = 0; i < 3; i++) {
      const gone = ended(others[i]!);
      const next = await open(port);
      expect(await answered(next)).to.match(/^HTTP\/1.1 200/);
      await gone;
    }
    expect(await answered(first), 'was idle for less').to.match(/^HTTP\/1.1 200/);
  });

  it('takes a quarter of the descriptors at most', function () {
    const script = `import('${new URL('../../src/exporter/connections.js', import.meta.url).href}').then((m) => console.log(m.defaultMaxConnections()))`;
    const { stdout, stderr } = spawnSync('sh', [
      '-c',
      `ulimit -n 128; exec "$0" -e "${script}"`,
      process.execPath,
    ]);
    expect(String(stdout).trim(), String(stderr)).to.equal(process.platform === 'linux' ? '32' : '512');
    expect(defaultMaxConnections()).to.be.within(8, 512);
  });

  it('asks who is there for every path', async () => {
    const hash = hashSync('p', 4);
    const port = await serve({ webConfig: { basic_auth_users: { u: hash } } });
    for (const path of ['/metrics', '/', '/other'])
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).to.equal(401);
    const headers = { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` };
    expect((await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).status).to.equal(200);
  });

  it('does not start where it could not ask', async () => {
    const error: unknown = await serve({ bearerTokenFile: '/nowhere/token' }).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.have.property('message').that.includes('/nowhere/token');
  });

  describe('with TLS', () => {
    let folder: string;
    let made: Certificates;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'seqlock-tls-'));
      made = makeCertificates(folder);
    });
    after(() => rmSync(folder, { recursive: true }));

    /** The configuration, written to a file beside the certificates. */
    function written(config: WebTlsConfig, name = 'web.json'): string {
      const webConfig: WebConfig = { tls_server_config: config };
      writeFileSync(join(folder, name), JSON.stringify(webConfig));
      return join(folder, name);
    }

    /** The status, or why there is none. */
    function get(
      port: number,
      client?: Certificate,
      options: ConnectionOptions = {},
    ): Promise<number | string> {
      return new Promise((resolve) => {
        const credentials = client && { cert: readFileSync(client.cert), key: readFileSync(client.key) };
        const ca = readFileSync(made.authority);
        const req = request(
          { ...options, port, host: '127.0.0.1', path: '/metrics', agent: false, ca, ...credentials },
          (res) => res.resume().on('end', () => resolve(res.statusCode!)),
        );
        req.on('error', ({ message }) => resolve(message)).end();
      });
    }

    const pair = { cert_file: 'server.pem', key_file: 'server.key' };

    it('serves by the files of a web configuration, found beside it', async () => {
      const port = await serve({ webConfig: written(pair) });
      expect(await get(port)).to.equal(200);
      expect(await get(port, undefined, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).to.be.a('string');
      const plain = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => 'refused');
      expect(plain).to.equal('refused');
    });

    it('serves by certificates that are in the configuration, and the suites and curves it names', async () => {
      const tls_server_config = {
        cert: readFileSync(made.server.cert, 'utf8'),
        key: readFileSync(made.server.key, 'utf8'),
        max_version: 'TLS12',
        cipher_suites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
        curve_preferences: ['CurveP256'],
      };
      const port = await serve({ webConfig: { tls_server_config } });
      const socket = connectTls({ port, host: '127.0.0.1', ca: readFileSync(made.authority) });
      sockets.push(socket);
      await once(socket, 'secureConnect');
      expect([socket.getProtocol(), socket.getCipher().standardName]).to.deep.equal([
        'TLSv1.2',
        'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      ]);
    });

    it('takes new certificates when the files were changed, and the old ones while those do not fit', async () => {
      for (const kind of ['pem', 'key'])
        copyFileSync(join(folder, `server.${kind}`), join(folder, `own.${kind}`));
      const port = await serve({ webConfig: written({ cert_file: 'own.pem', key_file: 'own.key' }) });
      const nameNow = async (): Promise<string> => {
        const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
        sockets.push(socket);
        await once(socket, 'secureConnect');
        return String(socket.getPeerCertificate().subject.CN);
      };
      const { now } = performance;
      let ahead = 0;
      performance.now = () => now.call(performance) + ahead;
      try {
        expect(await nameNow()).to.equal('server');
        copyFileSync(made.client.cert, join(folder, 'own.pem'));
        ahead += 2000;
        expect(await nameNow(), 'with another key').to.equal('server');
        copyFileSync(made.client.key, join(folder, 'own.key'));
        ahead += 2000;
        expect(await nameNow()).to.equal('client');
      } finally {
        performance.now = now;
      }
    });

    for (const [type, none, known, stranger] of [
      ['RequestClientCert', 200, 200, 200],
      ['RequireAnyClientCert', 'refused', 200, 200],
      ['VerifyClientCertIfGiven', 200, 200, 'refused'],
      ['RequireAndVerifyClientCert', 'refused', 200, 'refused'],
    ] as const)
      it(`demands of clients what ${type} says`, async () => {
        const port = await serve({
          webConfig: written({ ...pair, client_ca_file: 'authority.pem', client_auth_type: type }),
        });
        const outcomes = [await get(port), await get(port, made.client), await get(port, made.stranger)];
        expect(outcomes.map((outcome) => (typeof outcome === 'number' ? outcome : 'refused'))).to.deep.equal([
          none,
          known,
          stranger,
        ]);
      });

    it('demands a name of the client certificate', async () => {
      const rules = {
        ...pair,
        client_ca_file: 'authority.pem',
        client_auth_type: 'RequireAndVerifyClientCert',
      } as const;
      const port = await serve({ webConfig: written({ ...rules, client_allowed_sans: ['x', 'localhost'] }) });
      expect(await get(port, made.client)).to.equal(200);
      const other = await serve({
        webConfig: written({ ...rules, client_allowed_sans: ['local'] }, 'other.json'),
      });
      expect(await get(other, made.client)).to.be.a('string');
    });
  });
});
