/**
 * Gives random registries to the exposition and its texts to a strict parser and, in batches, to promtool, if there is one.
 *
 *   npm run test:fuzz -- [registries, default 100000] [seed, default 1]
 *
 * A short run of the same is part of the tests (`prometheus-text.test.ts`). Where CI=true, promtool must be there.
 */
import { spawnSync } from 'node:child_process';
import { columnsOf } from '../../src/export/foreign-metrics.ts';
import { ESCAPING_SCHEMES, TRANSLATION_STRATEGIES } from '../../src/export/prometheus-name.ts';
import { PrometheusText } from '../../src/export/prometheus-text.ts';
import { parseStrictly } from './strict-parser.ts';
import { randomMetrics, randomOf } from './random-metrics.ts';

const BATCH = 500;
const PARSE_ERROR = 1; // of promtool; 3 is lint

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 1);
const random = randomOf(seed);
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool && process.env['CI'] === 'true') {
  console.error('promtool not found: apt-get install prometheus');
  process.exit(1);
}
let batch = '';
let samples = 0;
let judged = 0;

function fail(i: number, why: string, text: string): never {
  console.error(`registry ${i} of seed ${seed}: ${why}\n${text.slice(0, 5000)}`);
  process.exit(1);
}

for (let i = 0; i < count; i++) {
  const metrics = randomMetrics(random);
  const dialect = { openMetrics: random() < 0.5, escaping: pick(ESCAPING_SCHEMES) };
  const options = {
    translationStrategy: pick(TRANSLATION_STRATEGIES),
    scopeInfoEnabled: random() < 0.5,
    targetInfoEnabled: random() < 0.5,
    created: random() < 0.5,
    ...(random() < 0.2 && { resourceConstantLabels: /./ }),
  };
  const made = new PrometheusText(dialect, options);
  made.update(columnsOf(metrics, () => {}));
  try {
    for (const family of parseStrictly(
      made.toString(),
      dialect.openMetrics ? 'openmetrics' : 'text',
    ).values())
      samples += family.samples.length;
  } catch (error) {
    fail(i, `${JSON.stringify({ dialect, options })} ${String(error)}`, made.toString());
  }
  if (!hasPromtool) continue;
  // Names of their own, so that many registries make one valid text.
  for (const { metrics: ofScope } of metrics.scopeMetrics)
    for (const { descriptor } of ofScope) (descriptor as { name: string }).name = `r${i}x${descriptor.name}`;
  const text = new PrometheusText(
    { openMetrics: false, escaping: dialect.openMetrics ? 'underscores' : 'values' },
    { ...options, targetInfoEnabled: false },
  );
  text.update(columnsOf(metrics, () => {}));
  batch += text.toString();
  if ((i + 1) % BATCH !== 0 && i + 1 < count) continue;
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: batch,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === PARSE_ERROR || status === null) fail(i, `promtool: ${stderr.slice(0, 500)}`, batch);
  judged = i + 1;
  batch = '';
}
console.log(
  `${count} registries, ${samples} samples, seed ${seed}: the strict parser read all, promtool ${hasPromtool ? judged : 'is missing'}`,
);
