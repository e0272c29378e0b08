/** Instrumentation nobody here wrote, on our provider, beside the official one. */
import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { runWell } from '../support/program.ts';

interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number | { readonly count: number };
}

interface Metric {
  readonly descriptor: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly dataPointType: number;
  readonly aggregationTemporality: number;
  readonly isMonotonic?: boolean;
  readonly dataPoints: readonly Point[];
}

interface Collected {
  readonly scopes: readonly {
    readonly scope: { readonly name: string };
    readonly metrics: readonly Metric[];
  }[];
  readonly errors: readonly string[];
}

const PROGRAM = fileURLToPath(new URL('../support/instrumented-program.js', import.meta.url));

async function run(mode: 'tee' | 'node-sdk'): Promise<Record<'official' | 'ours', Collected>> {
  const { stdout } = await runWell(process.execPath, [PROGRAM, mode], {
    env: { OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
  });
  return JSON.parse(stdout) as Record<'official' | 'ours', Collected>;
}

const scopesOf = ({ scopes }: Collected): Map<string, readonly Metric[]> =>
  new Map(scopes.map(({ scope, metrics }) => [JSON.stringify(scope), metrics]));

const byName = (metrics: readonly Metric[]): Map<string, Metric> =>
  new Map(metrics.map((metric) => [metric.descriptor.name, metric]));

const attributeSets = ({ dataPoints }: Metric): string[] =>
  dataPoints.map(({ attributes }) => JSON.stringify(Object.entries(attributes).sort())).sort();

/** What changes from one moment to the next: garbage is collected, sockets come and go. */
const MOMENTARY = new Set(['v8js.gc.duration', 'v8js.resource.active']);
const REQUESTS = ['http.server.request.duration', 'http.client.request.duration'];

describe('instrumentation of others', function () {
  this.timeout(60_000);

  it('measures on our provider what it measures on the official one, in one run', async () => {
    const { official, ours } = await run('tee');
    expect(ours.errors).to.deep.equal([]);
    const [theirScopes, ourScopes] = [scopesOf(official), scopesOf(ours)];
    expect([...ourScopes.keys()].sort()).to.deep.equal([...theirScopes.keys()].sort());
    expect(ourScopes.size).to.equal(4);
    let compared = 0;
    for (const [scope, theirs] of theirScopes) {
      const found = byName(ourScopes.get(scope)!);
      for (const metric of theirs) {
        const { name } = metric.descriptor;
        const our = found.get(name);
        if (MOMENTARY.has(name) && our === undefined) continue;
        const { advice: _, ...descriptor } = metric.descriptor;
        expect(our?.descriptor, name).to.deep.equal(descriptor);
        const shape = ({ dataPointType, aggregationTemporality, isMonotonic }: Metric): unknown => ({
          dataPointType,
          aggregationTemporality,
          isMonotonic,
        });
        expect(shape(our!), name).to.deep.equal(shape(metric));
        if (MOMENTARY.has(name)) continue;
        expect(attributeSets(our!), name).to.deep.equal(attributeSets(metric));
        compared++;
        if (REQUESTS.includes(name))
          expect(
            our!.dataPoints.map(({ attributes, value }) => ({ attributes, value })),
            name,
          ).to.have.deep.members(metric.dataPoints.map(({ attributes, value }) => ({ attributes, value })));
        else if (metric.isMonotonic === true) compareTotals(metric, our!); // ours was observed later
      }
    }
    expect(compared).to.be.above(20);
  });

  it('works under NodeSDK with our provider as the global one', async () => {
    const { ours } = await run('node-sdk');
    expect(ours.errors).to.deep.equal([]);
    const counts = ours.scopes.flatMap(({ scope, metrics }) =>
      metrics
        .filter(({ descriptor }) => REQUESTS.includes(descriptor.name))
        .flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => [
            scope.name.replace('@opentelemetry/instrumentation-', ''),
            descriptor.name,
            attributes['http.request.method'],
            attributes['http.response.status_code'],
            (value as { count: number }).count,
          ]),
        ),
    );
    expect(counts).to.have.deep.members([
      ['http', 'http.server.request.duration', 'GET', 200, 10],
      ['http', 'http.server.request.duration', 'POST', 404, 5],
      ['http', 'http.server.request.duration', 'PUT', 404, 5],
      ['http', 'http.client.request.duration', 'GET', 200, 5],
      ['http', 'http.client.request.duration', 'POST', 404, 5],
      ['undici', 'http.client.request.duration', 'GET', 200, 5],
      ['undici', 'http.client.request.duration', 'PUT', 404, 5],
    ]);
    const names = ours.scopes.flatMap(({ metrics }) => metrics.map(({ descriptor }) => descriptor.name));
    expect(names).to.include.members([
      'nodejs.eventloop.delay.p99',
      'v8js.memory.heap.used',
      'process.memory.usage',
    ]);
  });
});

function compareTotals(earlier: Metric, later: Metric): void {
  const key = ({ attributes }: Point): string => JSON.stringify(Object.entries(attributes).sort());
  const before = new Map(earlier.dataPoints.map((point) => [key(point), point.value as number]));
  for (const point of later.dataPoints)
    expect(point.value, `${earlier.descriptor.name} ${key(point)}`).to.be.at.least(before.get(key(point))!);
}
