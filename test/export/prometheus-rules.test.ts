/**
 * Rules of the Prometheus formats, and of the OpenTelemetry specification for exporting to them, one test each: those that no test of a single file
 * states. What the whole is put together from is tested in `prometheus-text`, `prometheus-name`, `prometheus-protobuf` and `prometheus-handler`.
 */
import { expect } from 'chai';
import { systemClock } from '../../src/base/platform.ts';
import { columnsOf } from '../../src/export/foreign-metrics.ts';
import type { Dialect, ExpositionOptions } from '../../src/export/family-plan.ts';
import { sourceOf } from '../../src/export/metric-producer.ts';
import { valueText } from '../../src/export/label-text.ts';
import { PrometheusText } from '../../src/export/prometheus-text.ts';
import { SeqlockMetricReader } from '../../src/facade/metric-reader.ts';
import { opened, shutDownOpened } from '../support/opened.ts';
import { collectWarnings } from '../support/warnings.ts';
import { parseStrictly } from './strict-parser.ts';

const TEXT: Dialect = { openMetrics: false, escaping: 'underscores' };
const OPEN: Dialect = { openMetrics: true, escaping: 'underscores' };
const BARE: ExpositionOptions = { scopeInfoEnabled: false, targetInfoEnabled: false, created: false };

function setUp(resource: Record<string, unknown> = {}) {
  const reader = new SeqlockMetricReader();
  const provider = opened({
    readers: [reader],
    resource: { attributes: resource as never },
    attributeValueLengthLimit: Infinity,
  });
  const text = (options: ExpositionOptions = BARE, dialect: Dialect = TEXT): string => {
    const made = new PrometheusText(dialect, options);
    made.update(sourceOf(reader.producer)!.columns());
    return made.toString();
  };
  return { provider, reader, meter: provider.getMeter('s'), text };
}

function warningsOf(run: () => void): readonly string[] {
  const { warnings, stop } = collectWarnings();
  try {
    run();
  } finally {
    stop();
  }
  return warnings;
}

/** A metric of another producer, with one point. */
function foreign(metric: object, value: unknown, more: object = {}) {
  const point = { startTime: [1, 0], endTime: [2, 0], attributes: {}, value, ...more };
  const scope = { name: '' };
  return {
    resource: { attributes: {} },
    scopeMetrics: [
      {
        scope,
        metrics: [
          {
            descriptor: { name: 'm', description: '', unit: '' },
            aggregationTemporality: 1,
            dataPoints: [point],
            ...metric,
          },
        ],
      },
    ],
  } as never;
}

