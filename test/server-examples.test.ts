/** Each example serves its own metrics. */
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { parseStrictly } from './export/strict-parser.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

describe('examples of servers', () => {
  for (const name of ['http', 'express', 'fastify', 'hono'])
    it(`${name}-metrics serves what it counts`, async () => {
      const port = await freePort();
      const child = spawn(process.execPath, [resolve(`build/examples/${name}-metrics.js`)], {
        env: { ...process.env, PORT: String(port) },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        await new Promise((done, fail) => {
          child.stdout.once('data', done);
          child.once('exit', fail);
        }).then((line) => expect(String(line)).to.equal(`http://localhost:${port}/metrics\n`));
        const url = `http://localhost:${port}`;
        for (let i = 0; i < 3; i++) expect(await (await fetch(`${url}/hello`)).text()).to.equal('hello\n');
        for (let i = 0; i < 2; i++) {
          const response = await fetch(`${url}/metrics`, {
            headers: { accept: 'application/openmetrics-text' },
          });
          expect(response.headers.get('content-type')).to.include('openmetrics');
          const [sample] = parseStrictly(await response.text(), 'openmetrics').get(
            'http_server_requests',
          )!.samples;
          expect(sample).to.deep.include({ name: 'http_server_requests_total', value: 3 });
        }
      } finally {
        child.kill();
      }
    });
});
