/** Every example, run as a user runs it. */
import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { freePort } from '../examples/demo/free-port.ts';
import { otlpTotal } from '../examples/demo/otlp-read.ts';
import { startOtlpReceiver } from '../examples/demo/otlp-receiver.ts';
import { parseScrape, total } from '../examples/demo/scraped-text.ts';
import { eventually } from './support/eventually.ts';
import { runWell, start } from './support/program.ts';

const EXAMPLES = 'build/examples';

const checks: Readonly<Record<string, () => Promise<void>>> = {
  'bound-instruments': async () => {
    const { stdout } = await runWell(process.execPath, [`${EXAMPLES}/bound-instruments.js`]);
    expect(stdout.split('\n')[0]).to.equal('1000');
    expect(stdout).to.match(/min: 1,\s+max: 1000,\s+sum: 500500,\s+count: 1000/);
  },
  'read-now': async () => {
    const { stdout } = await runWell(process.execPath, [`${EXAMPLES}/read-now.js`]);
    expect(stdout.trim().split('\n')).to.deep.equal([
      "orders { payment: 'card' } 2",
      "orders { payment: 'cash' } 1",
      '2 cells read, 0 of them stale',
    ]);
  },
  'worker-threads': async () => {
    const { stdout } = await runWell(process.execPath, [`${EXAMPLES}/worker-threads.js`]);
    expect(stdout.trim()).to.equal('1000000 = 4 x 250000, from threads that are gone');
  },
  processes: async () => {
    const { stdout } = await runWell(process.execPath, [`${EXAMPLES}/processes.js`]);
    const [card, cash, last] = stdout.trim().split('\n');
    const [, total, sent] = /^(\d+) orders counted by 4 processes, one of them killed; (\d+) sent$/.exec(
      last!,
    )!;
    const byPayment = [card, cash].map((line) => Number(/^c\w+ +(\d+)$/.exec(line!)![1]));
    expect(byPayment[0]! + byPayment[1]!).to.equal(Number(total));
    expect(Number(sent)).to.be.at.least(4000);
    expect(Number(total) - Number(sent)).to.be.within(0, 1);
  },
  'piscina-pool': async () => {
    const { stdout } = await runWell(process.execPath, [`${EXAMPLES}/piscina-pool.js`]);
    expect(stdout.split('\n')[0]).to.equal('hashed 100000');
    expect(stdout).to.match(/task\.duration \{[^]*count: 100,/);
  },
  'cpu-workers': async () => {
    const port = await freePort();
    const example = start(process.execPath, [`${EXAMPLES}/cpu-workers.js`], { env: { PORT: String(port) } });
    const url = `http://localhost:${port}`;
    await eventually(async () => ((await fetch(url)).status === 404 ? true : undefined));
    const answers = await Promise.all(
      Array.from({ length: 6 }, async () => (await fetch(`${url}/primes?below=1000`)).json()),
    );
    const byWorker = answers.map((answer) => (answer as { by: number }).by);
    expect(answers.every((answer) => (answer as { primes: number }).primes === 168)).to.equal(true);
    const text = await (await fetch(`${url}/metrics`)).text();
    example.child.kill();
    await example.outcome;
    expect(new Set(byWorker).size).to.equal(2);
    expect(text).to.match(/^http_server_requests_total\{.*path="\/primes"\} 6$/m);
    expect(text).to.match(/^primes_duration_seconds_count\{.*\} 6$/m);
    for (const by of new Set(byWorker))
      expect(text).to.match(new RegExp(`^primes_largest_task\\{.*thread_id="${by}"\\} 1000$`, 'm'));
    expect(text).to.match(/^seqlock_writers\{.*seqlock_writer_state="live"\} 3$/m);
  },
  'hanging-app': async () => {
    const port = await freePort();
    const example = start(process.execPath, [`${EXAMPLES}/hanging-app.js`], {
      env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port) },
    });
    const beats: number[] = [];
    await eventually(async () => {
      const samples = parseScrape(await (await fetch(`http://localhost:${port}/metrics`)).text());
      beats.push(total(samples, 'beats_total', { by: 'worker' }));
      const hangs = total(samples, 'seqlock_thread_blocked_seconds', { thread_id: '0' }) > 1;
      return hangs && beats.at(-1)! > beats.at(-2)! ? true : undefined; // the worker goes on meanwhile
    });
    example.child.kill('SIGKILL');
    const { stdout } = await example.outcome;
    expect(stdout).to.include(`http://localhost:${port}/metrics`);
  },
  export: async () => {
    const receiver = await startOtlpReceiver();
    const port = await freePort();
    const example = start(process.execPath, [`${EXAMPLES}/export.js`, `${receiver.url}/v1/metrics`], {
      env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port) },
    });
    const scrape = await eventually(async () => {
      const text = await (await fetch(`http://localhost:${port}/metrics`)).text();
      return text.includes('ticks_total') ? text : undefined;
    });
    const outcome = await example.outcome;
    await receiver.close();
    expect(scrape).to.match(/^ticks_total\{otel_scope_name="export-example"\} \d+$/m);
    expect(scrape).to.match(/^target_info\{service_name="export-example"\} 1$/m);
    expect(outcome).to.deep.equal({ code: 0, stdout: '', stderr: '' });
    expect(otlpTotal(receiver.inbox('/v1/metrics').requests.at(-1)!, 'ticks')).to.equal(10);
  },
};