describe('rules of the Prometheus formats', () => {
  afterEach(shutDownOpened);

  it('no description, no HELP', () => {
    const { meter, text } = setUp();
    meter.createCounter('c').add(1);
    expect(text()).to.equal('# TYPE c_total counter\nc_total 1\n');
  });

  it('UNIT is a line of OpenMetrics alone, after which the name ends', () => {
    const { meter, text } = setUp();
    meter.createGauge('latency', { unit: 'ms' }).record(1);
    expect(text()).to.equal('# TYPE latency_milliseconds gauge\nlatency_milliseconds 1\n');
    expect(text(BARE, OPEN)).to.include('# UNIT latency_milliseconds milliseconds\n');
  });

  it('the unit stands before _total, and neither comes twice', () => {
    const { meter, text } = setUp();
    meter.createCounter('sent', { unit: 'By' }).add(1);
    meter.createCounter('read_bytes_total', { unit: 'By' }).add(1);
    expect([...parseStrictly(text()).keys()]).to.deep.equal(['sent_bytes_total', 'read_bytes_total']);
  });

  it('an OpenMetrics counter is named without _total, its samples with it', () => {
    const { meter, text } = setUp();
    meter.createCounter('c', { description: 'd' }).add(1);
    expect(text(BARE, OPEN)).to.equal('# HELP c d\n# TYPE c counter\nc_total 1\n# EOF\n');
  });

  it('descriptions that differ keep all points; the first is shown, and the other named', () => {
    const { provider, text } = setUp();
    provider.getMeter('p').createGauge('g', { description: 'first' }).record(1);
    provider.getMeter('q').createGauge('g', { description: 'second' }).record(2);
    let made = '';
    const warnings = warningsOf(() => (made = text({ targetInfoEnabled: false })));
    expect(made).to.include('# HELP g first\n').and.not.include('second');
    expect(
      parseStrictly(made)
        .get('g')!
        .samples.map(({ value }) => value),
    ).to.deep.equal([1, 2]);
    expect(warnings.join()).to.include('"second"').and.include('"first"');
  });

  it('no sample has a timestamp', () => {
    const { meter, text } = setUp({ a: 1 });
    meter.createCounter('c').add(1);
    meter.createHistogram('h').record(1);
    for (const dialect of [TEXT, OPEN])
      for (const line of text({}, dialect)
        .split('\n')
        .filter((one) => one !== '' && !one.startsWith('#')))
        expect(line).to.match(/^[^ {]+(\{.*\})? [^ ]+$/);
  });

  it('up-down counters and gauges are gauges, monotonic sums counters', () => {
    const { meter, text } = setUp();
    meter.createUpDownCounter('u').add(-1);
    meter.createGauge('g').record(1);
    meter.createCounter('c').add(1);
    const types = [...parseStrictly(text()).values()].map(({ name, type }) => [name, type]);
    expect(types).to.deep.equal([
      ['u', 'gauge'],
      ['g', 'gauge'],
      ['c_total', 'counter'],
    ]);
  });

  it('a ratio is a gauge in 1, and nothing else in 1', () => {
    const { meter, text } = setUp();
    meter.createGauge('g', { unit: '1' }).record(1);
    meter.createCounter('c', { unit: '1' }).add(1);
    meter.createHistogram('h', { unit: '1' }).record(1);
    meter.createUpDownCounter('u', { unit: '1' }).add(1);
    expect([...parseStrictly(text()).keys()]).to.deep.equal(['g_ratio', 'c_total', 'h', 'u']);
  });

  it('buckets are cumulative, +Inf is the count, minimum and maximum are not shown', () => {
    const { meter, text } = setUp();
    const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1, 10] } });
    for (const value of [0.5, 1, 5, 50]) histogram.record(value);
    expect(text().split('\n').slice(1, -1)).to.deep.equal([
      'h_bucket{le="1"} 2',
      'h_bucket{le="10"} 3',
      'h_bucket{le="+Inf"} 4',
      'h_sum 56.5',
      'h_count 4',
    ]);
  });

  it('OpenMetrics has no sum and no count of a histogram with negative bounds', () => {
    const value = { count: 1, sum: -1, buckets: { boundaries: [-5, 5], counts: [0, 1, 0] } };
    const made = new PrometheusText(OPEN, BARE);
    made.update(columnsOf(foreign({ dataPointType: 0 }, value), () => {}));
    expect(made.toString()).to.not.match(/_sum|_count/);
    parseStrictly(made.toString(), 'openmetrics');
  });

  it('totals are cumulative, whatever temporality the reader has', async () => {
    const reader = new SeqlockMetricReader({ aggregationTemporalitySelector: () => 0 });
    const counter = opened({ readers: [reader] })
      .getMeter('')
      .createCounter('c');
    for (let i = 0; i < 2; i++) {
      counter.add(2);
      await reader.collect();
    }
    expect(reader.exportPrometheus({ targetInfoEnabled: false })).to.equal(
      '# TYPE c_total counter\nc_total 4\n',
    );
  });

  it('delta points of another producer are left out, and named', () => {
    const told: string[] = [];
    const { columns } = columnsOf(
      foreign({ dataPointType: 3, isMonotonic: true, aggregationTemporality: 0 }, 1),
      (metric, reason) => told.push(`${metric}: ${reason}`),
    );
    expect(columns).to.deep.equal([]);
    expect(told).to.deep.equal(['m: its temporality is delta, and Prometheus needs cumulative metrics']);
  });

  it('points of a type that is not known, such as summaries, are left out, and named', () => {
    const told: string[] = [];
    const { columns } = columnsOf(foreign({ dataPointType: 4 }, {}), (metric, reason) =>
      told.push(`${metric}: ${reason}`),
    );
    expect(columns).to.deep.equal([]);
    expect(told).to.deep.equal(['m: its data points have a type that this version does not know']);
  });

  it('the translation strategy comes first, and then the escaping that is asked for', () => {
    const { meter, text } = setUp();
    meter.createCounter('foo.bar', { unit: 'By' }).add(1);
    const nameOf = (
      translationStrategy: ExpositionOptions['translationStrategy'],
      escaping: Dialect['escaping'],
    ) =>
      /^\{?"?(foo[^" ]*)"?\}? 1$/m.exec(
        text({ ...BARE, translationStrategy: translationStrategy! }, { openMetrics: false, escaping }),
      )?.[1];
    // The table of the specification.
    for (const [strategy, underscores, utf8] of [
      ['UnderscoreEscapingWithSuffixes', 'foo_bar_bytes_total', 'foo_bar_bytes_total'],
      ['UnderscoreEscapingWithoutSuffixes', 'foo_bar', 'foo_bar'],
      ['NoUTF8EscapingWithSuffixes', 'foo_bar_bytes_total', 'foo.bar_bytes_total'],
      ['NoTranslation', 'foo_bar', 'foo.bar'],
    ] as const)
      expect([nameOf(strategy, 'underscores'), nameOf(strategy, 'allow-utf-8')]).to.deep.equal([
        underscores,
        utf8,
      ]);
  });

  it('NaN and the infinities are spelled as Prometheus does', () => {
    const { meter, text } = setUp();
    const gauge = meter.createGauge('g');
    for (const [k, value] of Object.entries({ a: NaN, b: Infinity, c: -Infinity }))
      gauge.record(value, { k });
    expect(text().split('\n').slice(1, 4)).to.deep.equal(['g{k="a"} NaN', 'g{k="b"} +Inf', 'g{k="c"} -Inf']);
  });

  it('values that are no strings are their JSON, and a label without a value is none', () => {
    const { meter, text } = setUp();
    meter
      .createGauge('g')
      .record(1, { array: ['a', 1] as never, bool: true, empty: '', nothing: null as never, number: 1.5 });
    expect(text()).to.include('g{array="[\\"a\\",1]",bool="true",number="1.5"} 1\n');
    expect([NaN, -Infinity, new Uint8Array([1, 2]), [null, 'x'], 1e21].map(valueText)).to.deep.equal([
      'NaN',
      '-Infinity',
      'AQI=',
      '[null,"x"]',
      '1e+21',
    ]);
  });

  describe('labels that collide', () => {
    const OF_SCOPE = { name: 's', version: '1', schemaUrl: 'u' };
    const RESOURCE = { 'host.name': 'h', le: 'resource' };
    const texts = (
      points: readonly (readonly [object, object])[],
      options: ExpositionOptions = {},
      escaping: Dialect['escaping'] = 'underscores',
    ): string => {
      const descriptor = { name: 'm', description: '', unit: '', type: 'GAUGE', valueType: 1 };
      const scopeMetrics = points.map(([scope, attributes], i) => ({
        scope,
        metrics: [
          {
            descriptor,
            aggregationTemporality: 1,
            dataPointType: 2,
            dataPoints: [{ startTime: [1, 0], endTime: [1, 0], attributes, value: i }],
          },
        ],
      }));
      const made = new PrometheusText(
        { openMetrics: false, escaping },
        { targetInfoEnabled: false, ...options },
      );
      made.update(columnsOf({ resource: { attributes: RESOURCE }, scopeMetrics } as never, () => {}));
      const text = made.toString();
      parseStrictly(text);
      return text.split('\n').slice(1, -1).join('\n');
    };

    it('an attribute and the scope: their values are joined, in the order of their keys', () => {
      expect(texts([[OF_SCOPE, { 'otel.scope.name': 'mine' }]])).to.equal(
        'm{otel_scope_name="mine;s",otel_scope_schema_url="u",otel_scope_version="1"} 0',
      );
      expect(texts([[OF_SCOPE, { otel_scope_version: 'mine', a: 'b' }]])).to.equal(
        'm{otel_scope_name="s",otel_scope_schema_url="u",otel_scope_version="1;mine",a="b"} 0',
      );
      expect(texts([[{ name: 's' }, { otel_scope_schema_url: 'mine' }]])).to.equal(
        'm{otel_scope_name="s",otel_scope_schema_url="mine"} 0',
      );
      expect(texts([[{ name: 's', attributes: { k: 1 } }, { 'otel.scope.k': 2 }]])).to.equal(
        'm{otel_scope_k="2;1",otel_scope_name="s"} 0',
      );
    });

    it('an attribute and a resource attribute that is a label of every sample', () => {
      const options = { resourceConstantLabels: ['host.name', 'le'] };
      expect(texts([[{ name: '' }, { host_name: 'mine', z: '1' }]], options)).to.equal(
        'm{exported_le="resource",host_name="h;mine",z="1"} 0',
      );
    });

    it('scope attributes with one another are joined; with name, version and schema URL they are dropped, and named', () => {
      const attributes = { 'a.b': 1, a_b: 2, 'schema.url': 3, version: 4 };
      let text = '';
      const warnings = warningsOf(() => (text = texts([[{ name: 's', attributes }, {}]])));
      expect(text).to.equal('m{otel_scope_a_b="1;2",otel_scope_name="s"} 0');
      expect(warnings).to.have.length(2);
      expect(warnings.join()).to.include('"schema.url"').and.to.include('"version"');
      // Names that are not translated do not collide.
      const shown = warningsOf(
        () =>
          (text = texts(
            [[{ name: 's', attributes: { 'schema.url': 3 } }, {}]],
            { translationStrategy: 'NoTranslation' },
            'allow-utf-8',
          )),
      );
      expect(text).to.include('"otel_scope_schema.url"="3"');
      expect(shown).to.deep.equal([]);
    });

    it('samples that are alike are found, whoever their labels are of', () => {
      const scoped = [{ name: 's', version: '1' }, { k: 'x' }] as const;
      const own = [{ name: 's' }, { k: 'x', 'otel.scope.version': '1' }] as const;
      for (const points of [
        [scoped, own],
        [own, scoped],
      ]) {
        let text = '';
        const warnings = warningsOf(() => (text = texts(points)));
        expect(text).to.equal('m{otel_scope_name="s",otel_scope_version="1",k="x"} 0');
        expect(warnings.join()).to.include('become the same labels');
      }
    });

    it('a label of every sample is one of target_info too', () => {
      const { meter, text } = setUp({ 'process.owner': 'me', 'host.name': 'h' });
      meter.createGauge('g').record(1);
      expect(text({ resourceConstantLabels: ['process.owner'] })).to.include(
        'target_info{host_name="h",process_owner="me"} 1\n',
      );
    });
  });

  it('a label begins with a letter or _, and no __ is in it', () => {
    const { meter, text } = setUp();
    meter.createGauge('g').record(1, { '1abc': 'a', 'b..c': 'b', 日本: 'c' });
    expect(text()).to.include('g{_="c",b_c="b",key_1abc="a"} 1\n');
  });

  it('target_info is there once, a gauge of 1 with all resource attributes; those that become one label are joined', () => {
    const { provider, text } = setUp({ 'service.name': 'x', 'a.b': '1', a_b: '2' });
    for (const scope of ['p', 'q']) provider.getMeter(scope).createGauge('g').record(1);
    const info = parseStrictly(text({})).get('target_info')!;
    expect(info.type).to.equal('gauge');
    expect(info.samples).to.deep.equal([
      { name: 'target_info', labels: { ...info.samples[0]!.labels }, value: 1 },
    ]);
    expect({ ...info.samples[0]!.labels }).to.deep.equal({ a_b: '1;2', service_name: 'x' });
    expect(parseStrictly(text({}, OPEN), 'openmetrics').get('target')!.type).to.equal('info');
  });

  it('target_info shows no command line, owner or path of the process, unless it is asked for', () => {
    const { meter, text } = setUp({
      'process.command_args': ['/usr/bin/node', 'app.js', '--db-password=hunter2'],
      'process.command': '/home/alice/app.js',
      'process.command_line': 'node app.js --db-password=hunter2',
      'process.executable.path': '/usr/bin/node',
      'process.executable.name': '/usr/bin/node',
      'process.working_directory': '/home/alice',
      'process.owner': 'alice',
      'process.user.name': 'alice',
      'process.title': 'node app.js --db-password=hunter2',
      'process.pid': '7',
      'service.name': 'x',
    });
    meter.createGauge('g').record(1);
    const labelsOf = (options: ExpositionOptions): Record<string, string> => ({
      ...parseStrictly(text(options)).get('target_info')!.samples[0]!.labels,
    });
    expect(labelsOf({})).to.deep.equal({ process_pid: '7', service_name: 'x' });
    expect(labelsOf({ targetInfoAttributes: ['process.owner'] })).to.deep.equal({
      process_owner: 'alice',
    });
    expect(Object.keys(labelsOf({ targetInfoAttributes: /^process.command/ }))).to.have.length(3);
    expect(text({}, OPEN)).not.to.include('hunter2');
  });

  it('resource attributes are labels of samples only where they are chosen', () => {
    const { meter, text } = setUp({ 'host.name': 'h', 'service.name': 'x' });
    meter.createGauge('g').record(1);
    expect(text(BARE)).to.include('\ng 1\n');
    expect(text({ ...BARE, resourceConstantLabels: ['host.name'] })).to.include('\ng{host_name="h"} 1\n');
    expect(text({ ...BARE, resourceConstantLabels: /^service/ })).to.include('\ng{service_name="x"} 1\n');
  });

  it('options have the names and defaults of the specification', () => {
    const { meter, text } = setUp({ a: 'b' });
    meter.createGauge('g').record(1);
    expect(text({})).to.include('target_info{a="b"} 1\n').and.to.include('\ng{otel_scope_name="s"} 1\n');
    expect(text({ scopeInfoEnabled: true, targetInfoEnabled: true })).to.equal(text({}));
    const bare = text({ scopeInfoEnabled: false, targetInfoEnabled: false, resourceConstantLabels: ['a'] });
    expect(bare).to.equal('# TYPE g gauge\ng{a="b"} 1\n');
  });

  it('the start of a series is its _created in OpenMetrics, unless it is not wanted', () => {
    const { meter, text } = setUp();
    meter.createCounter('c').add(1);
    meter.createGauge('g').record(1);
    const created = text({ ...BARE, created: true }, OPEN);
    expect(created)
      .to.match(/\nc_created \d+(\.\d+)?\n/)
      .and.not.include('g_created');
    expect(text({ ...BARE, created: true }, TEXT)).to.not.include('_created');
  });

  it('an observed counter that was set back has another _created', async () => {
    const { now } = systemClock;
    let [millis, observed] = [Date.now() + 60_000, 5];
    systemClock.now = () => millis;
    try {
      const { meter, reader } = setUp();
      const source = sourceOf(reader.producer)!;
      meter.createObservableCounter('o').addCallback((result) => result.observe(observed));
      const made = new PrometheusText(OPEN, { ...BARE, created: true });
      const created = async (): Promise<number> => {
        millis += 1000;
        await reader.collect();
        made.update(source.columns());
        return Number(/^o_created (\S+)$/m.exec(made.toString())?.[1]);
      };
      const first = await created();
      observed = 8;
      expect(await created()).to.equal(first);
      observed = 2;
      expect(await created()).to.be.above(first);
    } finally {
      systemClock.now = now;
    }
  });

  describe('bad input', () => {
    const HOSTILE = [
      '\u0001\u001f\u007f',
      '"\\',
      '\n\r\t',
      '\ud800',
      '\udfffx',
      '\0',
      '😀',
      'x'.repeat(2 ** 20),
    ];

    it('in label values never makes text that cannot be read, nor two samples alike', () => {
      const { meter, text } = setUp();
      const gauge = meter.createGauge('g');
      HOSTILE.forEach((value, i) => gauge.record(i, { value, i }));
      for (const dialect of [TEXT, OPEN]) {
        const { samples } = parseStrictly(
          text(BARE, dialect),
          dialect.openMetrics ? 'openmetrics' : 'text',
        ).get('g')!;
        expect(samples.map(({ value }) => value)).to.deep.equal(HOSTILE.map((_, i) => i));
        samples.forEach(({ labels }, i) => {
          const expected = HOSTILE[i]!.replaceAll('\0', '\ufffd').replace(/^\ud800$|^\udfff/, '\ufffd');
          if (HOSTILE[i] !== '😀') expect(labels['value']).to.equal(expected);
        });
      }
    });

    it('in attribute keys, metric names and descriptions neither', () => {
      for (const strategy of ['UnderscoreEscapingWithSuffixes', 'NoTranslation'] as const)
        for (const escaping of ['underscores', 'allow-utf-8'] as const)
          for (const openMetrics of [false, true]) {
            const { meter, text } = setUp();
            const { stop } = collectWarnings();
            for (const hostile of HOSTILE) {
              meter.createGauge(`g${hostile}`, { description: hostile }).record(1, { [hostile]: 'v' });
              meter.createCounter(hostile).add(1);
            }
            const made = text({ ...BARE, translationStrategy: strategy }, { openMetrics, escaping });
            stop();
            expect(parseStrictly(made, openMetrics ? 'openmetrics' : 'text').size).to.be.greaterThan(0);
          }
    });

    it('le and quantile as attributes leave histograms whole', () => {
      const { meter, text } = setUp();
      meter.createGauge('g').record(1, { le: 'mine', quantile: '0.5' });
      meter
        .createHistogram('h', { advice: { explicitBucketBoundaries: [1] } })
        .record(1, { le: 'mine', quantile: '0.5' });
      expect(text()).to.include('g{le="mine",quantile="0.5"} 1\n');
      const { samples } = parseStrictly(text()).get('h')!;
      expect(samples.map(({ labels }) => ({ ...labels }))).to.deep.equal([
        { exported_le: 'mine', quantile: '0.5', le: '1' },
        { exported_le: 'mine', quantile: '0.5', le: '+Inf' },
        { exported_le: 'mine', quantile: '0.5' },
        { exported_le: 'mine', quantile: '0.5' },
      ]);
    });

    it('names that collide with another type are dropped with one warning that names both', () => {
      const { meter, text } = setUp();
      meter.createCounter('a.b').add(1);
      meter.createHistogram('a_b_total').record(1);
      let made = '';
      const warnings = warningsOf(() => {
        made = text();
      });
      expect([...parseStrictly(made).keys()]).to.deep.equal(['a_b_total']);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include('"a.b"').and.include('"a_b_total"').and.include('Rename');
    });
  });
});
