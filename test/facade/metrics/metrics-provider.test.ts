/** The `MetricsProvider` interface: what holds in both modes alike. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  MAX_BUCKETS,
  RESPONSE_TIME_BUCKETS,
  SeqlockMetricsProvider,
  StandardMetricsProvider,
  type MetricsProvider,
} from '../../../src/index.ts';
import { collectWarnings } from '../../support/warnings.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const made: MetricsProvider[] = [];

function keep<P extends MetricsProvider>(provider: P): P {
  made.push(provider);
  return provider;
}

function thrown(work: () => unknown): { readonly code: unknown; readonly message: string } {
  try {
    work();
  } catch (error) {
    return error as { code: unknown; message: string };
  }
  throw new Error('nothing was thrown');
}

/** Not run: the compiler has to refuse what is marked. */
export function typedLabels(metrics: MetricsProvider): void {
  const named = metrics.counter('c', '', { labelNames: ['method', 'status'] });
  named.labels({ method: 'GET', status: 200 }).inc();
  // @ts-expect-error: a label is missing
  named.labels({ method: 'GET' });
  // @ts-expect-error: no such label
  named.labels({ method: 'GET', status: 200, path: '/' });
  // @ts-expect-error: no label value
  named.labels({ method: 'GET', status: {} });
  metrics.gauge('g', '').labels({ any: true, other: 'x' }).set(1);
  metrics.histogram<'path'>('h', '', [1]).labels({ path: '/' }).observe(1);
  // @ts-expect-error: a number is wanted
  metrics.counter('c', '').incBy('5');
}

