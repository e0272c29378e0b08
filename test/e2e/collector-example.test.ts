/**
 * examples/collector, with the real programs in place of the containers: the demo pushes to the gateway, the gateway to Prometheus, and every query
 * of the dashboard is asked there.
 */
import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { compareNumber } from './compare/table.ts';
import { needs } from './programs/programs.ts';
import { startDemo, type Demo } from './servers/demo.ts';
import { FOLDER, startGateway, type GatewayAndPrometheus } from './servers/gateway.ts';
import { scratchFolder } from './servers/scratch.ts';

const SECONDS_OF_LOAD = 12;
const REQUESTS_AT_FIRST = 200;

interface Panel {
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
}

const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
const dashboard = JSON.parse(read('grafana/checksum-service.json')) as Dashboard;
const panels = dashboard.panels.filter(({ targets = [] }) => targets.length > 0);

/** As Grafana fills them in when "All" is chosen. */
function filledIn(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '10s')
    .replaceAll(/\$(job|instance)\b/g, '.*')
    .replace(/^.*\$.*$/, (left) => {
      throw new Error(`a variable this test does not know: ${left}`);
    });
}

describe('examples/collector', () => {
  it('mounts files that are there, into programs of the versions that are tested', () => {
    const compose = read('compose.yaml');
    const mounts = [...compose.matchAll(/^ +- (\.\/\S+?):\//gm)].map(([, file]) => file!);
    expect(mounts.length).to.equal(5);
    for (const file of mounts) expect(existsSync(join(FOLDER, file)), file).to.equal(true);
    const manifest = readFileSync('test/e2e/programs/collector.yaml', 'utf8');
    const version = /version: (\S+)/.exec(manifest)![1];
    expect(compose).to.include(`otel/opentelemetry-collector-contrib:${version}\n`);
    const [, minor] = /prom\/prometheus:v3\.(\d+)\.0/.exec(compose)!;
    expect(readFileSync('test/e2e/programs/go-programs.ts', 'utf8')).to.include(`prometheus@v0.3${minor}.0`);
  });

  it('has a dashboard whose panels all ask the data source that is provisioned', () => {
    const [, uid] = /uid: (\S+)/.exec(read('grafana/datasource.yaml'))!;
    expect(panels.length).to.be.greaterThan(10);
    for (const { title, datasource } of panels) expect(datasource?.uid, title).to.equal(uid);
  });
});

describe('the dashboard of examples/collector', function () {
  this.timeout(90_000);
  let servers: GatewayAndPrometheus;
  let demo: Demo;
  let requests = REQUESTS_AT_FIRST;

  before(async function () {
    needs(this, 'collector', 'prometheus');
    servers = await startGateway(scratchFolder());
    demo = await startDemo(REQUESTS_AT_FIRST, '--otlp', servers.gateway.url.replace('/v1/metrics', ''));
    for (const end = performance.now() + SECONDS_OF_LOAD * 1000; performance.now() < end; await wait(20)) {
      const algorithm = ['md5', 'sha1', 'sha256'][requests++ % 3]!;
      expect((await fetch(demo.serviceUrl.replace('sha256', algorithm))).status).to.equal(200);
    }
  });
  after(async () => {
    await demo?.stop();
    await servers?.stop();
  });

  for (const { title, targets = [] } of panels)
    it(`shows "${title}"`, async () => {
      for (const { expr } of targets) {
        const samples = await servers.prometheus.query(filledIn(expr));
        expect(samples, expr).not.to.deep.equal([]);
        for (const { value } of samples) expect(value, expr).to.be.at.least(0);
      }
    });

  it('finds the processes and services to choose from', async () => {
    for (const { definition } of dashboard.templating.list) {
      const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(definition)!;
      const found = await servers.prometheus.query(`count by (${label}) (${filledIn(selector!)})`);
      expect(found.length, definition).to.equal(1);
      expect(found[0]!.labels[label!], definition).to.match(/^(checksum-service|[0-9a-f-]{36})$/);
    }
  });

  it('counts every request of the demo', async () => {
    await wait(2500); // one more push
    const counted = await servers.prometheus.value('sum(http_server_requests_total)');
    compareNumber('c', 'requests of the demo, through examples/collector', requests, counted!);
  });
});
