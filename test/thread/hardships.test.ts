/** What an app may do to its exporter thread, with real processes: scrapes and pushes go on, and the app's end is its own. */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../examples/demo/free-port.ts';
import { otlpTotal } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver, type OtlpReceiver, type OtlpRequest } from '../../examples/demo/otlp-receiver.ts';
import { eventually } from '../support/eventually.ts';
import type { Hardship } from '../support/hard-app.ts';
import { start, type RunningProgram } from '../support/program.ts';
import { hasZstd, zstdText } from '../support/zstd.ts';

const APP = fileURLToPath(new URL('../support/hard-app.js', import.meta.url));
const TEXT = 'text/plain';
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const CODINGS = ['identity', 'gzip', ...(hasZstd ? ['zstd'] : [])];
const FORMS: readonly [accept: string, coding: string][] = [
  TEXT,
  'application/openmetrics-text; version=1.0.0',
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
].flatMap((accept) => CODINGS.map((coding): [string, string] => [accept, coding]));

interface App extends RunningProgram {
  readonly port: number;
  readonly counted: () => number | undefined;
  readonly pushes: readonly OtlpRequest[];
}

describe('an exporter thread', () => {
  let receiver: OtlpReceiver;
  before(async () => (receiver = await startOtlpReceiver()));
  after(() => receiver.close());

  async function run(what: Hardship, ...others: string[]): Promise<App> {
    const folder = `/${encodeURIComponent(what)}`;
    const url = receiver.url.replace('127.0.0.1', 'localhost') + folder;
    const app = start(process.execPath, [APP, what, url, ...others]);
    const text = await Promise.race([
      new Promise<string>((resolve) => app.child.stdout!.once('data', resolve)),
      app.outcome.then(({ stderr }) => expect.fail(stderr)),
    ]);
    const { port } = JSON.parse(text.split('\n')[0]!) as { port: number };
    const { requests } = receiver.inbox(`${folder}/v1/metrics`);
    return { ...app, port, pushes: requests, counted: () => otlpTotal(requests.at(-1)!, 'counted') };
  }
  const scrape = async (port: number, accept = TEXT, coding = 'identity'): Promise<string> => {
    const response = await fetch(`http://localhost:${port}/metrics`, {
      headers: { accept, 'accept-encoding': coding },
      signal: AbortSignal.timeout(20_000),
    });
    const body = Buffer.from(await response.arrayBuffer());
    // Where `fetch` does not know it.
    const isZstd = body.subarray(0, ZSTD_MAGIC.length).equals(ZSTD_MAGIC);
    return (isZstd ? zstdText(body) : body).toString();
  };

  it('serves, pushes, comes back and exports last while the app has filled the thread pool', async function () {
    this.timeout(180_000); // ten waits, of up to 20 s each on a busy machine
    const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-pool-'));
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const app = await run('a thread pool that is full', fifo);
    try {
      const expectAll = async (): Promise<void> => {
        for (const [accept, coding] of FORMS)
          expect(await scrape(app.port, accept, coding), `${accept} ${coding}`).to.include('counted');
        const before = app.pushes.length;
        await eventually(async () => (app.pushes.length >= before + 2 ? true : undefined), 20_000);
      };
      await expectAll();
      app.child.kill('SIGUSR2'); // the exporter thread dies
      await eventually(() => scrape(app.port), 20_000);
      await expectAll();
      app.child.kill('SIGTERM');
      await eventually(async () => (app.counted() === 7 ? true : undefined), 20_000);
    } finally {
      const writer = openSync(fifo, 'r+'); // the pool's threads go on, which the process waits for at its end
      const { code } = await app.outcome;
      closeSync(writer);
      rmSync(folder, { recursive: true });
      expect(code).to.equal(7);
    }
  });

  it('is tried again where the system has no thread to give', async () => {
    const app = await run('no thread, then one');
    await eventually(() => scrape(app.port));
    app.child.kill('SIGTERM');
    const { code, stderr } = await app.outcome;
    expect({ code, counted: app.counted() }).to.deep.equal({ code: 7, counted: 7 });
    expect(stderr).to.not.include('at new'); // no stack of an error that nobody caught
  });

  it('leaves the end to the app where the system has no thread to give then', async () => {
    const app = await run('no thread at its end');
    const { code, stdout } = await app.outcome;
    expect(code).to.equal(0);
    expect(stdout, "other 'exit' listeners are called").to.include('exit\n');
  });

  it('has its last push, though the app exits while it is being stopped', async () => {
    const app = await run('a stop that is not waited for');
    expect((await app.outcome).code).to.equal(7);
    expect(app.counted()).to.equal(7);
  });

  it('is warned of through a logger that throws, and the app goes on', async () => {
    const app = await run('a logger that throws');
    await eventually(() => scrape(app.port));
    app.child.kill('SIGTERM');
    expect((await app.outcome).code).to.equal(7);
    expect(app.counted()).to.equal(7);
  });

  it('does not hold up the end for a collector that never was there', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    for (const what of ['nobody at the port', 'nobody at the port, in mid-flush'] satisfies Hardship[]) {
      const app = start(process.execPath, [APP, what, url]);
      await new Promise((resolve) => app.child.stdout!.once('data', resolve));
      const started = performance.now();
      const { code } = await app.outcome;
      expect(code).to.equal(0);
      expect(performance.now() - started, `${what}: of 10 s that it might take`).to.be.below(6000);
    }
  });
});