for (const [mode, make] of [
  ['seqlock', () => keep(new SeqlockMetricsProvider())],
  ['standard', () => keep(new StandardMetricsProvider())],
] as const) {
  describe(`MetricsProvider in ${mode} mode`, () => {
    let { warnings, stop } = collectWarnings();
    beforeEach(() => ({ warnings, stop } = collectWarnings()));
    afterEach(async () => {
      await Promise.all(made.splice(0).map((provider) => provider.shutdown()));
      stop();
    });

    it('does what the founding specification shows under basic usage', () => {
      const metrics = make();
      expect(metrics.mode).to.equal(mode);
      const requests = metrics.counter('http_requests_total', 'Total HTTP requests');
      requests.inc();
      requests.incBy(5);
      const connections = metrics.gauge('active_connections', 'Number of active connections');
      connections.set(10);
      connections.inc();
      expect(connections.value()).to.equal(11);
      connections.dec();
      const times = metrics.histogram(
        'http_response_duration_seconds',
        'HTTP response times',
        [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
      );
      times.observe(0.123);
      expect(requests.value()).to.equal(6);
      expect(connections.value()).to.equal(10);
      const { count, sum, min, max, mean } = times.stats();
      expect({ count, sum, min, max, mean }).to.deep.equal({
        count: 1,
        sum: 0.123,
        min: 0.123,
        max: 0.123,
        mean: 0.123,
      });
      expect(metrics.exportPrometheus()).to.equal(
        [
          '# HELP http_requests_total Total HTTP requests',
          '# TYPE http_requests_total counter',
          'http_requests_total 6',
          '# HELP active_connections Number of active connections',
          '# TYPE active_connections gauge',
          'active_connections 10',
          '# HELP http_response_duration_seconds HTTP response times',
          '# TYPE http_response_duration_seconds histogram',
          'http_response_duration_seconds_bucket{le="0.005"} 0',
          'http_response_duration_seconds_bucket{le="0.01"} 0',
          'http_response_duration_seconds_bucket{le="0.025"} 0',
          'http_response_duration_seconds_bucket{le="0.05"} 0',
          'http_response_duration_seconds_bucket{le="0.1"} 0',
          'http_response_duration_seconds_bucket{le="0.25"} 1',
          'http_response_duration_seconds_bucket{le="0.5"} 1',
          'http_response_duration_seconds_bucket{le="1"} 1',
          'http_response_duration_seconds_bucket{le="2.5"} 1',
          'http_response_duration_seconds_bucket{le="5"} 1',
          'http_response_duration_seconds_bucket{le="10"} 1',
          'http_response_duration_seconds_bucket{le="+Inf"} 1',
          'http_response_duration_seconds_sum 0.123',
          'http_response_duration_seconds_count 1',
          '',
        ].join('\n'),
      );
      const [scope] = metrics.exportJson().scopes;
      expect(scope!.metrics.map(({ name, type }) => [name, type])).to.deep.equal([
        ['http_requests_total', 'counter'],
        ['active_connections', 'gauge'],
        ['http_response_duration_seconds', 'histogram'],
      ]);
      expect(scope!.metrics[0]!.points[0]).to.deep.include({ attributes: {}, value: 6 });
      expect(JSON.parse(JSON.stringify(metrics.exportJson())).schemaVersion).to.equal(1);
      expect(warnings).to.deep.equal([]);
    });

    it(`holds what a plain object would, whatever is recorded (seed: ${SEED})`, () => {
      const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
      const step = fc.oneof(
        fc.record({ do: fc.constant('inc' as const), amount, way: fc.constantFrom('GET', 'PUT') }),
        fc.record({ do: fc.constant('set' as const), amount, way: fc.constantFrom('GET', 'PUT') }),
        fc.record({
          do: fc.constant('add' as const),
          amount: fc.integer({ min: -9, max: 9 }),
          way: fc.constantFrom('GET', 'PUT'),
        }),
        fc.record({ do: fc.constant('observe' as const), amount, way: fc.constantFrom('GET', 'PUT') }),
      );
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const metrics = make();
          const counter = metrics.counter('c_total', '');
          const gauge = metrics.gauge('g', '');
          const histogram = metrics.histogram('h', '', [1, 1000]);
          const model = new Map<string, { sum: number; level: number; observed: number[] }>();
          for (const { do: action, amount: by, way } of steps) {
            const held = model.get(way) ?? { sum: 0, level: 0, observed: [] };
            model.set(way, held);
            if (action === 'inc') {
              counter.labels({ way }).incBy(by);
              held.sum += by;
            } else if (action === 'set') {
              gauge.labels({ way }).set(by);
              held.level = by;
            } else if (action === 'add') {
              gauge.labels({ way }).inc(by);
              held.level += by;
            } else {
              histogram.labels({ way }).observe(by);
              held.observed.push(by);
            }
          }
          for (const [way, { sum, level, observed }] of model) {
            expect(counter.labels({ way }).value()).to.equal(sum);
            expect(gauge.labels({ way }).value()).to.equal(level);
            const stats = histogram.labels({ way }).stats();
            expect(stats.count).to.equal(observed.length);
            expect(stats.sum).to.equal(observed.reduce((total, value) => total + value, 0));
            expect(stats.buckets).to.deep.equal(
              [1, 1000, Infinity].map((upperBound) => ({
                upperBound,
                cumulativeCount: observed.filter((value) => value <= upperBound).length,
              })),
            );
          }
        }),
        { seed: SEED, numRuns: 30 },
      );
    });

    it('gives the same metric to who asks again', () => {
      const metrics = make();
      expect(metrics.counter('c', 'help')).to.equal(metrics.counter('c', 'help'));
      expect(metrics.gauge('g', 'help')).to.equal(metrics.gauge('g', 'help'));
      expect(metrics.histogram('h', 'help', [1, 2])).to.equal(metrics.histogram('h', 'help', [1, 2]));
      expect(metrics.counter('l', '', { labelNames: ['b', 'a'] })).to.equal(
        metrics.counter('l', '', { labelNames: ['a', 'b'] }),
      );
      expect(warnings).to.deep.equal([]);
      expect(metrics.counter('c', 'other').help).to.equal('help');
      metrics.counter('c', 'other');
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include('counter c was made before with the help text "help"');
    });

    it('refuses another metric under a name that is taken', () => {
      const metrics = make();
      metrics.counter('c', '');
      metrics.histogram('h', '', [1, 2]);
      metrics.counter('l', '', { labelNames: ['method'] });
      const refused: [() => unknown, string][] = [
        [() => metrics.gauge('c', ''), 'kind of c is "gauge"; it must be a counter'],
        [() => metrics.histogram('c', '', [1]), 'kind of c is "histogram"; it must be a counter'],
        [() => metrics.counter('h', ''), 'kind of h is "counter"; it must be a histogram'],
        [
          () => metrics.histogram('h', '', [1, 3]),
          'buckets of h is [1,3]; it must be those it was made with, [1,2]',
        ],
        [() => metrics.histogram('h', ''), 'buckets of h is'],
        [() => metrics.counter('C', ''), 'name of a metric is "C"; it must be spelled as before, c'],
        [() => metrics.counter('l', '', { labelNames: ['path'] }), 'labelNames of l is ["path"]'],
        [() => metrics.counter('c', '', { labelNames: ['path'] }), 'labelNames of c is ["path"]'],
      ];
      for (const [work, message] of refused) {
        const error = thrown(work);
        expect(error.code, message).to.equal('E_OPTION');
        expect(error.message).to.include(message);
      }
    });

    it('refuses what is wrong about a metric when it is made, and names it', () => {
      const metrics = make();
      const of = (name: unknown, help: unknown = '', options?: unknown): unknown =>
        metrics.counter(name as string, help as string, options as { labelNames: string[] });
      const h = (buckets: unknown): unknown => metrics.histogram('h', '', buckets as number[]);
      const refused: [() => unknown, string][] = [
        [() => of(''), 'name of a counter is ""'],
        [() => of('1st'), 'name of a counter is "1st"'],
        [() => of('a-b'), 'name of a counter is "a-b"'],
        [() => of('größe'), 'name of a counter is'],
        [() => of(undefined), 'name of a counter is undefined'],
        [() => of(Symbol('x')), 'name of a counter is Symbol(x)'],
        [() => of('c', 7), 'help of c is 7'],
        [() => of('c', '', null), 'options of c is null'],
        [() => of('c', '', { labelNames: 'method' }), 'labelNames of c is "method"'],
        [() => of('c', '', { labelNames: ['a-b'] }), 'label name of c is "a-b"'],
        [() => of('c', '', { labelNames: ['__name__'] }), 'label name of c is "__name__"'],
        [() => of('c', '', { labelNames: ['a', 'a'] }), 'label name of c is "a"; it must be given once'],
        [() => metrics.histogram('h', '', [1], { labelNames: ['le'] }), 'and not le'],
        [() => h([]), 'buckets of h is []; it must be an array of at least one number'],
        [() => h('1'), 'buckets of h is "1"'],
        [() => h([2, 1]), 'buckets of h[1] is 1; it must be above the bound before it, 2'],
        [() => h([1, 1]), 'buckets of h[1] is 1'],
        [() => h([Number.NaN]), 'buckets of h[0] is NaN'],
        [() => h([1, Infinity]), 'buckets of h[1] is Infinity; it must be a finite number'],
        [() => h([-Infinity, 1]), 'buckets of h[0] is -Infinity'],
        [() => h(['1']), 'buckets of h[0] is "1"'],
        [() => h(Array.from({ length: MAX_BUCKETS + 1 }, (_, i) => i)), `"${MAX_BUCKETS + 1} bounds"`],
      ];
      for (const [work, message] of refused) {
        const error = thrown(work);
        expect(error.code, message).to.equal('E_OPTION');
        expect(error.message).to.include(message);
      }
      expect(() =>
        metrics.histogram(
          'most',
          '',
          Array.from({ length: MAX_BUCKETS }, (_, i) => i),
        ),
      ).not.to.throw();
      metrics.histogram('negative', '', [-5, 0, 5]);
      metrics.counter('a:b_c', '').inc();
      expect(metrics.exportPrometheus()).to.match(/^a:b_c 1$/m);
    });

    it('warns once of what it does not record, and goes on', () => {
      const metrics = make();
      const counter = metrics.counter('c', '');
      const gauge = metrics.gauge('g', '');
      const histogram = metrics.histogram('h', '', [1]);
      const wrong: unknown[] = [Number.NaN, Infinity, -Infinity, '5', null, {}, Symbol('x'), 5n];
      for (let round = 0; round < 2; round++)
        for (const value of wrong as number[]) {
          counter.incBy(value);
          counter.inc(value);
          gauge.set(value);
          gauge.inc(value);
          gauge.dec(value);
          histogram.observe(value);
        }
      counter.incBy(-1);
      histogram.observe(-1);
      expect(counter.value()).to.equal(0);
      expect(gauge.value()).to.equal(0);
      expect(histogram.stats().count).to.equal(0);
      expect(metrics.exportPrometheus()).to.equal('');
      expect([...warnings].sort()).to.deep.equal(
        [
          'counter c: -1 is not recorded; the value must be a finite number from 0',
          'counter c: "5" is not recorded; the value must be a finite number from 0',
          'counter c: NaN is not recorded; the value must be a finite number from 0',
          'gauge g: "5" is not recorded; the value must be a finite number',
          'gauge g: NaN is not recorded; the value must be a finite number',
          'histogram h: "5" is not recorded; the value must be a finite number from 0',
          'histogram h: -1 is not recorded; the value must be a finite number from 0',
          'histogram h: NaN is not recorded; the value must be a finite number from 0',
        ].sort(),
      );
      counter.inc();
      expect(counter.value()).to.equal(1);
    });

    it('has a series for each set of labels, whatever order or type they are written in', () => {
      const metrics = make();
      const counter = metrics.counter('requests_total', '', { labelNames: ['method', 'status'] });
      counter.labels({ method: 'GET', status: 200 }).inc();
      counter.labels({ status: '200', method: 'GET' }).inc(2);
      counter.labels({ method: 'GET', status: 404 }).inc(5);
      expect(counter.labels({ method: 'GET', status: 200 })).to.equal(
        counter.labels({ status: '200', method: 'GET' }),
      );
      expect(counter.labels({ method: 'GET', status: 200 }).value()).to.equal(3);
      expect(metrics.exportPrometheus()).to.equal(
        '# TYPE requests_total counter\n' +
          'requests_total{method="GET",status="200"} 3\nrequests_total{method="GET",status="404"} 5\n',
      );
      expect(warnings).to.deep.equal([]);
    });

    it('takes any labels where none were named, and the metric itself is the series without', () => {
      const metrics = make();
      const gauge = metrics.gauge('g', '');
      gauge.set(1);
      gauge.labels({}).inc();
      gauge.labels({ a: true }).set(7);
      expect(gauge.value()).to.equal(2);
      expect(gauge.labels({ a: 'true' }).value()).to.equal(7);
      const histogram = metrics.histogram('h', '', [1]);
      histogram.labels({ path: '/"\n' }).observe(0.5);
      expect(histogram.stats().count).to.equal(0);
      expect(metrics.exportPrometheus()).to.include('h_bucket{path="/\\"\\n",le="1"} 1\n');
    });

    it('warns of labels that are not those of the metric, and drops what is recorded with them', () => {
      const metrics = make();
      const counter = metrics.counter('c', '', { labelNames: ['method'] });
      const free = metrics.counter('f', '');
      const revoked = Proxy.revocable({}, {});
      revoked.revoke();
      for (const labels of [
        {},
        { path: '/' },
        { method: 'GET', path: '/' },
        null,
        'GET',
        ['GET'],
        { method: {} },
      ])
        counter.labels(labels as { method: string }).inc();
      for (const labels of [
        { 'a-b': 1 },
        { a: undefined },
        { a: Symbol('x') },
        revoked.proxy,
        7,
        { __proto: 1 },
      ])
        free.labels(labels).inc();
      counter.inc(); // without labels
      expect(counter.value()).to.equal(0);
      expect(metrics.exportPrometheus()).to.equal('');
      expect(
        warnings.every((text) => text.endsWith('values recorded with these labels are ignored')),
      ).to.equal(true);
      expect(warnings).to.include(
        'counter c: labels must be method, got "path"; values recorded with these labels are ignored',
      );
      expect(warnings).to.have.length(10);
    });

    it('puts what exceeds 1999 sets of labels into one series, and says so once', () => {
      const metrics = make();
      const counter = metrics.counter('c', '');
      for (let id = 0; id < 2009; id++) counter.labels({ id }).inc();
      expect(counter.labels({ id: 1998 }).value()).to.equal(1);
      expect(counter.labels({ id: 1999 }).value()).to.equal(10); // shared
      const text = metrics.exportPrometheus();
      expect(text).to.match(/^c\{otel_metric_overflow="true"\} 10$/m);
      expect(text.match(/^c\{/gm)).to.have.length(2000);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include('counter c has reached its limit of 1999 sets of labels');
    });

    it('uses the bounds for response times when none are given', () => {
      const stats = make().histogram('h', '').stats();
      expect(stats.buckets.map(({ upperBound }) => upperBound)).to.deep.equal([
        ...RESPONSE_TIME_BUCKETS,
        Infinity,
      ]);
      expect(stats.count).to.equal(0);
      expect([stats.min, stats.max, stats.mean, stats.p50].every(Number.isNaN)).to.equal(true);
    });

    it('tells how long it has been up', async () => {
      const metrics = make();
      const first = metrics.uptimeSeconds();
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(metrics.uptimeSeconds() - first).to.be.within(0.025, 30);
      expect(first).to.be.within(0, 30);
    });
  });
}
