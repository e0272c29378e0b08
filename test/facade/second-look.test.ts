import { diag, metrics, trace } from '@opentelemetry/api';
import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { findings } from '../../src/facade/second-look.ts';
import {
  bind,
  createPrometheusHandler,
  MetricStore,
  SeqlockMeterProvider,
  SeqlockMetricReader,
  type SeqlockMeterProviderOptions,
} from '../../src/index.ts';
import { writerOf } from '../../src/state/store-writer.ts';
import { opened, shutDownOpened } from '../support/opened.ts';
import { printedTo } from '../support/printed.ts';
import { start } from '../support/program.ts';
import { collectWarnings } from '../support/warnings.ts';

const lookAt = (provider: SeqlockMeterProvider): string[] =>
  findings(provider, writerOf(provider.store.region));
const made = (options: SeqlockMeterProviderOptions = {}): SeqlockMeterProvider => {
  const provider = opened(options);
  return provider;
};

describe('a second look at a provider', () => {
  afterEach(async () => {
    metrics.disable();
    await shutDownOpened();
  });

  it('is taken once, ten seconds after it was made, and keeps no process up', async () => {
    const program = fileURLToPath(new URL('../support/second-look-program.js', import.meta.url));
    const { code, stdout, stderr } = await start(process.execPath, [program]).outcome;
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal([{ millis: 10_000, isUnref: true }]);
    expect(stderr.match(/exported nowhere/g)).to.have.length(1);
  });

  it('finds nothing where it records and is read, whoever reads', () => {
    const providers = [made({ readers: [new SeqlockMetricReader()] }), made()];
    createPrometheusHandler(providers[1]!.store);
    for (const provider of providers) {
      provider.getMeter('m').createCounter('c').add(1);
      expect(lookAt(provider)).to.deep.equal([]);
    }
  });

  it('finds nothing at one that nobody uses, nor at a global one that is still idle', () => {
    expect(lookAt(made())).to.deep.equal([]);
    const provider = made({ readers: [new SeqlockMetricReader()] });
    metrics.setGlobalMeterProvider(provider);
    expect(lookAt(provider)).to.deep.equal([]);
  });

  it('finds one that is not the global one, and to which nothing is recorded', () => {
    const first = made();
    const second = made({ readers: [new SeqlockMetricReader()] });
    expect(lookAt(second).join())
      .to.include('nothing was recorded')
      .and.include('no global meter provider is registered');
    metrics.setGlobalMeterProvider(first);
    expect(metrics.setGlobalMeterProvider(second)).to.equal(false);
    metrics.getMeter('m').createCounter('c').add(1);
    expect(lookAt(second).join()).to.include(
      'the global meter provider is another one (SeqlockMeterProvider)',
    );
  });

  it('finds what is exported nowhere', () => {
    const provider = made();
    provider.getMeter('m').createCounter('c').add(1);
    expect(lookAt(provider).join()).to.include('exported nowhere');
  });

  it('finds instruments that were made before the provider was registered, and not again', () => {
    for (const name of ['early', 'again']) metrics.getMeter('m').createCounter(name).add(1);
    const provider = made({ readers: [new SeqlockMetricReader()] });
    metrics.setGlobalMeterProvider(provider);
    for (const name of ['again', 'late']) metrics.getMeter('m').createCounter(name).add(1);
    const [message, ...others] = lookAt(provider);
    expect(others).to.deep.equal([]);
    expect(message).to.match(/made before the meter provider was registered, and record nothing: early\. /);
    expect(lookAt(provider), 'once').to.deep.equal([]);
  });

  it('is for what can be heard: binding what records nothing is printed', () => {
    const counter = metrics.getMeter('m').createCounter('noop');
    const printed = printedTo('stderr', () => bind(counter, { a: 1 }).add(1));
    expect(printed).to.include('bind was given an instrument of the no-op meter');
    diag.disable();
    trace.disable();
  });
});

describe('views that select nothing', () => {
  it('are told of when the provider is shut down, and others are not', async () => {
    const { warnings, stop } = collectWarnings();
    const provider = new SeqlockMeterProvider({
      views: [
        { instrumentName: 'c', attributeKeys: [] },
        { instrumentName: 'requets', attributeKeys: [] },
      ],
    });
    provider.getMeter('m').createCounter('c').add(1);
    await provider.shutdown();
    stop();
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.include('views[1] matches no instrument').and.include('requets');
    expect(MetricStore.published()).to.equal(undefined);
  });
});
