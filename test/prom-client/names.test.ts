/** What random programs do not reach: names, default metrics, buckets, pushes, and what is on purpose different. */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import theirs, { type Registry } from 'prom-client';
import { systemClock } from '../../src/base/platform.ts';
import * as named from '../../src/prom-client/prom-client.ts';
import client from '../../src/prom-client/prom-client.ts';
import { closeStore } from './close-store.ts';

type Client = typeof theirs;
const both: readonly (readonly [string, Client])[] = [
  ['prom-client', theirs],
  ['the drop-in', client as unknown as Client],
];

function errorOf(call: () => unknown): string {
  try {
    return `no error: ${JSON.stringify(call())}`;
  } catch (error) {
    return String(error);
  }
}

function openRegistryOf(one: Client): Registry {
  return new (one.Registry as new (type: string) => Registry)(one.openMetricsContentType);
}

async function headsOf(registry: { metrics(): Promise<string> }): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line.startsWith('#'));
}

after(closeStore);

describe('prom-client: names', () => {
  it('are the same, as named exports too', () => {
    expect(Object.keys(client).sort()).to.deep.equal(Object.keys(theirs).sort());
    expect(Object.keys(named)).to.include.members(Object.keys(theirs));
    expect(client.collectDefaultMetrics.metricsList).to.deep.equal(theirs.collectDefaultMetrics.metricsList);
  });

  it('give the same content type, which can be set', () => {
    for (const [, { register, openMetricsContentType, prometheusContentType }] of both) {
      register.setContentType(openMetricsContentType as never);
      register.setContentType(prometheusContentType);
    }
    const type = Object.getOwnPropertyDescriptor(client, 'contentType')!;
    expect(type.get!.call(client)).to.equal(theirs.contentType);
  });

  for (const call of [
    (one: Client) => one.linearBuckets(0, 5, 3),
    (one: Client) => one.linearBuckets(0, 5, 0),
    (one: Client) => one.linearBuckets(0, 5, 2.5),
    (one: Client) => one.exponentialBuckets(1, 2, 4),
    (one: Client) => one.exponentialBuckets(0, 2, 4),
    (one: Client) => one.exponentialBuckets(1, 1, 4),
    (one: Client) => one.exponentialBuckets(1, 2, 0),
    (one: Client) => one.validateMetricName('a:b_1'),
    (one: Client) => one.validateMetricName('1a'),
    (one: Client) => new (one.Registry as new (type: string) => unknown)('text/html'),
    (one: Client) => new one.Registry().setContentType('text/html' as never),
    (one: Client) => new one.Counter(undefined as never),
    (one: Client) => one.collectDefaultMetrics(5 as never),
    (one: Client) => new one.Pushgateway('http://localhost').push({} as never),
    (one: Client) => one.AggregatorRegistry.setRegistries({} as never),
    (one: Client) => one.AggregatorRegistry.aggregate([[{ name: 'a', aggregator: 'no' }]]),
    (one: Client) => one.Registry.merge([new one.Registry(), openRegistryOf(one)]),
    (one: Client) =>
      new one.Counter({ name: 'e', help: 'e', enableExemplars: true, registers: [new one.Registry()] }),
  ])
    it(`give the same for ${String(call).slice(7, 90)}`, () => {
      expect(errorOf(() => call(client as unknown as Client))).to.equal(errorOf(() => call(theirs)));
    });

  it('aggregate as prom-client does', async () => {
    const metrics = (aggregator: string, value: number): object[] => [
      {
        name: 'm',
        help: 'm',
        type: 'gauge',
        aggregator,
        values: [
          { value, labels: { a: 1 } },
          { value, labels: {} },
        ],
      },
    ];
    for (const aggregator of ['sum', 'first', 'min', 'max', 'average', 'omit']) {
      const given = [3, 1, 5].map((value) => metrics(aggregator, value));
      const [one, other] = both.map(([, { AggregatorRegistry }]) =>
        AggregatorRegistry.aggregate(given).metrics(),
      );
      expect(await other).to.equal(await one);
    }
  });
});

describe('prom-client: a gauge', () => {
  it('has no value after remove and reset', async () => {
    const register = new client.Registry();
    const gauge = new client.Gauge({ name: 'g', help: 'g', labelNames: ['a'], registers: [register] });
    gauge.set({ a: 'x' }, 1);
    gauge.set({ a: 'y' }, 2);
    gauge.remove('x');
    expect((await gauge.get()).values).to.deep.equal([{ value: 2, labels: { a: 'y' } }]);
    gauge.reset();
    expect((await gauge.get()).values).to.deep.equal([]);
    gauge.inc({ a: 'x' });
    expect((await gauge.get()).values).to.deep.equal([{ value: 1, labels: { a: 'x' } }]);
  });
});

describe('prom-client: a histogram', () => {
  it('shows a series that zero began anew', async () => {
    const texts = await Promise.all(
      both.map(async ([, one]) => {
        const register = new one.Registry();
        const options = { name: 'h', help: 'h', labelNames: ['a'], registers: [register] };
        const histogram = new one.Histogram(options);
        histogram.observe({ a: 'x' }, 1);
        await register.metrics();
        histogram.zero({ a: 'x' });
        const zero = await register.metrics();
        histogram.observe({ a: 'x' }, 2);
        return [zero, await register.metrics()];
      }),
    );
    expect(texts[1]).to.deep.equal(texts[0]);
  });
});

