/** What an app may do to its exporter thread, with real processes: scrapes and pushes go on, and the app's end is its own. */
import { expect } from 'chai';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../examples/demo/free-port.ts';
import { otlpTotal } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver, type OtlpReceiver, type OtlpRequest } from '../../examples/demo/otlp-receiver.ts';
import { eventually } from '../support/eventually.ts';
import type { Hardship } from '../support/hard-app.ts';
import { start, type RunningProgram } from '../support/program.ts';

const APP = fileURLToPath(new URL('../support/hard-app.js', import.meta.url));
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
  const scrape = async (port: number): Promise<string> =>
    (await fetch(`http://localhost:${port}/metrics`)).text();

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
    const blackHole = createServer(() => {});
    await new Promise<void>((resolve) => blackHole.listen(0, '127.0.0.1', resolve));
    const silent = `http://127.0.0.1:${(blackHole.address() as AddressInfo).port}`;
    for (const [what, at] of [
      ['nobody at the port', url],
      ['nobody at the port, noticed before', url],
      ['nobody at the port, noticed before', silent],
    ] as const) {
      const app = start(process.execPath, [APP, what, at]);
      await new Promise((resolve) => app.child.stdout!.once('data', resolve));
      const started = performance.now();
      const { code } = await app.outcome;
      expect(code).to.equal(0);
      expect(performance.now() - started, `${what}, ${at}: of 3 s that it might take`).to.be.below(2000);
    }
    blackHole.close();
    blackHole.closeAllConnections();
  });
});