describe('examples', () => {
  it('are all run here', () => {
    const names = readdirSync('examples').filter((name) => name.endsWith('.ts'));
    const servers = ['http', 'express', 'fastify', 'hono'].map((name) => `${name}-metrics`); // server-examples.test.ts
    servers.push('metrics-provider'); // metrics-provider-example.test.ts
    expect(names.map((name) => name.replace('.ts', '')).sort()).to.deep.equal(
      [...Object.keys(checks), ...servers].sort(),
    );
  });

  for (const [name, check] of Object.entries(checks)) it(`${name} does what it says`, check);

  it('demo finds every number equal', async () => {
    const { stdout } = await runWell(process.execPath, [`${EXAMPLES}/demo/main.js`, '--requests', '400']);
    expect(stdout).to.include('All numbers are equal.');
    expect(stdout).to.include('totals never fell');
    expect(stdout).to.match(
      /^Several processes: \d+ orders counted by 4 processes, one of them killed; \d+ sent$/m,
    );
    expect(stdout).to.match(/^Four processes, one address: all that was sent was scraped; /m);
    expect(stdout).to.match(/the one that served killed\s+│ 450\s+│ 450\s+│/);
    expect(stdout).to.match(/requests answered 200\s+│ 380\s+│ 380\s+│ 380\s+│ 380\s+│/);
    const terminated = Number(/Terminated a worker that had done (\d+) jobs/.exec(stdout)?.[1]);
    expect(terminated).to.be.greaterThan(40);
  });

  it('demo says what it can be told', async () => {
    const help = await runWell(process.execPath, [`${EXAMPLES}/demo/main.js`, '--help']);
    expect(help).to.deep.include({ stderr: '' });
    expect(help.stdout).to.include('--serve');
    const wrong = start(process.execPath, [`${EXAMPLES}/demo/main.js`, '--sevre']);
    const { code, stderr } = await wrong.outcome;
    expect(code).to.equal(2);
    expect(stderr).to.include("'--sevre'").and.include('--serve').and.not.include('    at ');
  });

  it('demo --serve stays up until it is told to end', async () => {
    const demo = start(process.execPath, [`${EXAMPLES}/demo/main.js`, '--requests', '50', '--serve']);
    let text = '';
    demo.child.stdout!.on('data', (chunk: string) => (text += chunk));
    const [service, metrics] = await eventually(async () => {
      const urls = /Service {2}(\S+)\nMetrics {2}(\S+)/.exec(text);
      return urls === null ? undefined : [urls[1]!, urls[2]!];
    }, 15_000);
    expect((await fetch(service)).status).to.equal(200);
    const jobs = async (): Promise<number> =>
      total(parseScrape(await (await fetch(metrics)).text()), 'jobs_completed_total');
    const before = await jobs();
    await eventually(async () => ((await jobs()) > before + 20 ? true : undefined)); // it makes a load of its own
    demo.child.kill('SIGTERM');
    expect((await demo.outcome).code).to.equal(0);
  });
});
