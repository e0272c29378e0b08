import { DiagLogLevel, diag } from '@opentelemetry/api';
import { resourceFromAttributes, defaultResource, detectResources } from '@opentelemetry/resources';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import {
  MetricStore,
  SeqlockMeterProvider,
  SeqlockMetricProducer,
  SeqlockMetricReader,
} from '../../src/index.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';
import { TestReader } from '../support/readers.ts';
import { collectWarnings } from '../support/warnings.ts';

const circular: Record<string, unknown> = {};
circular['self'] = circular;

describe('SeqlockMeterProvider', () => {
  afterEach(shutDownProviders);

  describe('options', () => {
    const closed = MetricStore.open({ maxBytes: 262_144 });
    closed.close();
    const wrong: readonly (readonly [string, unknown, RegExp])[] = [
      ['null', null, /^options of SeqlockMeterProvider is null; it must be an object/],
      ['a number', 5, /^options of SeqlockMeterProvider is 5; it must be an object/],
      ['resource without attributes', { resource: {} }, /^resource is \{\}; it must be a Resource/],
      ['resource null', { resource: null }, /^resource is null; it must be a Resource/],
      [
        'resource with a bigint',
        { resource: { attributes: { a: 1n } } },
        /^resource is .*; it must be .*JSON can hold/,
      ],
      [
        'resource with a cycle',
        { resource: { attributes: circular } },
        /^resource is .*; it must be .*JSON can hold/,
      ],
      [
        'readers no array',
        { readers: new TestReader() },
        /^readers is .*; it must be an array of metric readers/,
      ],
      [
        'a reader that is none',
        { readers: [new TestReader(), {}] },
        /^readers\[1\] is \{\}; it must be a metric reader/,
      ],
      ['store of another kind', { store: {} }, /^store is \{\}; it must be a MetricStore/],
      ['store closed', { store: closed }, /^store is .*closed.*; it must be open/],
      [
        'sdkMetricsEnabled',
        { sdkMetricsEnabled: 'yes' },
        /^sdkMetricsEnabled is "yes"; it must be true or false/,
      ],
      [
        'limit 0',
        { readers: [new TestReader({ cardinalitySelector: () => 0 })] },
        /^cardinality limit of a reader for COUNTER is 0; it must be a whole number from 1/,
      ],
      [
        'limit 1.5',
        { readers: [new TestReader({ cardinalitySelector: () => 1.5 })] },
        /is 1.5; it must be a whole number from 1/,
      ],
      [
        'limit NaN',
        { readers: [new TestReader({ cardinalitySelector: () => NaN })] },
        /is NaN; it must be a whole number from 1/,
      ],
    ];
    for (const [what, options, message] of wrong)
      it(`throw an OptionError: ${what}; no store is left behind`, () => {
        const published = MetricStore.published();
        let thrown: Error & { code?: string } = new Error('nothing was thrown');
        try {
          new SeqlockMeterProvider(options as never);
        } catch (error) {
          thrown = error as Error;
        }
        expect(thrown).to.include({ name: 'OptionError', code: 'E_OPTION' });
        expect(thrown.message).to.match(message);
        expect(MetricStore.published()).to.equal(published);
      });

    it('may be left out, or empty', async () => {
      for (const options of [
        undefined,
        {},
        { readers: [], views: [], resource: undefined, store: undefined },
      ] as never[])
        await new SeqlockMeterProvider(options).shutdown();
    });

    it('that make a reader refuse leave no store behind, and close none that was given', async () => {
      const { reader } = makeProvider();
      const published = MetricStore.published();
      const store = MetricStore.open({ maxBytes: 262_144 });
      expect(() => new SeqlockMeterProvider({ readers: [reader] })).to.throw('has a provider already');
      expect(() => new SeqlockMeterProvider({ readers: [reader], store })).to.throw('has a provider already');
      expect(store.closed).to.equal(false);
      store.close();
      await shutDownProviders();
      expect(published!.closed).to.equal(true);
      expect(MetricStore.published()).to.equal(undefined);
    });
  });

  describe('resource', () => {
    it('is by default this package', () => {
      const { version } = JSON.parse(
        readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
      ) as { version: string };
      const { attributes } = makeProvider().reader.snapshot().resource;
      expect(Object.keys(attributes).sort()).to.deep.equal(Object.keys(defaultResource().attributes).sort());
      expect(attributes).to.include({
        // The specification has the executable's name here; the official SDK its path, where it was started by that.
        'service.name': `unknown_service:${basename(process.argv0)}`,
        'telemetry.sdk.name': 'seqlock-metrics',
        'telemetry.sdk.version': version,
        'telemetry.sdk.language': 'nodejs',
      });
    });

    it('is what producers of the store report, the first provider of the store deciding', () => {
      const resource = resourceFromAttributes({ a: 1, list: ['x'] }, { schemaUrl: 'https://example.com/1' });
      const { provider } = makeProvider(undefined, { resource });
      makeProvider(undefined, { store: provider.store, resource: { attributes: { a: 2 } } });
      expect(new SeqlockMetricProducer(provider.store).snapshot().resource).to.deep.equal({
        attributes: { a: 1, list: ['x'] },
        schemaUrl: 'https://example.com/1',
      });
      const own = { attributes: { mine: true } };
      expect(new SeqlockMetricProducer(provider.store, { resource: own }).snapshot().resource).to.equal(own);
    });

    it('may still be under detection: readers get the resource itself, the store each attribute when it is known', async () => {
      const errors: string[] = [];
      const quiet = (): void => {};
      diag.setLogger(
        { error: (message) => errors.push(message), warn: quiet, info: quiet, debug: quiet, verbose: quiet },
        { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
      );
      let detected!: (value: string) => void;
      const resource = detectResources({
        detectors: [
          {
            detect: () => ({
              attributes: { now: 1, later: new Promise<string>((resolve) => (detected = resolve)) },
            }),
          },
        ],
      });
      const { provider, reader } = makeProvider(undefined, { resource });
      const producer = new SeqlockMetricProducer(provider.store);
      expect(reader.snapshot().resource).to.equal(resource);
      expect(producer.snapshot().resource.attributes, 'what is known').to.deep.equal({ now: 1 });
      detected('found');
      await resource.waitForAsyncAttributes?.();
      await new Promise((resolve) => setImmediate(resolve));
      expect(producer.snapshot().resource.attributes).to.deep.equal({ now: 1, later: 'found' });
      diag.disable();
      expect(errors).to.deep.equal([]);
    });
  });

  describe('shutdown', () => {
    it('makes getMeter give a meter that does nothing, and says so once', async () => {
      const { provider, reader } = makeProvider();
      await provider.shutdown();
      const { warnings, stop } = collectWarnings();
      for (let i = 0; i < 3; i++) provider.getMeter('m').createCounter('c').add(1);
      await provider.forceFlush();
      await provider.forceFlush();
      await provider.shutdown();
      await provider.shutdown();
      stop();
      expect(warnings).to.deep.equal([
        'A shutdown MeterProvider cannot provide a Meter',
        'invalid attempt to force flush after MeterProvider shutdown',
        'shutdown may only be called once per MeterProvider',
      ]);
      expect(reader.snapshot().scopeMetrics).to.deep.equal([]);
    });

    it('leaves instruments that exist quietly at work', async () => {
      const { provider, meter, value } = makeProvider();
      const counter = meter.createCounter('c');
      const bound = counter.bind();
      counter.add(1);
      await provider.shutdown();
      const { warnings, stop } = collectWarnings();
      counter.add(2);
      bound.add(4);
      meter.createHistogram('late').record(1);
      stop();
      expect(warnings).to.deep.equal([]);
      expect(value('c')).to.equal(7);
    });

    it('shuts down all readers and closes its store though one fails', async () => {
      const shut: number[] = [];
      class FailingReader extends TestReader {
        protected override onShutdown(): Promise<void> {
          shut.push(1);
          return Promise.reject(new Error('on purpose'));
        }
      }
      class OtherReader extends TestReader {
        protected override async onShutdown(): Promise<void> {
          shut.push(2);
        }
      }
      const provider = new SeqlockMeterProvider({ readers: [new FailingReader(), new OtherReader()] });
      const failure = await provider.shutdown().then(
        () => undefined,
        (error: Error) => error.message,
      );
      expect(failure).to.equal('on purpose');
      expect(shut).to.deep.equal([1, 2]);
      expect(provider.store.closed).to.equal(true);
    });

    it('and forceFlush keep to their time-out', async () => {
      class SlowReader extends TestReader {
        protected override onForceFlush(): Promise<void> {
          return new Promise((resolve) => setTimeout(resolve, 2000).unref());
        }
        protected override onShutdown(): Promise<void> {
          return this.onForceFlush();
        }
      }
      const provider = new SeqlockMeterProvider({ readers: [new SlowReader()] });
      for (const call of [
        provider.forceFlush({ timeoutMillis: 10 }),
        provider.shutdown({ timeoutMillis: 10 }),
      ]) {
        const failure = await call.then(
          () => undefined,
          (error: Error) => error.message,
        );
        expect(failure).to.equal('Operation timed out.');
      }
    });
  });

  it('takes the largest cardinality limit of its readers, by instrument kind', () => {
    const readers = [3, 5].map(
      (limit) => new SeqlockMetricReader({ cardinalitySelector: (type) => (type === 'COUNTER' ? limit : 1) }),
    );
    const provider = new SeqlockMeterProvider({ readers });
    for (let id = 0; id < 10; id++) {
      provider.getMeter('m').createCounter('c').add(1, { id });
      provider.getMeter('m').createUpDownCounter('u').add(1, { id });
    }
    for (const reader of readers) {
      const [counter, upDown] = reader.snapshot().scopeMetrics[0]!.metrics;
      expect([counter!.dataPoints.length, upDown!.dataPoints.length]).to.deep.equal([6, 2]);
    }
    return provider.shutdown();
  });
});
