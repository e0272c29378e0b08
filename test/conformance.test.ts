/** docs/conformance.md: every test it names exists, and what no other test shows. */
import { ValueType } from '@opentelemetry/api';
import { AggregationType, type ExponentialHistogram } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeProvider, shutDownProviders } from './support/provider.ts';

interface Row {
  readonly what: string;
  readonly level: string;
  readonly here: string;
  readonly test: string;
}

const rows: Row[] = readFileSync('docs/conformance.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| what'))
  .map((line) => {
    const [, what, level, , here, test] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { what: what!, level: level!, here: here!, test: test! };
  });

/** Titles of the tests of a file. A title with something put in ends there. */
function titlesOf(file: string): string[] {
  const path = join('test', file);
  if (!existsSync(path)) return [];
  return [...readFileSync(path, 'utf8').matchAll(/\bit\(\s*(['"`])((?:(?!\1|\$\{)[\s\S])+)/g)].map(
    ([, , title]) => title!.trim(),
  );
}

describe('docs/conformance.md', () => {
  afterEach(shutDownProviders);

  it('names a test that exists in every row but those that say no', () => {
    expect(rows.length).to.be.above(60);
    for (const { what, here, test } of rows) {
      if (/^no\b/.test(here)) continue;
      for (const named of test.split(/; (?=`)/)) {
        const [, file, title] = /^`([^`]+)`: (.+)$/.exec(named) ?? [];
        expect(file, `the test of: ${what}`).to.be.a('string');
        const titles = titlesOf(file!).map((found) => found.replace(/ \(seed:\s*$/, ''));
        expect(titles, what).to.include(title);
      }
    }
  });

  it('says yes in every row that the specification has as MUST', () => {
    const others = rows.filter(({ level, here }) => level.includes('MUST') && !/^yes\b/.test(here));
    expect(others.map(({ what }) => what)).to.deep.equal([]);
  });

  it('has views and readers of each provider for its own instruments', () => {
    const renamed = makeProvider(undefined, { views: [{ instrumentName: 'c', name: 'renamed' }] });
    const plain = makeProvider();
    for (const { meter } of [renamed, plain]) meter.createCounter('c').add(1);
    const names = [renamed, plain].map(({ metrics }) => metrics().map(({ descriptor }) => descriptor.name));
    expect(names).to.deep.equal([['renamed'], ['c']]);
  });

  it('takes attributes of any number and length', () => {
    const { meter, points } = makeProvider(undefined, { attributeValueLengthLimit: Infinity });
    const attributes = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`key${i}`, i === 0 ? 'x'.repeat(20_000) : i]),
    );
    for (let i = 0; i < 2; i++) meter.createCounter('c', { valueType: ValueType.INT }).add(1, attributes);
    expect(points('c')).to.deep.equal([{ attributes, value: 2 }]);
  });

  it('gives exponential histograms 160 buckets, and streams 2,000 series, where nobody says otherwise', () => {
    const { meter, value, points } = makeProvider(undefined, {
      views: [{ instrumentName: 'h', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
    });
    const bucketsFor = (steps: number): { scale: number; buckets: number } => {
      const histogram = meter.createHistogram('h');
      histogram.record(2 ** (steps / 8));
      const { scale, positive } = value('h') as ExponentialHistogram;
      return { scale, buckets: positive.bucketCounts.length };
    };
    bucketsFor(0.5);
    expect(bucketsFor(159.5)).to.deep.equal({ scale: 3, buckets: 160 });
    expect(bucketsFor(160.5)).to.deep.equal({ scale: 2, buckets: 81 });
    const counter = meter.createCounter('c');
    for (let id = 0; id < 2000; id++) counter.add(1, { id });
    expect(points('c')).to.have.length(2000);
    counter.add(1, { id: 2000 });
    expect(points('c')).to.have.length(2001);
    expect(points('c')[0]).to.deep.equal({ attributes: { 'otel.metric.overflow': true }, value: 1 });
  });

  it('gives all points of a collection one end time', async () => {
    const { meter, reader } = makeProvider();
    for (const name of ['a', 'b']) {
      meter.createCounter(name).add(1);
      meter.createObservableGauge(`${name}.observed`).addCallback(async (result) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        for (const k of [1, 2]) result.observe(k, { k });
      });
    }
    const { resourceMetrics } = await reader.collect();
    const ends = resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ dataPoints }) => dataPoints.map(({ endTime }) => endTime.join())),
    );
    expect(ends).to.have.length(6);
    expect(new Set(ends).size).to.equal(1);
  });
});
