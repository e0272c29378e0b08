/**
 * Packs the package and uses it in test suites of others: jest (CommonJS; in one thread, and in worker threads) and vitest (its
 * pools `threads` and `vmThreads`). They run each test file in a realm or thread of its own: what one file counts is in no other's
 * store. The runners come from npm. Run `npm run build` before.
 *
 * Last line: N passed, M failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackage } from './install-package.mjs';

const PACKAGES = [
  '@opentelemetry/api@^1.9.1',
  '@opentelemetry/sdk-metrics@~2.12.1',
  'jest@^30.5.2',
  'vitest@^4.1.12',
];
const FILES = ['first', 'second', 'third'];

if (spawnSync('npm', ['-v']).status !== 0) {
  console.log('SKIPPED: jest and vitest are not tried, since there is no npm to get them with');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-runners-'));
let passed = 0;
let failed = 0;
try {
  // CommonJS, as `npm init -y` makes it.
  installPackage(folder, { jest: { testMatch: ['**/*.jest.js'] } }, PACKAGES);
  writeSuites();
  check('jest, in one thread', 'jest', '--runInBand');
  check('jest, in worker threads', 'jest', '--maxWorkers=2', '--workerThreads');
  for (const pool of ['threads', 'vmThreads']) check(`vitest, ${pool}`, 'vitest', 'run', `--pool=${pool}`);
} catch (error) {
  console.error(error);
  failed++;
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Each file makes a provider, counts 1, and asks the exporter thread of its store what there is. It leaves the store open. */
function writeSuites() {
  const body = (name) => `
test('${name} file', async () => {
  const provider = new SeqlockMeterProvider();
  provider.getMeter('m').createCounter('requests').add(1, { route: '/' });
  const exporter = await startExporterThread({ prometheus: { host: '127.0.0.1', port: 0 }, lastExport: false });
  const text = await (await fetch('http://127.0.0.1:' + exporter.address.port + '/metrics')).text();
  expect(text).toContain('requests_total{otel_scope_name="m",route="/"} 1\\n');
  await exporter.stop();
});
`;
  const ours = '{ SeqlockMeterProvider, startExporterThread }';
  for (const name of FILES) {
    writeFileSync(
      join(folder, `${name}.jest.js`),
      `const ${ours} = require('seqlock-metrics');\n${body(name)}`,
    );
    writeFileSync(
      join(folder, `${name}.test.mjs`),
      `import { expect, test } from 'vitest';\nimport ${ours} from 'seqlock-metrics';\n${body(name)}`,
    );
  }
}

/** Counts as many as files have passed. */
function check(name, runner, ...args) {
  const { status, stdout, stderr } = spawnSync(join(folder, 'node_modules/.bin', runner), args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', SEQLOCK_METRICS_QUIET: 'true' },
  });
  const [, good] = /^\s*Tests:?\s.*?(\d+) passed/m.exec(`${stdout}${stderr}`) ?? [];
  const isWell = status === 0 && Number(good) === FILES.length;
  console.log(`${isWell ? 'ok' : 'not ok'} ${name}: ${good ?? 0} of ${FILES.length} test files`);
  if (isWell) passed += FILES.length;
  else {
    failed++;
    console.error(stdout, stderr);
  }
}
