import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from '../../src/base/platform.ts';
import { createPrometheusHandler } from '../../src/index.ts';
import { accessOptionsOf, type AccessOptions } from '../../src/export/access.ts';
import { collectWarnings } from '../support/warnings.ts';

const TOKEN = 's3cr3t-t0ken';
const PASSWORD = 'correct horse';
const HASH = hashSync(PASSWORD, 4);
const EMPTY = { resourceMetrics: { resource: { attributes: {} }, scopeMetrics: [] }, errors: [] };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

describe('who may scrape', () => {
  let folder: string;
  let servers: Server[];
  let collections: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'seqlock-access-'));
    servers = [];
    collections = 0;
  });
  afterEach(() => {
    for (const server of servers) server.close().closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  function written(name: string, text: string): string {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  }

  async function serve(options: AccessOptions) {
    const source = {
      collect: () => {
        collections++;
        return Promise.resolve(EMPTY);
      },
    };
    const handler = createPrometheusHandler(source, options);
    const server = createServer((req, res) => void handler(req, res));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return (
      headers: Record<string, string> = {},
    ): Promise<{ status: number; headers: IncomingHttpHeaders }> =>
      new Promise((resolve, reject) => {
        const req = request({ port, host: '127.0.0.1', headers }, (res) => {
          res.resume().on('end', () => resolve({ status: res.statusCode!, headers: res.headers }));
        });
        req.on('error', reject).end();
      });
  }

  const { now } = performance;
  let ahead = 0;
  afterEach(() => (performance.now = now));

  /** When it is time to look at files again. */
  function later<T>(then: () => Promise<T>): Promise<T> {
    ahead += 2000;
    performance.now = () => now.call(performance) + ahead;
    return then();
  }

  it('is anybody where nothing else is said', async () => {
    expect((await (await serve({}))()).status).to.equal(200);
  });

  for (const [name, options] of Object.entries({
    'whose hash is given': () => ({ bearerTokenSha256: sha256(TOKEN).toUpperCase() }),
    'of a file': () => ({ bearerTokenFile: written('token', `${TOKEN}\n`) }),
  }))
    it(`is who bears a token ${name}, and others cause no work`, async () => {
      const get = await serve(options());
      const wrong = [{}, bearer('other'), bearer(''), basic('a', TOKEN), { authorization: TOKEN }];
      for (const headers of wrong) {
        const refused = await get(headers);
        expect([refused.status, refused.headers['www-authenticate']]).to.deep.equal([
          401,
          'Bearer realm="metrics"',
        ]);
      }
      expect(collections).to.equal(0);
      expect((await get(bearer(TOKEN))).status).to.equal(200);
    });

  it('is who bears the new token when the file was changed, or the old one while it cannot be used', async () => {
    const file = written('token', TOKEN);
    const get = await serve({ bearerTokenFile: file });
    writeFileSync(file, '  \n');
    const { warnings, stop } = collectWarnings();
    expect((await later(() => get(bearer(TOKEN)))).status).to.equal(200);
    stop();
    expect(warnings.join())
      .to.match(/bearer token has changed and cannot be used/)
      .and.not.include(TOKEN);
    writeFileSync(file, 'another\n');
    expect((await get(bearer(TOKEN))).status, 'not looked at yet').to.equal(200);
    expect((await later(() => get(bearer(TOKEN)))).status).to.equal(401);
    expect((await get(bearer('another'))).status).to.equal(200);
  });

  for (const [name, config] of Object.entries({
    YAML: `basic_auth_users:\n  alice: ${HASH}\nhttp_server_config:\n  headers:\n    X-Frame-Options: deny\n`,
    JSON: JSON.stringify({
      basic_auth_users: { alice: HASH },
      http_server_config: { headers: { 'X-Frame-Options': 'deny' } },
    }),
  }))
    it(`is a user of the web configuration in ${name}`, async () => {
      const get = await serve({ webConfig: written('web.yml', config) });
      const right = await get(basic('alice', PASSWORD));
      expect([right.status, right.headers['x-frame-options']]).to.deep.equal([200, 'deny']);
      const refused = await get();
      expect([refused.status, refused.headers['www-authenticate']]).to.deep.equal([
        401,
        'Basic realm="metrics", charset="UTF-8"',
      ]);
      expect((await get(basic('alice', 'wrong'))).status).to.equal(401);
      expect((await get(basic('alice', 'wrong'))).status, 'remembered').to.equal(401);
      for (const name of ['__proto__', 'constructor', 'bob'])
        expect((await get(bearer(name))).status).to.equal(401);
    });

  it('is nobody whose password waits to be compared behind many', async () => {
    const get = await serve({ webConfig: { basic_auth_users: { alice: HASH } } });
    expect((await get(basic('alice', PASSWORD))).status).to.equal(200);
    const outcomes: number[] = [];
    for (let i = 0; i < 30; i++)
      get(basic('alice', `${i}`)).then(
        ({ status }) => outcomes.push(status),
        () => {},
      );
    while (!outcomes.includes(503)) await new Promise((resolve) => setImmediate(resolve));
    expect((await get(basic('alice', PASSWORD))).status, 'who was right before waits for nobody').to.equal(
      200,
    );
  });

  it('is not a page of another site, that reaches a local address by a name of its own', async () => {
    const get = await serve({ allowedHosts: ['Metrics.Internal'] });
    for (const host of [
      'localhost',
      'LOCALHOST:9464',
      'a.localhost',
      '127.0.0.1:1',
      '[::1]:9464',
      '10.0.0.7',
      'metrics.internal:80',
    ])
      expect((await get({ host })).status, host).to.equal(200);
    for (const host of [
      'evil.example',
      'evil.example:9464',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      'metrics.internal.evil.example',
    ])
      expect((await get({ host })).status, host).to.equal(403);
    expect((await (await serve({ allowedHosts: '*' }))({ host: 'evil.example' })).status).to.equal(200);
  });

  it('is said by variables too', () => {
    const variables = {
      SEQLOCK_METRICS_WEB_CONFIG_FILE: '/w',
      SEQLOCK_METRICS_BEARER_TOKEN_FILE: '/t',
      SEQLOCK_METRICS_BEARER_TOKEN_SHA256: sha256(TOKEN),
    };
    Object.assign(process.env, variables);
    try {
      expect(accessOptionsOf({ bearerTokenFile: '/mine' })).to.deep.equal({
        webConfig: '/w',
        bearerTokenFile: '/mine',
        bearerTokenSha256: sha256(TOKEN),
      });
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
    }
    expect(accessOptionsOf({})).to.deep.equal({});
  });

  it('is not left open by a file that cannot be used, and no error shows a secret', () => {
    const handlerWith = (options: AccessOptions) => () =>
      createPrometheusHandler({ collect: async () => EMPTY }, options);
    expect(handlerWith({ bearerTokenFile: join(folder, 'none') })).to.throw(/ENOENT/);
    expect(handlerWith({ bearerTokenFile: written('empty', '') })).to.throw(/is empty/);
    expect(handlerWith({ webConfig: written('w', 'basic_auth_users:\n  alice: hunter2\n') }))
      .to.throw(/user "alice" .*not a bcrypt hash/)
      .with.property('message')
      .that.does.not.include('hunter2');
    expect(handlerWith({ webConfig: written('w', 'basic_auth_user: {}') })).to.throw(
      /unknown key "basic_auth_user"/,
    );
    expect(handlerWith({ webConfig: { basic_auth_users: { a: 'hunter2' } } })).to.throw(/webConfig/);
    expect(handlerWith({ bearerTokenSha256: TOKEN }))
      .to.throw(/bearerTokenSha256/)
      .with.property('message')
      .that.does.not.include(TOKEN);
    expect(handlerWith({ allowedHosts: 'a' as never })).to.throw(/allowedHosts/);
  });
});
