import { expect } from 'chai';
import { MetricStore, type ExporterThreadOptions } from '../../src/index.ts';
import { checkThreadOptions, lastExportOf, storeOf } from '../../src/thread/options.ts';

const prometheus = {};
const otlp = {};

describe('options of the exporter thread', () => {
  it('have a last export only where something is pushed', () => {
    expect(lastExportOf({ prometheus })).to.equal(undefined);
    expect(lastExportOf({ otlp })).to.deep.equal({
      timeoutMillis: 3000,
      signals: ['SIGTERM', 'SIGINT', 'SIGHUP'],
    });
    expect(lastExportOf({ otlp, lastExport: { signals: [] } })).to.deep.equal({
      timeoutMillis: 3000,
      signals: [],
    });
    expect(lastExportOf({ otlp, lastExport: false })).to.equal(undefined);
  });

  const wrong: readonly [string, object][] = [
    ['lastExport', { otlp, lastExport: 3000 }],
    ['lastExport.timeoutMillis', { otlp, lastExport: { timeoutMillis: -1 } }],
    ['lastExport.signals', { otlp, lastExport: { signals: 'SIGTERM' } }],
    ['lastExport.signals[0]', { otlp, lastExport: { signals: ['sigterm'] } }],
    ['lastExport.signals[0]', { otlp, lastExport: { signals: ['SIGNIT'] } }],
    ['lastExport.signals[1]', { otlp, lastExport: { signals: ['SIGTERM', 'SIGKILL'] } }],
    ['store', { otlp, store: {} }],
  ];
  for (const [option, options] of wrong)
    it(`throw for ${JSON.stringify(options)} and name ${option}`, () => {
      const check = (given: ExporterThreadOptions): void => {
        checkThreadOptions(given, 'options');
        storeOf(given);
      };
      const store = MetricStore.open({ maxBytes: 2 ** 20 });
      try {
        expect(() => check({ store, ...options })).to.throw(TypeError, `${option} is `);
      } finally {
        store.close();
      }
    });
});
