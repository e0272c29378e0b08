/** Every public options object names a key it does not know, what it knows, and what was meant. */
import { createNoopMeter } from '@opentelemetry/api';
import { AggregationType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import {
  ComparingMetricsProvider,
  createMetricsProvider,
  createPrometheusHandler,
  MetricStore,
  Seqlock,
  SeqlockMeterProvider,
  SeqlockMetricProducer,
  SeqlockMetricReader,
  SeqlockMetricsProvider,
  StandardMetricsProvider,
  startExporterThread,
} from '../src/index.ts';
import { collectWarnings } from './support/warnings.ts';

type Make = (options: never) => unknown;
/** Its provider is closed at the end of the test. */
const readerOfProvider = (): SeqlockMetricReader => {
  const reader = new SeqlockMetricReader();
  new SeqlockMeterProvider({ readers: [reader] });
  return reader;
};
const view: Make = (options: object) =>
  new SeqlockMeterProvider({ views: [{ instrumentName: 'x', ...options }] });
const aggregation: Make = (options: object) => view({ aggregation: options } as never);
const histogram: Make = (options: object) =>
  aggregation({ type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options } as never);
const thread: Make = (options: object) => startExporterThread(options);

const objects: readonly (readonly [what: string, make: Make, wrong: object, message: string])[] = [
  [
    'provider',
    (o) => new SeqlockMeterProvider(o),
    { reader: [] },
    '"reader"; it must be one of resource, readers',
  ],
  ['view', view, { instrumentname: 'x' }, '"instrumentname"; it must be one of instrumentName'],
  ['view, boundaries two levels too high', view, { boundaries: [1] }, 'key of views[0] is "boundaries"'],
  [
    'aggregation, boundaries a level too high',
    aggregation,
    { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, boundaries: [1] },
    'key of views[0].aggregation is "boundaries"; it must be one of type, options',
  ],
  [
    'histogram',
    histogram,
    { boundarys: [1] },
    'aggregation.options is "boundarys"; it must be one of boundaries',
  ],
  ['histogram without boundaries', histogram, { boundaries: undefined }, 'options.boundaries is undefined'],
  [
    'exponential histogram',
    aggregation,
    { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxsize: 8 } },
    '"maxsize"; it must be one of maxSize',
  ],
  [
    'sum',
    aggregation,
    { type: AggregationType.SUM, options: { monotonic: true } },
    'is "monotonic"; it must be',
  ],
  ['reservoir', view, { exemplarReservoir: { type: 'none', size: 3 } }, 'exemplarReservoir is "size"'],
  [
    'store',
    (o) => MetricStore.open(o),
    { maxbytes: 262_144 },
    '"maxbytes"; it must be one of maxBytes, directory. Did you mean maxBytes?',
  ],
  [
    'handler',
    (o) => createPrometheusHandler({ collect: () => undefined as never }, o),
    { timeout: 5 },
    'Did you mean timeoutMillis?',
  ],
  [
    'producer',
    (o) => new SeqlockMetricProducer(MetricStore.create(), o),
    { selfmetrics: true },
    'Did you mean selfMetrics?',
  ],
  [
    'text',
    (o) => readerOfProvider().exportPrometheus(o),
    { scopeInfo: true },
    'Did you mean scopeInfoEnabled?',
  ],
  ['exporter thread', thread, { promtheus: {} }, 'Did you mean prometheus?'],
  ['its server', thread, { prometheus: { prot: 1 } }, 'key of prometheus is "prot"'],
  ['its push', thread, { otlp: { endpoint: 'x' } }, 'key of otlp is "endpoint"; it must be one of url'],
  ['its console', thread, { console: { interval: 5 } }, 'Did you mean intervalMillis?'],
  ['its last export', thread, { otlp: {}, lastExport: { timeout: 5 } }, 'Did you mean timeoutMillis?'],
  [
    'its signals',
    thread,
    { otlp: {}, lastExport: { signals: ['SIGNIT'] } },
    'signals[0] is "SIGNIT"; it must be one of',
  ],
  ['its signals', thread, { otlp: {}, lastExport: { signals: ['SIGKILL'] } }, 'signals[0] is "SIGKILL"'],
  [
    'Seqlock',
    (o) => new Seqlock(new SharedArrayBuffer(1024), 0, 1, o),
    { isdead: () => true },
    'Did you mean isDead?',
  ],
  [
    'metrics provider',
    (o) => new SeqlockMetricsProvider(o),
    { selfMetric: true },
    'Did you mean selfMetrics?',
  ],
  ['standard', (o) => new StandardMetricsProvider(o), { reader: [] }, 'Did you mean readers?'],
  ['comparing', (o) => new ComparingMetricsProvider(o), { reader: [] }, 'Did you mean readers?'],
  ['createMetricsProvider', (o) => createMetricsProvider(o), { modes: 'seqlock' }, 'Did you mean mode?'],
  [
    'its switch',
    (o) => createMetricsProvider(o),
    { eventProcessor: { enable: true } },
    'Did you mean enabled?',
  ],
  [
    'a family',
    (o) => new StandardMetricsProvider().counter('c', 'h', o),
    { labels: ['a'] },
    '"labels"; it must be labelNames',
  ],
];

describe('options objects', () => {
  for (const [what, make, wrong, message] of objects)
    it(`refuse what they do not know: ${what}: ${JSON.stringify(wrong)}`, async () => {
      const published = MetricStore.published();
      let thrown: unknown;
      try {
        await make(wrong as never);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).to.include({ code: 'E_OPTION' });
      expect((thrown as Error).message).to.include(message);
      if (published === undefined) MetricStore.published()?.close(); // of the producer
    });

  it('of flushes are refused too, and of the end are told of', async () => {
    const provider = new SeqlockMeterProvider();
    const { warnings, stop } = collectWarnings();
    let refused: unknown;
    await provider.forceFlush({ timeout: 5 } as never).catch((error: unknown) => (refused = error));
    expect(refused).to.include({ code: 'E_OPTION' });
    await provider.shutdown({ timeout: 5 } as never);
    stop();
    expect(provider.store.closed).to.equal(true);
    expect(warnings.join())
      .to.include('shutdown has the unknown option "timeout"')
      .and.include('Did you mean timeoutMillis?');
  });

  it('of instruments and meters are told of, and the instrument works', async () => {
    const provider = new SeqlockMeterProvider();
    const { warnings, stop } = collectWarnings();
    const meter = provider.getMeter('m', '1', { schemaurl: 'x' } as never);
    const made = [
      meter.createCounter('a', { units: 's' } as never),
      meter.createHistogram('b', { advice: { explicitBucketBoundarys: [1] } } as never),
      meter.createHistogram('c', { advice: { explicitBucketBoundaries: undefined as never } }),
      meter.createHistogram('d', { advice: { explicitBucketBoundaries: [1], attributes: ['k'] } as never }),
    ];
    stop();
    await provider.shutdown();
    expect(
      made.every((one) => one.constructor !== createNoopMeter().createCounter('x').constructor),
    ).to.equal(true);
    expect(warnings).to.have.lengthOf(4);
    expect(warnings[0])
      .to.include('getMeter has the unknown option "schemaurl"')
      .and.include('Did you mean schemaUrl?');
    expect(warnings[1])
      .to.include('metric a has the unknown option "units"')
      .and.include('Did you mean unit?');
    expect(warnings[2]).to.include('the advice of metric b has the unknown option "explicitBucketBoundarys"');
    expect(warnings[3]).to.include('explicitBucketBoundaries of metric c are undefined');
  });
});
