/** The integration example of the founding specification, as a service that is asked for real, in each mode. */
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../examples/demo/free-port.ts';
import { parseStrictly, type Sample } from './export/strict-parser.ts';
import { eventually } from './support/eventually.ts';
import { start } from './support/program.ts';

describe('example metrics-provider', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-'));
    writeFileSync(join(folder, 'app.toml'), '[server]\nname = "api"\n\n[event_processor]\nenabled = true\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [mode, asked] of [
    ['seqlock', 'seqlock'],
    ['standard', 'standard'],
    ['compare', 'compare'],
    ['seqlock', 'app.toml'],
  ] as const)
    it(`counts, gauges and times requests: ${asked}`, async () => {
      const argument = asked === 'app.toml' ? join(folder, asked) : asked;
      const program = start(process.execPath, ['build/examples/metrics-provider.js', argument], {
        env: { PORT: String(await freePort()) },
      });
      let said = '';
      program.child.stdout!.on('data', (text: string) => (said += text));
      const port = await eventually(async () => /localhost:(\d+)/.exec(said)?.[1]);
      const url = `http://localhost:${port}`;
      const scrape = async (): ReturnType<typeof scrapeOf> => scrapeOf(`${url}/metrics`);
      for (let i = 0; i < 3; i++) expect(await (await fetch(`${url}/work`)).text()).to.equal('done\n');
      await fetch(`${url}/work`, { method: 'POST' });
      const slow = fetch(`${url}/work?ms=700`);
      expect(await eventually(async () => ((await scrape()).active === 1 ? true : undefined))).to.equal(true);
      await slow;
      const { counts, active, timed, seconds } = await scrape();
      expect(counts).to.deep.equal({ GET: 4, POST: 1 });
      expect(active).to.equal(0);
      expect(timed).to.equal(5);
      expect(seconds).to.be.within(0.69, 60);
      const json = (await (await fetch(`${url}/metrics.json`)).json()) as {
        uptimeSeconds: number;
        scopes: { metrics: { name: string }[] }[];
      };
      expect(json.uptimeSeconds).to.be.above(0.7);
      expect(json.scopes[0]!.metrics.map(({ name }) => name)).to.deep.equal([
        'api_requests_total',
        'api_requests_active',
        'api_request_duration_seconds',
      ]);
      program.child.kill('SIGTERM');
      const { code, stdout } = await program.outcome;
      expect(code).to.equal(0);
      expect(stdout).to.include(`metrics provider started in ${mode} mode`);
      if (mode === 'compare')
        expect(stdout).to.include('compared 4 series in seqlock and standard mode: no differences');
    });
});

async function scrapeOf(
  url: string,
): Promise<{ counts: Record<string, number>; active: number; timed: number; seconds: number }> {
  const families = parseStrictly(await (await fetch(url)).text());
  const samples = (family: string): readonly Sample[] => families.get(family)?.samples ?? [];
  const value = (family: string, sample: string): number =>
    samples(family).find(({ name }) => name === sample)?.value ?? Number.NaN;
  const counts = samples('api_requests_total').map((sample) => [sample.labels['method'], sample.value]);
  return {
    counts: Object.fromEntries(counts) as Record<string, number>,
    active: value('api_requests_active', 'api_requests_active'),
    timed: value('api_request_duration_seconds', 'api_request_duration_seconds_count'),
    seconds: value('api_request_duration_seconds', 'api_request_duration_seconds_sum'),
  };
}
