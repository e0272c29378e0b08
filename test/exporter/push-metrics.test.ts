import { expect } from 'chai';
import { otlpTotal } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver } from '../../examples/demo/otlp-receiver.ts';
import { parseScrape } from '../../examples/demo/scraped-text.ts';
import { keeperMemory } from '../../src/exporter/delta-keeper.ts';
import { startExporter } from '../../src/exporter/exporter.ts';
import { planOf, type ExporterOptions } from '../../src/exporter/options.ts';
import { NO_ACCOUNT, PushMetrics } from '../../src/exporter/push-metrics.ts';
import { SeqlockMeterProvider } from '../../src/index.ts';
import { collectWarnings } from '../support/warnings.ts';

const OTLP = {
  'otel.component.name': 'otlp_http_metric_exporter/0',
  'otel.component.type': 'otlp_http_metric_exporter',
  'server.address': 'collector',
  'server.port': 4318,
};

function account() {
  const metrics = new PushMetrics(0);
  const server = { address: 'collector', port: 4318 };
  const own = metrics.accountOf({ type: 'otlp_http_metric_exporter', server });
  const read = (suffix: string) => metrics.metrics.find(({ name }) => name.endsWith(suffix))!.read();
  return { metrics, account: own, read };
}

describe('metrics about pushes', () => {
  it('count data points that were taken, those that were refused, and those of pushes that failed', async () => {
    const { account: own, read } = account();
    await own.send(10, () => Promise.resolve(0));
    await own.send(5, () => Promise.resolve(2));
    const fails = (type: string) =>
      own.send(3, () => Promise.reject(Object.assign(new Error('no'), { type }))).catch(() => {});
    await fails('503');
    await fails('503');
    await fails('timeout');
    const exported = read('.exported').map(({ value, attributes }) => [attributes!['error.type'], value]);
    expect(exported).to.deep.equal([
      [undefined, 13],
      ['rejected', 2],
      ['503', 6],
      ['timeout', 3],
    ]);
    expect(read('.exported')[0]!.attributes).to.deep.equal(OTLP);
    const durations = read('operation.duration').map(({ count, attributes }) => [
      attributes!['error.type'],
      attributes!['http.response.status_code'],
      count,
    ]);
    expect(durations).to.deep.equal([
      [undefined, undefined, 2],
      ['503', 503, 2],
      ['timeout', undefined, 1],
    ]);
  });

  it('show what is under way, and only while it is', async () => {
    const { account: own, read } = account();
    let end: ((rejected: number) => void) | undefined;
    const sent = own.send(7, () => new Promise((resolve) => (end = resolve)));
    expect(read('.inflight').map(({ value }) => value)).to.deep.equal([7]);
    end!(0);
    await sent;
    expect(read('.inflight').map(({ value }) => value)).to.deep.equal([0]);
  });

  it('have the time of collections by reader, and pass on what fails', async () => {
    const { account: own, metrics, read } = account();
    expect(await own.collect(() => Promise.resolve('collected'))).to.equal('collected');
    const failure = new TypeError('x');
    const second = metrics.accountOf({ type: 'ConsoleMetricExporter' });
    for (const one of [second, NO_ACCOUNT])
      expect(await one.collect(() => Promise.reject(failure)).catch((error: unknown) => error)).to.equal(
        failure,
      );
    expect(
      read('collection.duration').map(({ count, attributes }) => ({ count, ...attributes })),
    ).to.deep.equal([
      {
        count: 1,
        'otel.component.name': 'periodic_metric_reader/0',
        'otel.component.type': 'periodic_metric_reader',
      },
      {
        count: 1,
        'otel.component.name': 'periodic_metric_reader/1',
        'otel.component.type': 'periodic_metric_reader',
        'error.type': 'TypeError',
      },
    ]);
  });

  it('of an exporter are in what it pushes and serves, so that a push that fails can be alerted on', async () => {
    const receiver = await startOtlpReceiver();
    const provider = new SeqlockMeterProvider();
    const start = (options: ExporterOptions) =>
      startExporter(provider.store.region, planOf(options, 'options of the test'), {
        keeper: keeperMemory(2 ** 20),
      });
    const local = { host: '127.0.0.1', port: 0 };
    const { stop } = collectWarnings();
    try {
      provider.getMeter('m').createCounter('c').add(1);
      const pushing = await start({
        otlp: { url: `${receiver.url}/p`, temporality: 'delta' },
        selfMetrics: true,
      });
      for (let push = 0; push < 3; push++) await pushing.flush();
      await pushing.stop();
      const [first, second, third] = receiver
        .inbox('/p')
        .requests.map((request) => [
          otlpTotal(request, 'otel.sdk.exporter.metric_data_point.exported'),
          otlpTotal(request, 'otel.sdk.exporter.operation.duration'),
        ]);
      expect(first).to.deep.equal([NaN, NaN]);
      expect(second![0]).to.be.above(0);
      expect(second![1]).to.equal(1);
      expect(third![1], 'a delta').to.equal(1);

      const failing = await start({
        prometheus: local,
        otlp: { url: 'http://127.0.0.1:9/x' },
        selfMetrics: true,
      });
      await failing.flush(true);
      const text = await (await fetch(`http://127.0.0.1:${failing.address!.port}/metrics`)).text();
      await failing.stop();
      const failed = parseScrape(text).filter(
        ({ name, labels }) => name.startsWith('otel_sdk_exporter') && labels['error_type'] !== undefined,
      );
      expect(new Set(failed.map(({ name }) => name))).to.include.keys(
        'otel_sdk_exporter_metric_data_point_exported_total',
        'otel_sdk_exporter_operation_duration_seconds_count',
      );
      expect(failed[0]!.labels).to.include({ server_address: '127.0.0.1', server_port: '9' });
    } finally {
      stop();
      await provider.shutdown();
      await receiver.close();
    }
  });
});
