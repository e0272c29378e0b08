import { diag, DiagLogLevel } from '@opentelemetry/api';
import { expect } from 'chai';
import { createRequire } from 'node:module';
import { MetricColumn } from '../../src/collect/rows/column.ts';
import { numberLayout } from '../../src/collect/rows/number.ts';
import { DataPoints } from '../../src/export/data-points.ts';
import { columnsOf } from '../../src/export/foreign-metrics.ts';
import { MetricSource } from '../../src/collect/metric-source.ts';
import type { ExpositionOptions } from '../../src/export/family-plan.ts';
import { ByteText } from '../../src/export/byte-text.ts';
import { PrometheusPage, PrometheusText } from '../../src/export/prometheus-text.ts';
import { ESCAPING_SCHEMES, TRANSLATION_STRATEGIES } from '../../src/export/prometheus-name.ts';
import { SeqlockMetricReader } from '../../src/facade/metric-reader.ts';
import { TextFamily } from '../../src/export/text-family.ts';
import { parseStrictly } from './strict-parser.ts';
import { randomMetrics, randomOf } from './random-metrics.ts';
import { opened, shutDownOpened } from '../support/opened.ts';

const parseElsewhere = createRequire(import.meta.url)('parse-prometheus-text-format') as (text: string) => {
  name: string;
  type: string;
  metrics: {
    value?: string;
    labels?: Record<string, string>;
    buckets?: Record<string, string>;
    count?: string;
    sum?: string;
  }[];
}[];

const TEXT = { openMetrics: false, escaping: 'underscores' } as const;
const OPEN = { openMetrics: true, escaping: 'underscores' } as const;

function setUp(resource: Record<string, unknown> = {}, attributeValueLengthLimit?: number) {
  const reader = new SeqlockMetricReader();
  const provider = opened({
    readers: [reader],
    resource: { attributes: resource as never },
    ...(attributeValueLengthLimit !== undefined && { attributeValueLengthLimit }),
  });
  const source = new MetricSource(provider.store, {
    resource: { attributes: resource as never },
  });
  const text = (
    options: ExpositionOptions = {},
    dialect: {
      openMetrics: boolean;
      escaping: 'underscores' | 'allow-utf-8' | 'dots' | 'values';
    } = TEXT,
  ) => {
    const made = new PrometheusText(dialect, options);
    made.update(source.columns());
    return made.toString();
  };
  return { reader, provider, source, meter: provider.getMeter('s'), text };
}

/** Lines of samples without scope labels, to compare with. */
const bare = { scopeInfoEnabled: false, targetInfoEnabled: false, created: false };

