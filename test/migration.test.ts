/** The migration guides: "before" and "after" are run, and what they print is the same. */
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { expect } from 'chai';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseStrictly } from './export/strict-parser.ts';
import { SeqlockMetricReader } from '../src/index.ts';
import { opened, shutDownOpened } from './support/opened.ts';
import { runWell } from './support/program.ts';

const FOLDER = resolve('build/migration'); // inside the package, so that its own name and its peers resolve

/** Of the founding specification, in its order. */
const HEADINGS = [
  'Overview',
  'Implementation Status',
  'Completed',
  'Pending',
  'MetricsProvider Trait',
  'Implementations',
  '1. StandardMetricsProvider (Completed)',
  '2. SeqlockMetricsProvider (Pending)',
  'Usage Examples',
  'Basic Usage',
  'Integration with Request Handler',
  'Using the Timer Helper',
  'Factory Function Pattern',
  'Implementation Structure',
  'Core Seqlock Type',
  'Metrics Provider Implementation',
  'Performance Tracking',
  'Key Design Decisions',
  '1. Fixed-Size Histogram Buckets',
  '2. Write-Side Locking',
  '3. Memory Ordering',
  'Integration with KindlyGuard',
  'Factory Function',
  'Configuration',
  'Performance Characteristics',
  'Read Path',
  'Write Path',
  'Memory Usage',
  'Testing Strategy',
  'Correctness Tests',
  'Performance Tests',
  'Stress Tests',
  'Security Considerations',
  'Migration Path',
];

interface Guide {
  readonly text: string;
  /** Runs a block and gives what it prints. */
  readonly run: (block: 'before' | 'after') => Promise<string>;
}

function guideTo(name: string): Guide {
  const text = readFileSync(`docs/${name}.md`, 'utf8');
  const blocks = new Map(
    [...text.matchAll(/```js\n\/\/ (\S+)\.mjs\n([\s\S]*?)```/g)].map(([, block, code]) => [block!, code!]),
  );
  expect([...blocks.keys()]).to.deep.equal(['before', 'after']);
  expect(text.match(/```js/g)).to.have.length(2);
  return {
    text,
    run: async (block) => {
      const file = join(FOLDER, `${name}-${block}.mjs`);
      writeFileSync(file, blocks.get(block)!);
      const { stdout, stderr } = await runWell(process.execPath, [file]);
      expect(stderr).to.equal('');
      return stdout;
    },
  };
}

/** Samples by name and labels; of times, only how many there were: how long they were is for the machine to say. */
function samplesOf(text: string): Map<string, number> {
  const samples = [...parseStrictly(text.trim().replaceAll('\n\n', '\n') + '\n').values()].flatMap(
    (family) => family.samples,
  );
  return new Map(
    samples
      .filter(
        ({ name, labels }) =>
          !name.endsWith('_sum') && (!name.endsWith('_bucket') || labels['le'] === '+Inf'),
      )
      .map(({ name, labels, value }) => [`${name} ${JSON.stringify(Object.entries(labels).sort())}`, value]),
  );
}

describe('migration guides', () => {
  before(() => mkdirSync(FOLDER, { recursive: true }));
  after(() => rmSync(FOLDER, { recursive: true }));

  it('from prom-client: the same samples come out', async () => {
    const { run } = guideTo('migrating-from-prom-client');
    const [before, after] = [samplesOf(await run('before')), samplesOf(await run('after'))];
    expect(after).to.deep.equal(before);
    expect(after.get('http_requests_total [["method","GET"],["status","200"]]')).to.equal(3);
    expect(after.get('http_requests_active []')).to.equal(0);
    expect(after.get('http_request_duration_seconds_count []')).to.equal(2);
  });

  it('from @opentelemetry/sdk-metrics: the same metrics come out, and only the provider changes', async () => {
    const { run, text } = guideTo('migrating-from-sdk-metrics');
    const [before, after] = [await run('before'), await run('after')];
    expect(after).to.equal(before);
    expect(after).to.include('shop\norders {order} {"payment":"card"} 1\n');
    const [old, renewed] = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!.split('\n'));
    const added = renewed!.filter((line) => !old!.includes(line));
    expect(added).to.deep.equal([
      '// after.mjs',
      "import { SeqlockMeterProvider } from 'seqlock-metrics';",
      'const provider = new SeqlockMeterProvider({',
    ]);
  });

  it('from the official Prometheus exporter: the names are those of the table', async () => {
    const text = readFileSync('docs/migrating-from-sdk-metrics.md', 'utf8');
    const rows = [
      ...text.matchAll(
        /^\| (counter|gauge|histogram) `(.+)`, unit `(.+)` \| `(.+)` \| `(.+)` \| `(.+)` \|$/gm,
      ),
    ];
    expect(rows).to.have.length(4);
    const reader = new SeqlockMetricReader();
    const meter = opened({ readers: [reader] }).getMeter('m');
    for (const [, kind, name, unit] of rows)
      if (kind === 'counter') meter.createCounter(name!, { unit: unit! }).add(1);
      else if (kind === 'gauge') meter.createGauge(name!, { unit: unit! }).record(1);
      else meter.createHistogram(name!, { unit: unit! }).record(1);
    const { resourceMetrics } = await reader.collect();
    const namesOf = (exposition: string): string[] =>
      [...exposition.matchAll(/^# TYPE (\S+) /gm)]
        .map(([, name]) => name!)
        .filter((name) => name !== 'target_info');
    expect(namesOf(new PrometheusSerializer().serialize(resourceMetrics))).to.deep.equal(
      rows.map((row) => row[4]),
    );
    expect(namesOf(reader.exportPrometheus())).to.deep.equal(rows.map((row) => row[5]));
    expect(namesOf(reader.exportPrometheus({ withoutUnits: true }))).to.deep.equal(rows.map((row) => row[6]));
    await shutDownOpened();
  });

  it('specification.md has every heading of the founding specification, and names only tests that exist', () => {
    const text = readFileSync('docs/specification.md', 'utf8');
    const headings = [...text.matchAll(/^#{2,3} (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).to.deep.equal(HEADINGS);
    const tests = readdirSync('test', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts'))
      .map((path) => readFileSync(join('test', path), 'utf8'))
      .join('\n');
    const titles = [...text.replaceAll(/\s+/g, ' ').matchAll(/"([a-zA-Z0-9 ,'/]{12,})"/g)].map(
      ([, title]) => title!,
    );
    const benchmarks = ['account of one read', 'write a histogram'];
    expect(titles.length).to.be.above(25);
    expect(titles.filter((title) => !tests.includes(title) && !benchmarks.includes(title))).to.deep.equal([]);
  });
});
