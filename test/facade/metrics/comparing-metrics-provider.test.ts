import { diag, DiagLogLevel } from '@opentelemetry/api';
import { expect } from 'chai';
import { ComparingMetricsProvider, type MetricsComparison } from '../../../src/index.ts';
import { BY_NAME_SCOPE } from '../../../src/base/by-name-scope.ts';
import { endMetricsThreads, MetricsThread } from '../../support/metrics-thread.ts';

describe('ComparingMetricsProvider', () => {
  let metrics: ComparingMetricsProvider;
  const infos: string[] = [];
  beforeEach(() => {
    infos.length = 0;
    const quiet = (): void => {};
    const info = (message: string): void => void infos.push(message);
    diag.setLogger(
      { error: quiet, warn: quiet, info, debug: quiet, verbose: quiet },
      { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true },
    );
    metrics = new ComparingMetricsProvider();
  });
  afterEach(async () => {
    await endMetricsThreads();
    await metrics.shutdown();
    diag.disable();
  });

  const costOf = (comparison: MetricsComparison, operation: string): MetricsComparison['costs'][number] =>
    comparison.costs.find((cost) => cost.operation === operation)!;

  it('records on both sides, finds them equal, and tells what each costs', async () => {
    const counter = metrics.counter('c_total', 'C', { labelNames: ['way'] });
    const gauge = metrics.gauge('g', 'G');
    const histogram = metrics.histogram('h', 'H', [1, 10]);
    for (let i = 0; i < 5000; i++) {
      counter.labels({ way: i % 3 }).inc();
      gauge.set(i);
      gauge.inc(0.5);
      gauge.dec();
      histogram.observe(i % 20);
    }
    expect(counter.labels({ way: 0 }).value()).to.equal(1667);
    expect(gauge.value()).to.equal(4998.5);
    expect(histogram.stats().count).to.equal(5000);
    expect(metrics.exportPrometheus()).to.include('c_total{way="0"} 1667\n');
    expect(metrics.exportJson().scopes[0]!.name).to.equal(BY_NAME_SCOPE);
    const comparison = metrics.comparison();
    expect(comparison.differences).to.deep.equal([]);
    expect(comparison.series).to.equal(5);
    expect(comparison.costs.map(({ operation }) => operation).sort()).to.deep.equal([
      'counter.inc',
      'counter.value',
      'exportJson',
      'exportPrometheus',
      'gauge.inc',
      'gauge.set',
      'gauge.value',
      'histogram.observe',
      'histogram.stats',
    ]);
    const inc = costOf(comparison, 'counter.inc');
    expect(inc.calls).to.equal(5000);
    expect(inc.timed).to.be.within(20, 1000); // one in 32, at random
    expect(inc.seqlockNanos).to.be.within(0, 1e6);
    expect(inc.standardNanos).to.be.within(1, 1e6);
    expect(costOf(comparison, 'exportJson')).to.deep.include({ calls: 1, timed: 1 });
    await metrics.shutdown();
    expect(infos.at(-1)).to.match(
      /compared 5 series in seqlock and standard mode: no differences\. Cost: .*counter\.inc \d+ and \d+ ns/,
    );
  });

  it('finds what another thread did, which the standard side does not see', async () => {
    const counter = metrics.counter('jobs_total', 'Jobs');
    const histogram = metrics.histogram('size', 'Size', [1, 10, 100]);
    counter.incBy(2);
    histogram.observe(5);
    expect(metrics.comparison().differences).to.deep.equal([]);
    await new MetricsThread().ask({ do: 'record', times: 3 });
    const { differences } = metrics.comparison();
    expect(differences[0]).to.deep.equal({
      metric: 'jobs_total',
      labels: {},
      field: 'value',
      seqlock: 5,
      standard: 2,
    });
    expect(differences.map(({ metric, field }) => `${metric} ${field}`)).to.deep.equal([
      'jobs_total value',
      'size count',
      'size sum',
      'size min',
      'size bucket 1',
      'size bucket 10',
      'size bucket 100',
      'size bucket Infinity',
    ]);
    await metrics.shutdown();
    expect(infos.at(-1)).to.include(
      '8 differences, the first in jobs_total {}: value is 5 in seqlock mode and 2 in standard mode',
    );
  });
});
