/**
 * Puts the packed package in the place of prom-client by npm's `overrides`, as docs/prom-client.md says, under the middleware that most apps use:
 * each serves a request and shows it. Compiles a file that uses every name of prom-client's types against both. It installs from the registry.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'prom-client-'));
const run = (command, args, cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const APPS = {
  'express-prom-bundle': `
    const app = require('express')();
    app.use(require('express-prom-bundle')({ includeMethod: true, includePath: true }));
    app.get('/hello', (_request, response) => response.send('hello'));
    const server = app.listen(0, '127.0.0.1', () => check(server, /http_request_duration_seconds_count\\{.*path="\\/hello".*\\} 1/));`,
  'fastify-metrics': `
    const app = require('fastify')();
    app.register(require('fastify-metrics'), { endpoint: '/metrics' });
    app.after(() => app.get('/hello', async () => 'hello'));
    app.listen({ port: 0, host: '127.0.0.1' }).then(() => check(app.server, /http_request_duration_seconds_count\\{.*route="\\/hello".*\\} 1/));`,
  '@hono/prometheus': `
    const { serve } = require('@hono/node-server');
    const { prometheus } = require('@hono/prometheus');
    const app = new (require('hono').Hono)();
    const { printMetrics, registerMetrics } = prometheus();
    app.use('*', registerMetrics);
    app.get('/metrics', printMetrics);
    app.get('/hello', (context) => context.text('hello'));
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => check(server, /http_requests_total\\{.*route="\\/hello".*\\} 1/));`,
};

const CHECK = `
  const assert = require('node:assert');
  async function check(server, expected) {
    const url = 'http://127.0.0.1:' + server.address().port;
    assert.strictEqual(await (await fetch(url + '/hello')).text(), 'hello');
    const text = await (await fetch(url + '/metrics')).text();
    assert.match(text, expected);
    const ours = require('seqlock-metrics/prom-client');
    assert.strictEqual(require('prom-client'), ours);
    process.exit(0);
  }`;

try {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--silent', '--pack-destination', folder], resolve('.')),
  );
  mkdirSync(join(folder, 'prom-client'));
  writeFileSync(
    join(folder, 'prom-client/package.json'),
    JSON.stringify({ name: 'prom-client', version: '15.1.3', main: 'index.cjs' }),
  );
  writeFileSync(
    join(folder, 'prom-client/index.cjs'),
    "module.exports = require('seqlock-metrics/prom-client');\n",
  );
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      private: true,
      dependencies: {
        '@hono/node-server': '2',
        '@hono/prometheus': '1',
        '@opentelemetry/api': '1.9',
        '@opentelemetry/sdk-metrics': '2',
        express: '5',
        'express-prom-bundle': '8',
        fastify: '5',
        'fastify-metrics': '12',
        hono: '4',
        'prom-client': 'file:prom-client',
        'seqlock-metrics': `file:${filename}`,
      },
      devDependencies: { '@types/node': '20', 'real-prom-client': 'npm:prom-client@15.1', typescript: '5.9' },
      overrides: { 'prom-client': '$prom-client' },
    }),
  );
  run('npm', ['install', '--no-audit', '--no-fund', '--legacy-peer-deps']);
  for (const [name, app] of Object.entries(APPS)) {
    writeFileSync(join(folder, 'app.cjs'), `${CHECK}\n${app}`);
    run(process.execPath, ['app.cjs']);
    console.log(`${name}: serves with the drop-in`);
  }

  const source = readFileSync('test/prom-client/every-name.ts', 'utf8');
  for (const [file, name] of [
    ['theirs.cts', 'real-prom-client'],
    ['ours.cts', 'seqlock-metrics/prom-client'],
    ['ours.mts', 'seqlock-metrics/prom-client'],
  ])
    writeFileSync(join(folder, file), source.replaceAll('../../src/prom-client/prom-client.ts', name));
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--types',
    'node',
    '--skipLibCheck',
    '--esModuleInterop',
  ];
  for (const module of ['node16', 'nodenext']) {
    run('npx', ['tsc', ...options, '--module', module, 'theirs.cts', 'ours.cts', 'ours.mts']);
    console.log(`types: every name compiles against prom-client and the drop-in with module ${module}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
