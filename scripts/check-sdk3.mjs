/**
 * Packs the package and uses it in a fresh project with @opentelemetry/sdk-metrics 3.1, exporters 0.301 and API 1.10 from npm:
 * a scrape and two OTLP pushes over HTTP. Under Node 24 (fetched from npm; 3.x wants 22.15 or later), and under the installed
 * Node. Run `npm run build` before.
 *
 * Last line: N passed, M failed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from './node-binaries.mjs';

const PACKAGES = [
  '@opentelemetry/api@~1.10.0',
  '@opentelemetry/sdk-metrics@~3.1.0',
  '@opentelemetry/resources@~3.1.0',
  '@opentelemetry/exporter-prometheus@~0.301.0',
  '@opentelemetry/exporter-metrics-otlp-http@~0.301.0',
  '@opentelemetry/exporter-metrics-otlp-proto@~0.301.0',
];
const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-sdk3-'));
let passed = 0;
let failed = 0;
try {
  install();
  check('Node 24', nodeBinary(24));
  // SDK 3.x does not promise to work below Node 22.15.
  const [major, minor] = process.versions.node.split('.').map(Number);
  const supported = major > 22 || (major === 22 && minor >= 15);
  check(`Node ${process.versions.node}, the installed one`, process.execPath, !supported);
} catch (error) {
  console.error(error);
  failed++;
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function install() {
  const npm = (...args) =>
    execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const [{ filename }] = JSON.parse(
    npm('pack', '--json', '--silent', '--pack-destination', folder, resolve(here, '..')),
  );
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  npm('install', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`, ...PACKAGES);
  copyFileSync(join(here, 'sdk3-consumer.mjs'), join(folder, 'consumer.mjs'));
  for (const name of ['api', 'sdk-metrics', 'exporter-prometheus']) {
    const { version } = JSON.parse(
      readFileSync(join(folder, 'node_modules/@opentelemetry', name, 'package.json'), 'utf8'),
    );
    console.log(`@opentelemetry/${name} ${version}`);
  }
}

function check(name, node, mayBeRefused = false) {
  console.log(`\n${name}`);
  const receiver = resolve(here, '../build/examples/demo/otlp-receiver.js');
  const { status, stdout, stderr } = spawnSync(node, ['consumer.mjs', receiver], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  process.stdout.write(stdout);
  const count = (mark) => stdout.split('\n').filter((line) => line.startsWith(mark)).length;
  if (status === 0 && count('ok ') > 0) {
    passed += count('ok ');
    return;
  }
  process.stderr.write(stderr);
  if (mayBeRefused && count('ok ') + count('not ok ') === 0) {
    console.log(
      `does not even start here (exit code ${status}); SDK 3.x wants Node 22.15 or later, so this is not counted`,
    );
    return;
  }
  passed += count('ok ');
  failed += Math.max(1, count('not ok '));
}
