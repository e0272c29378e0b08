/** What a thread loads, which is most of what its start costs. */
import { expect } from 'chai';
import { runWell } from './support/program.ts';

const REGISTER = new URL('../src/register/register.js', import.meta.url).href;
const INDEX = new URL('../src/index.js', import.meta.url).href;

/** Names of the packages whose CommonJS modules a program has loaded. All of OpenTelemetry's are of that kind. */
async function packagesOf(program: string): Promise<string[]> {
  const { stdout } = await runWell(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { createRequire } from 'node:module';
     import { Worker } from 'node:worker_threads';
     ${program}
     const { cache } = createRequire(import.meta.url);
     const names = Object.keys(cache).map((path) => /node_modules[\\\\/]((?:@[^\\\\/]+[\\\\/])?[^\\\\/]+)/.exec(path)?.[1]);
     console.log(JSON.stringify([...new Set(names)]));`,
  ]);
  return JSON.parse(stdout) as string[];
}

describe('loading', function () {
  this.timeout(60_000);

  it('a provider, its instruments and its own reader takes nothing but the API', async () => {
    const packages = await packagesOf(`
      import { SeqlockMeterProvider, SeqlockMetricReader } from '${INDEX}';
      const reader = new SeqlockMetricReader();
      const provider = new SeqlockMeterProvider({ readers: [reader] });
      provider.getMeter('m').createCounter('c').add(1);
      const { resourceMetrics } = await reader.collect();
      if (resourceMetrics.scopeMetrics.length !== 1) throw new Error('nothing was collected');
    `);
    expect(packages).to.deep.equal(['@opentelemetry/api']);
  });

  it('metrics by name take the official SDK only where they are of it', async () => {
    const of = (maker: string): Promise<string[]> =>
      packagesOf(`
        import { SeqlockMetricsProvider, StandardMetricsProvider } from '${INDEX}';
        new ${maker}().counter('jobs_total', 'Jobs').inc();
      `);
    expect(await of('SeqlockMetricsProvider')).to.deep.equal(['@opentelemetry/api']);
    expect(await of('StandardMetricsProvider')).to.include('@opentelemetry/sdk-metrics');
  });

  it('register takes nothing but the API', async () => {
    const packages = await packagesOf(`
      process.env.OTEL_METRICS_EXPORTER = 'prometheus';
      process.env.OTEL_EXPORTER_PROMETHEUS_PORT = '0';
      await import('${REGISTER}');
    `);
    expect(packages).to.deep.equal(process.platform === 'linux' ? ['@opentelemetry/api'] : packages);
  });
});