describe('prom-client: options of the caller', () => {
  it('may have names that metrics have themselves', async () => {
    const [theirText, ourText] = await Promise.all(
      both.map(([, one]) => {
        const register = new one.Registry();
        for (const kind of ['Counter', 'Gauge', 'Histogram', 'Summary'] as const)
          new one[kind]({ name: kind, help: kind, type: 'other', registers: [register] } as never);
        return register.metrics();
      }),
    );
    expect(ourText).to.equal(theirText);
  });
});

describe('prom-client: default metrics', () => {
  it('have the names, texts, types and order of prom-client', async () => {
    const [heads, ours] = await Promise.all(
      both.map(([, one]) => {
        const register = new one.Registry();
        one.collectDefaultMetrics({ register, prefix: 'p_', labels: { app: 'x' } });
        return headsOf(register);
      }),
    );
    expect(ours).to.deep.equal(heads);
  });
});

describe('prom-client: Pushgateway', () => {
  it('sends what prom-client sends', async () => {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      request.on('end', () => {
        requests.push(`${request.method} ${request.url} ${request.headers['x-a'] as string} ${body}`);
        response.statusCode = request.url!.includes('bad') ? 400 : 200;
        response.end('said');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`;
    const answers = [];
    for (const [, one] of both) {
      const register = new one.Registry();
      new one.Counter({ name: 'c', help: 'c', registers: [register] }).inc();
      const gateway = new one.Pushgateway(url, { headers: { 'X-A': '1' } }, register);
      const { body } = await gateway.pushAdd({ jobName: 'a b', groupings: { key: 'v/w' } });
      answers.push(body);
      await gateway.push({ jobName: 'j' });
      await gateway.delete({ jobName: 'j' });
      answers.push(await gateway.push({ jobName: 'bad' }).catch((error: Error) => error.message));
    }
    server.close();
    server.closeAllConnections();
    expect(requests.slice(4)).to.deep.equal(requests.slice(0, 4));
    expect(answers.slice(2)).to.deep.equal(answers.slice(0, 2));
  });
});

describe('prom-client: what is different', () => {
  it('refuses what would corrupt a total, and buckets out of order', () => {
    const registers = [new client.Registry()];
    const counter = new client.Counter({ name: 'c', help: 'c', registers });
    for (const value of [NaN, '' as never])
      expect(() => counter.inc(value)).to.throw('Value is not a valid number');
    expect(() => new client.Histogram({ name: 'h', help: 'h', buckets: [5, 1], registers })).to.throw(
      'ascending order',
    );
  });

  it('adds default labels to JSON, and leaves the metric as it is', async () => {
    const register = new client.Registry();
    const counter = new client.Counter({ name: 'c', help: 'c', labelNames: ['a'], registers: [register] });
    counter.inc({ a: 1 });
    register.setDefaultLabels({ app: 'x' });
    expect((await register.getMetricsAsJSON())[0]!.values[0]!.labels).to.deep.equal({ a: 1, app: 'x' });
    expect((await counter.get()).values[0]!.labels).to.deep.equal({ a: 1 });
  });

  it('keeps the exemplar that it has where a new one is too long', async () => {
    const register = new client.Registry(client.openMetricsContentType);
    const counter = new client.Counter({
      name: 'c',
      help: 'c',
      enableExemplars: true,
      registers: [register],
    });
    expect(() => counter.inc({ exemplarLabels: { t: 'x'.repeat(130) } as never })).to.throw(RangeError);
    expect(await register.metrics()).to.equal('# HELP c c\n# TYPE c counter\nc_total 1\n# EOF\n');
  });
});

describe('prom-client: Summary', () => {
  const registers = [new client.Registry()];

  it('estimates quantiles within 2.2 % of values that span less than 10^6', async () => {
    const summary = new client.Summary({
      name: 'q',
      help: 'q',
      percentiles: [0, 0.1, 0.5, 0.99, 1],
      registers,
    });
    const values = Array.from({ length: 1000 }, (_, i) => 1e-3 * 1.0138 ** i);
    for (const value of values) summary.observe(value);
    const estimates = (await summary.get()).values.slice(0, 5).map(({ value }) => value);
    const exact = [0, 99, 499, 989, 999].map((i) => values[i]!);
    estimates.forEach((estimate, i) => expect(estimate / exact[i]!).to.be.within(0.978, 1.022));
  });

  it('forgets what is older than its window, but not in count and sum', async () => {
    const summary = new client.Summary({
      name: 'w',
      help: 'w',
      percentiles: [0.5],
      maxAgeSeconds: 60,
      ageBuckets: 3,
      registers,
    });
    const valuesAt = async (seconds: number): Promise<number[]> => {
      systemClock.now = () => began + seconds * 1000;
      return (await summary.get()).values.map(({ value }) => value);
    };
    const { now } = systemClock;
    const began = now();
    try {
      summary.observe(100);
      expect(await valuesAt(30)).to.deep.equal([100, 100, 1]);
      summary.observe(4);
      const [median, sum, count] = await valuesAt(70);
      expect(median).to.be.within(4 * 0.978, 4 * 1.022);
      expect([sum, count]).to.deep.equal([104, 2]);
      expect(await valuesAt(200)).to.deep.equal([0, 104, 2]);
    } finally {
      systemClock.now = now;
    }
  });
});
