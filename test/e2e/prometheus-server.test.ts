/**
 * A real Prometheus server scrapes a real process, and is asked what it has. Needs `prometheus` and `promtool` (Debian:
 * apt-get install prometheus). Without them it is skipped, and fails where CI=true.
 */
import { expect } from 'chai';
import { spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../examples/demo/free-port.ts';
import { eventually } from '../support/eventually.ts';
import { start, type RunningProgram } from '../support/program.ts';

interface QueryAnswer {
  readonly status: string;
  readonly data: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] };
}

function has(tool: string): boolean {
  return spawnSync(tool, ['--version']).status === 0;
}

describe('Prometheus', function () {
  this.timeout(90_000);
  let folder: string;
  let demo: RunningProgram;
  let metricsUrl: string;
  let serviceUrl: string;

  before(async function () {
    const missing = ['prometheus', 'promtool'].filter((tool) => !has(tool));
    if (missing.length > 0) {
      if (process.env['CI'] === 'true')
        throw new Error(`${missing.join(' and ')} not found: apt-get install prometheus`);
      console.error(
        `\n  SKIPPED, NOTHING WAS TESTED: ${missing.join(' and ')} not found (apt-get install prometheus)\n`,
      );
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-e2e-'));
    demo = start(process.execPath, ['build/examples/demo/main.js', '--requests', '1000', '--serve']);
    let text = '';
    demo.child.stdout!.on('data', (chunk: string) => (text += chunk));
    [serviceUrl, metricsUrl] = (await eventually(async () => {
      const urls = /Service {2}(\S+)\nMetrics {2}(\S+)/.exec(text);
      return urls === null ? undefined : ([urls[1]!, urls[2]!] as const);
    }, 30_000)) as [string, string];
    expect(text).to.include('All numbers are equal.');
  });

  after(async () => {
    if (demo === undefined) return;
    demo.child.kill('SIGTERM');
    expect((await demo.outcome).code).to.equal(0);
    rmSync(folder, { recursive: true });
  });

  it('has no syntax error to find in the scraped text (promtool check metrics)', async () => {
    const text = await (await fetch(metricsUrl)).text();
    const { stderr, status } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    // 0: clean. 3: readable, with naming advice; the names are this demo's and the exporter's. Anything else: not readable.
    expect(status, stderr).to.be.oneOf([0, 3]);
    expect(stderr).not.to.match(/error while linting|text format parsing error|collected before|duplicate/i);
  });

  it('scrapes every value and answers queries for it', async () => {
    const prometheus = await startPrometheus(folder, new URL(metricsUrl).host);
    try {
      const query = async (expression: string): Promise<number | undefined> => {
        const response = await fetch(
          `${prometheus.url}/api/v1/query?query=${encodeURIComponent(expression)}`,
        );
        const { status, data } = (await response.json()) as QueryAnswer;
        expect(status).to.equal('success');
        return data.result.length === 0 ? undefined : Number(data.result[0]!.value[1]);
      };
      expect(await eventually(() => query('sum(jobs_completed_total)'), 20_000)).to.equal(950);
      expect(await query('up{job="demo"}')).to.equal(1);
      expect(await query('sum(http_server_requests_total)')).to.equal(1000);
      expect(await query('sum(http_server_requests_total{http_response_status_code="404"})')).to.equal(50);
      expect(await query('sum(jobs_duration_count)')).to.equal(950);
      expect(await query('sum(jobs_duration_bucket{le="+Inf"})')).to.equal(950);
      expect(await query('sum(http_server_active_requests)')).to.equal(0);
      for (let i = 0; i < 10; i++) expect((await fetch(serviceUrl)).status).to.equal(200);
      const seen = await eventually(async () => {
        const total = await query('sum(jobs_completed_total)');
        return total === 960 ? total : undefined;
      }, 20_000);
      expect(seen).to.equal(960);
      // Nothing looked like a restarted process meanwhile, though a worker was terminated before.
      expect(await query('sum(resets(jobs_completed_total[1m]))')).to.equal(0);
    } finally {
      prometheus.process.kill('SIGTERM');
      await prometheus.ended;
    }
  });
});

async function startPrometheus(
  folder: string,
  target: string,
): Promise<{ url: string; process: ChildProcess; ended: Promise<unknown> }> {
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    `scrape_configs:\n  - job_name: demo\n    scrape_interval: 1s\n    static_configs:\n      - targets: ['${target}']\n`,
  );
  const url = `http://127.0.0.1:${await freePort()}`;
  const { child, outcome } = start('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${new URL(url).host}`,
    '--log.level=error',
  ]);
  await eventually(async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined), 30_000);
  return { url, process: child, ended: outcome };
}
