/**
 * Packs the package and uses it in a fresh project with @opentelemetry/sdk-metrics 3.1, exporters 0.301 and API 1.10 from npm:
 * a scrape and two OTLP pushes over HTTP. Under Node 24 (fetched from npm; 3.x wants 22.15 or later), and under the installed
 * Node. Then beside NodeSDK and the auto-instrumentations of both lines, 2.x and 3.x, in both orders. Run `npm run build` before.
 *
 * Last line: N passed, M failed.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackage } from './install-package.mjs';
import { nodeBinary } from './node-binaries.mjs';

const PACKAGES = [
  '@opentelemetry/api@~1.10.0',
  '@opentelemetry/sdk-metrics@~3.1.0',
  '@opentelemetry/resources@~3.1.0',
  '@opentelemetry/exporter-prometheus@~0.301.0',
  '@opentelemetry/exporter-metrics-otlp-http@~0.301.0',
  '@opentelemetry/exporter-metrics-otlp-proto@~0.301.0',
];
const NODE_SDK_LINES = {
  '2.x': ['api@~1.9.1', 'sdk-metrics@~2.12.1', 'sdk-node@0.223.0', 'auto-instrumentations-node@0.81.2'],
  '3.x': ['api@~1.10.0', 'sdk-metrics@~3.1.0', 'sdk-node@0.301.0', 'auto-instrumentations-node@0.82.0'],
};
const OURS = ['--import', 'seqlock-metrics/register'];
const AUTO = '@opentelemetry/auto-instrumentations-node/register';
/** How NodeSDK and this package are set up, and whether metrics of instrumentations are served; the app's always are. */
const SETUPS = [
  ['our provider, then NodeSDK without readers', ['ours-first'], [], false],
  ['NodeSDK without readers, then our provider', ['sdk-first'], [], false],
  ['our provider, then NodeSDK that reads OTEL_METRICS_EXPORTER=none', ['sdk-defaults'], [], false],
  ['our register, then that of the auto-instrumentations', ['none'], [...OURS, '--import', AUTO], true],
  // Instrumentations make their instruments when they are loaded, and what was made before our provider records nothing.
  ['register of the auto-instrumentations, then ours', ['none'], ['--import', AUTO, ...OURS], false],
  ['the same, since --require comes before --import', ['none'], [...OURS, '--require', AUTO], false],
];
const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-sdk3-'));
let passed = 0;
let failed = 0;
try {
  install(PACKAGES);
  check('Node 24', nodeBinary(24));
  // SDK 3.x does not promise to work below Node 22.15.
  const [major, minor] = process.versions.node.split('.').map(Number);
  const supported = major > 22 || (major === 22 && minor >= 15);
  check(`Node ${process.versions.node}, the installed one`, process.execPath, !supported);
  for (const [line, packages] of Object.entries(NODE_SDK_LINES)) {
    rmSync(join(folder, 'node_modules'), { recursive: true });
    rmSync(join(folder, 'package-lock.json'), { force: true });
    install(packages.map((name) => `@opentelemetry/${name}`));
    console.log(`\nNodeSDK, line ${line}`);
    for (const setup of SETUPS)
      await checkNodeSdk(line === '2.x' ? process.execPath : nodeBinary(24), ...setup);
  }
} catch (error) {
  console.error(error);
  failed++;
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function install(packages) {
  installPackage(folder, { type: 'module' }, packages);
  copyFileSync(join(here, 'sdk3-consumer.mjs'), join(folder, 'consumer.mjs'));
  copyFileSync(join(here, 'node-sdk-consumer.mjs'), join(folder, 'node-sdk-consumer.mjs'));
  for (const name of ['api', 'sdk-metrics']) {
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

async function checkNodeSdk(node, what, args, imports, isInstrumented) {
  const { status, stdout, stderr } = spawnSync(node, [...imports, 'node-sdk-consumer.mjs', ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    env: {
      ...process.env,
      SEQLOCK_METRICS_EXPORTER: 'prometheus',
      SEQLOCK_METRICS_QUIET: 'true',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()),
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_NODE_RESOURCE_DETECTORS: 'env',
    },
  });
  const found = stdout.split('\n').find((line) => line.startsWith('{')) ?? '';
  const wanted = JSON.stringify({
    global: 'SeqlockMeterProvider',
    counted: true,
    instrumented: isInstrumented,
  });
  const isRight = status === 0 && found === wanted;
  if (isRight) passed++;
  else failed++;
  console.log(`${isRight ? 'ok' : 'not ok'} ${what}${isRight ? '' : `: ${found}, not ${wanted}\n${stderr}`}`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}