function warningsOf(run: () => void): string[] {
  const warnings: string[] = [];
  diag.setLogger(
    { warn: (m: string) => warnings.push(m), error() {}, info() {}, debug() {}, verbose() {} },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  try {
    run();
  } finally {
    diag.disable();
  }
  return warnings;
}

/** Calls of a method of all families while `work` runs. */
function callsOf(method: 'grow' | 'update', work: () => void): number {
  const families = TextFamily.prototype;
  const original = families[method] as (...args: unknown[]) => boolean;
  let calls = 0;
  families[method] = function (this: TextFamily, ...args: unknown[]): boolean {
    calls++;
    return original.apply(this, args);
  };
  try {
    work();
  } finally {
    families[method] = original;
  }
  return calls;
}

describe('PrometheusText', () => {
  afterEach(shutDownOpened);

  it('writes counters, gauges and histograms', () => {
    const { meter, reader } = setUp();
    meter
      .createCounter('http.requests', { description: 'a\\b\n"c"', unit: '{request}' })
      .add(3, { route: '/a"\\\n', code: 200 });
    meter.createUpDownCounter('queue').add(-2.5);
    meter
      .createHistogram('took', { unit: 's', advice: { explicitBucketBoundaries: [0.5, 1] } })
      .record(1, { k: 'v' });
    expect(reader.exportPrometheus(bare)).to.equal(
      [
        '# HELP http_requests_total a\\\\b\\n"c"',
        '# TYPE http_requests_total counter',
        'http_requests_total{code="200",route="/a\\"\\\\\\n"} 3',
        '# TYPE queue gauge',
        'queue -2.5',
        '# TYPE took_seconds histogram',
        'took_seconds_bucket{k="v",le="0.5"} 0',
        'took_seconds_bucket{k="v",le="1"} 1',
        'took_seconds_bucket{k="v",le="+Inf"} 1',
        'took_seconds_sum{k="v"} 1',
        'took_seconds_count{k="v"} 1',
        '',
      ].join('\n'),
    );
  });

  it('takes little memory for instruments with one series each, of which there may be many', () => {
    const { meter, text } = setUp();
    const COUNT = 500;
    for (let i = 0; i < COUNT; i++) meter.createCounter(`c${i}`).add(i);
    const { allocUnsafeSlow } = Buffer;
    let bytes = 0;
    Buffer.allocUnsafeSlow = (size) => {
      bytes += size;
      return allocUnsafeSlow(size);
    };
    try {
      expect(text(bare)).to.include('c7_total 7\n');
    } finally {
      Buffer.allocUnsafeSlow = allocUnsafeSlow;
    }
    expect(bytes / COUNT).to.be.below(500);
  });

  it('writes OpenMetrics with units, canonical bounds, _created and EOF', () => {
    const { meter, source, text } = setUp({ 'service.name': 'x' });
    meter.createCounter('sent', { unit: 'By', description: 'a "b"' }).add(3);
    meter
      .createHistogram('took', { unit: 's', advice: { explicitBucketBoundaries: [1, 2_000_000] } })
      .record(1);
    const start = source.read(new DataPoints()).scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.startTime;
    const created = String(start[0] + start[1] / 1e9);
    const lines = text({ scopeInfoEnabled: false }, OPEN).split('\n');
    expect(lines.slice(0, 8)).to.deep.equal([
      '# HELP target Target metadata',
      '# TYPE target info',
      'target_info{service_name="x"} 1',
      '# HELP sent_bytes a \\"b\\"',
      '# TYPE sent_bytes counter',
      '# UNIT sent_bytes bytes',
      'sent_bytes_total 3',
      `sent_bytes_created ${created}`,
    ]);
    expect(lines)
      .to.include('took_seconds_bucket{le="1.0"} 1')
      .and.to.include('took_seconds_bucket{le="2e+06"} 1');
    expect(lines.slice(-2)).to.deep.equal(['# EOF', '']);
  });

  it('labels samples with their scope, its attributes and chosen resource attributes', () => {
    const made = new PrometheusText(TEXT, { resourceConstantLabels: /^host/, targetInfoEnabled: false });
    const start: [number, number] = [1, 0];
    const point = {
      startTime: start,
      endTime: start,
      attributes: { 'otel.scope.name': 'mine', 'host.name': 'p' },
      value: 1,
    };
    const scope = { name: 'n', version: '1', schemaUrl: 'u', attributes: { 'a.b': 'c', name: 'dropped' } };
    const descriptor = { name: 'm', description: '', unit: '', type: 'GAUGE', valueType: 1 };
    const metrics = [{ descriptor, aggregationTemporality: 1, dataPointType: 2, dataPoints: [point] }];
    const source = {
      resource: { attributes: { 'host.name': 'h', other: 'o' } },
      scopeMetrics: [{ scope, metrics }],
    };
    made.update(columnsOf(source as never, () => {}));
    expect(made.toString()).to.equal(
      '# TYPE m gauge\nm{otel_scope_a_b="c",otel_scope_name="mine;n",otel_scope_schema_url="u",otel_scope_version="1",host_name="h;p"} 1\n',
    );
  });

  it('groups a family over scopes, and joins colliding labels', () => {
    const { provider, text } = setUp();
    for (const scope of ['p', 'q'])
      provider.getMeter(scope).createGauge('g').record(1, { 'a.b': 'x', a_b: 'y', le: 'z' });
    expect(text()).to.equal(
      '# TYPE g gauge\ng{otel_scope_name="p",a_b="x;y",le="z"} 1\ng{otel_scope_name="q",a_b="x;y",le="z"} 1\n',
    );
  });

  it('leaves out what is called like another of different type, and names both', () => {
    const { meter, text } = setUp({ a: 1 });
    meter.createCounter('x').add(1);
    meter.createGauge('x.total').record(1);
    meter.createHistogram('h').record(1);
    meter.createGauge('h_bucket').record(1);
    meter.createGauge('target.info').record(1);
    let made = '';
    const warnings = warningsOf(() => (made = text(bare) + text()));
    expect(warnings.filter((w) => w.includes('"x.total"') && w.includes('"x"'))).to.have.length(2);
    expect(warnings.filter((w) => w.includes('"h_bucket"') && w.includes('"h"'))).to.have.length(2);
    expect(warnings.filter((w) => w.includes('target.info') && w.includes('the resource'))).to.have.length(1);
    parseStrictly(text());
    expect(made).to.include('x_total 1\n').and.not.include('x_total gauge');
  });

  it('leaves out attributes that are the same labels, and names both', () => {
    const { meter, text } = setUp();
    const gauge = meter.createGauge('g');
    gauge.record(1, { k: 1 });
    gauge.record(2, { k: '1' });
    gauge.record(3, { k: '1', empty: '' });
    let made = '';
    const warnings = warningsOf(() => (made = text(bare)));
    expect(made).to.equal('# TYPE g gauge\ng{k="1"} 1\n');
    expect(warnings.join()).to.include('{"k":1}').and.to.include('{"k":"1"}');
  });

  it('keeps labels apart whose hashes are equal', () => {
    const labels = new ByteText();
    const seen = new Map<number, number>();
    let alike: number[] | undefined;
    for (let i = 0; alike === undefined; i++) {
      labels.clear();
      labels.text(`k="${i}"`);
      const hash = labels.hash();
      const other = seen.get(hash);
      if (other !== undefined) alike = [other, i];
      seen.set(hash, i);
    }
    const { meter, text } = setUp();
    const gauge = meter.createGauge('g');
    for (const k of alike) gauge.record(1, { k: String(k) });
    expect(text(bare)).to.equal(`# TYPE g gauge\n${alike.map((k) => `g{k="${k}"} 1\n`).join('')}`);
  });

  it('that is longer than a string can be is an error that says what to do, and has pieces none the less', () => {
    const { meter, source } = setUp();
    const counter = meter.createCounter('c');
    for (let i = 0; i < 3000; i++) counter.add(1, { i, pad: 'x'.repeat(100) });
    const columns = source.columns();
    const page = new PrometheusPage(100_000);
    for (let call = 0; call < 2; call++)
      expect(() => page.of(columns, {}))
        .to.throw(
          /has \d+ bytes, and a string can have 100000 at most\. Serve it with createPrometheusHandler/,
        )
        .with.property('code', 'E_LENGTH');
    const text = new PrometheusText(TEXT);
    text.update(columns);
    const { pieces, length } = text.body();
    expect(length).to.be.above(250_000);
    expect(Math.max(...pieces.map((piece) => piece.length))).to.be.below(100_000);
    expect(new PrometheusPage(length).of(columns, {})).to.have.length(length);
    expect(() => new PrometheusPage(length - 1).of(columns, {})).to.throw('record fewer series');
  });

  it('quotes names that need it, and escapes them as asked', () => {
    const { meter, text } = setUp();
    meter.createGauge('my.gauge').record(1, { 'a.b': 'x', ok_: 'y' });
    const under = (escaping: 'allow-utf-8' | 'underscores' | 'dots' | 'values') =>
      text({ ...bare, translationStrategy: 'NoTranslation' }, { openMetrics: false, escaping });
    expect(under('allow-utf-8')).to.equal('# TYPE "my.gauge" gauge\n{"my.gauge","a.b"="x",ok_="y"} 1\n');
    expect(under('underscores')).to.equal('# TYPE my_gauge gauge\nmy_gauge{a_b="x",ok_="y"} 1\n');
    expect(under('dots')).to.equal('# TYPE my_dot_gauge gauge\nmy_dot_gauge{a_dot_b="x",ok__="y"} 1\n');
    expect(under('values')).to.equal(
      '# TYPE U__my_2e_gauge gauge\nU__my_2e_gauge{U__a_2e_b="x",ok_="y"} 1\n',
    );
  });

  it('made in slices, goes on where it was, and looks at no family that is done again', () => {
    const { meter, source } = setUp();
    const families = 200;
    for (let i = 0; i < families; i++) meter.createCounter(`c${i}`).add(i);
    const made = new PrometheusText(TEXT);
    const snapshot = source.columns();
    let slices = 0;
    const makeInSlices = (): void => {
      do slices++;
      while (!made.update(snapshot, -Infinity) && slices < 10 * families);
    };
    const grown = callsOf('grow', makeInSlices);
    expect(slices, 'slices').to.be.within(families / 64, 3 * families);
    expect(grown).to.be.at.most(families + slices);
    const whole = new PrometheusText(TEXT);
    whole.update(snapshot);
    expect(made.toString()).to.equal(whole.toString());
    for (let i = 0; i < families; i++) meter.createCounter(`c${i}`).add(1);
    source.columns();
    const again = source.columns();
    expect(callsOf('update', () => made.update(again))).to.equal(families);
  });

  it('is valid without metrics', () => {
    const { text } = setUp();
    expect(text()).to.equal('');
    expect(text({}, OPEN)).to.equal('# EOF\n');
  });

  it('brings a kept text up to date as if it were made anew', () => {
    const { meter, source } = setUp();
    const random = randomOf(7);
    const kept = new PrometheusText(TEXT);
    const counters = [meter.createCounter('c1'), meter.createCounter('c2')];
    const gauge = meter.createGauge('g');
    const histogram = meter.createHistogram('h');
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 100; i++) {
        const attributes = { i: Math.floor(random() * 300), who: 'x'.repeat(random() * 40) };
        counters[i & 1]!.add(random() < 0.5 ? 1 : 10 ** Math.floor(random() * 9), attributes);
        gauge.record(
          random() < 0.3
            ? Math.floor(random() * 1e4)
            : (random() - 0.5) * 10 ** Math.floor(random() * 30 - 10),
          attributes,
        );
        histogram.record(random() * 2e4, attributes);
      }
      kept.update(source.columns());
      const held = kept.body();
      const fresh = new PrometheusText(TEXT);
      fresh.update(source.columns());
      const expected = fresh.toString();
      expect(kept.toString()).to.equal(expected);
      // What is being sent stays as it was while the next text is made.
      gauge.record(round + 0.123456789, { i: 1, who: '' });
      counters[0]!.add(1e6, { i: Math.floor(random() * 300), who: '' });
      kept.update(source.columns());
      expect(Buffer.concat(held.pieces).toString()).to.equal(expected);
      if (round % 2 === 0) held.release();
    }
    parseStrictly(kept.toString());
  });

  it('makes in slices the text that it makes at once, over whatever changes meanwhile', () => {
    const { meter, source } = setUp();
    const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1, 2] } });
    const counter = meter.createCounter('c');
    for (let i = 0; i < 1000; i++) {
      counter.add(i, { i });
      histogram.record(i % 4, { i });
    }
    const made = new PrometheusText(TEXT, bare);
    const inSlices = (meanwhile: (slice: number) => void): number => {
      const snapshot = source.columns();
      let slices = 1;
      for (; !made.update(snapshot, -Infinity); slices++) {
        meanwhile(slices);
      }
      return slices;
    };
    const slices = inSlices((slice) => {
      counter.add(1, { i: slice });
      counter.add(1, { later: slice });
    });
    for (const { labels, value } of parseStrictly(made.toString()).get('c_total')!.samples)
      if (labels['i'] !== undefined) expect(value - Number(labels['i'])).to.be.within(0, 1);
    inSlices(() => {}); // shows what came meanwhile
    const chunks = made.body().pieces.length - 2; // each family has a header
    // 32 rows each, 1000 of the histogram and 1000 of the counter; then the chunks; then nothing is left to do.
    expect(slices).to.be.within(60 + chunks, 64 + chunks);
    expect(inSlices(() => histogram.record(1, { i: 999 }))).to.equal(chunks + 1);
    const whole = new PrometheusText(TEXT, bare);
    const latest = source.columns();
    for (const text of [made, whole]) expect(text.update(latest)).to.equal(true);
    expect(made.toString()).to.equal(whole.toString());
  });

  it('shows a series that ends no more, and others as before', () => {
    const made = new PrometheusText(TEXT, bare);
    const start: [number, number] = [1, 0];
    const series = ['a', 'b', 'c'].map((k) => ({ k }));
    const show = (which: readonly number[], value: number): string => {
      const dataPoints = which.map((i) => ({
        startTime: start,
        endTime: start,
        attributes: series[i]!,
        value,
      }));
      const descriptor = { name: 'm', description: '', unit: '', type: 'GAUGE', valueType: 1 };
      const metrics = [{ descriptor, aggregationTemporality: 1, dataPointType: 2, dataPoints }];
      made.update(
        columnsOf(
          { resource: { attributes: {} }, scopeMetrics: [{ scope: { name: '' }, metrics }] } as never,
          () => {},
        ),
      );
      return made.toString();
    };
    expect(show([0, 1, 2], 1)).to.equal('# TYPE m gauge\nm{k="a"} 1\nm{k="b"} 1\nm{k="c"} 1\n');
    expect(show([0, 2], 2)).to.equal('# TYPE m gauge\nm{k="a"} 2\nm{k="c"} 2\n');
    expect(show([], 2)).to.equal('');
  });

  it('shows a kept column whose rows go and come again', () => {
    const column = new MetricColumn(
      { scope: { name: '' }, name: 'm', unit: '', ...numberLayout('gauge') },
      '',
    );
    const series = ['a', 'b', 'c'].map((k) => ({ k }));
    const made = new PrometheusText(TEXT, bare);
    const show = (which: readonly number[], value: number): string => {
      column.clear();
      for (const i of which) {
        const at = column.open();
        column.values[at] = value;
        column.close(series[i]!, 1000);
      }
      made.update({ resource: { attributes: {} }, columns: [column] });
      return made.toString();
    };
    expect(show([0, 1, 2], 1)).to.equal('# TYPE m gauge\nm{k="a"} 1\nm{k="b"} 1\nm{k="c"} 1\n');
    expect(show([0, 2], 2)).to.equal('# TYPE m gauge\nm{k="a"} 2\nm{k="c"} 2\n');
    expect(show([1, 2], 3)).to.equal('# TYPE m gauge\nm{k="b"} 3\nm{k="c"} 3\n');
    expect(show([1, 0, 2], 3)).to.equal('# TYPE m gauge\nm{k="b"} 3\nm{k="a"} 3\nm{k="c"} 3\n');
    expect(show([], 3)).to.equal('');
  });

  it('takes a label of a megabyte and a description of any text', () => {
    const { meter, text } = setUp({}, Infinity);
    const huge = '"\\\n'.repeat(350_000);
    meter.createGauge('g', { description: '\n\\"\r\0\ud800' }).record(1, { huge });
    const family = parseStrictly(text()).get('g')!;
    expect(family.samples[0]!.labels['huge']).to.equal(huge);
    expect(family.help).to.equal('\n\\"\r\ufffd\ufffd');
  });

  it('is read alike by another parser', () => {
    const { meter, reader } = setUp();
    meter.createCounter('c', { description: 'help' }).add(1.5, { a: 'x y', b: 'ü' });
    meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1, 2] } }).record(1.5);
    const [counter, histogram] = parseElsewhere(reader.exportPrometheus(bare));
    expect(counter).to.deep.include({ name: 'c_total', type: 'COUNTER', help: 'help' });
    expect(counter!.metrics).to.deep.equal([{ value: '1.5', labels: { a: 'x y', b: 'ü' } }]);
    expect(histogram!.metrics).to.deep.equal([
      { buckets: { '1': '0', '2': '1', '+Inf': '1' }, count: '1', sum: '1.5' },
    ]);
  });

  const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
  it(`makes valid text of whatever it is given (seed: ${SEED})`, () => {
    const random = randomOf(SEED);
    for (let i = 0; i < 2000; i++) {
      const source = columnsOf(randomMetrics(random), () => {});
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
      const dialect = { openMetrics: random() < 0.5, escaping: pick(ESCAPING_SCHEMES) };
      const options = {
        translationStrategy: pick(TRANSLATION_STRATEGIES),
        scopeInfoEnabled: random() < 0.5,
        targetInfoEnabled: random() < 0.5,
        ...(random() < 0.2 && { resourceConstantLabels: /./ }),
      };
      const made = new PrometheusText(dialect, options);
      made.update(source);
      const text = made.toString();
      try {
        parseStrictly(text, dialect.openMetrics ? 'openmetrics' : 'text');
      } catch (error) {
        throw new Error(
          `case ${i} ${JSON.stringify({ dialect, options })}: ${String(error)}\n${text.slice(0, 3000)}`,
          { cause: error },
        );
      }
    }
  });
});
