/** What an app recorded before it ended arrives, however it ends; and the exporter thread changes nothing about how it ends. */
import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findMetric, otlpTotal } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver, type OtlpReceiver, type OtlpRequest } from '../../examples/demo/otlp-receiver.ts';
import type { AppWay } from '../support/exporter-app.ts';
import { start, type RunningProgram } from '../support/program.ts';

const APP = fileURLToPath(new URL('../support/exporter-app.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pushes: readonly OtlpRequest[];
  readonly last: OtlpRequest | undefined;
}

/** Ends an app in each way, side by side. `folder` keeps their pushes apart. */
class Apps {
  readonly receiver: OtlpReceiver;

  constructor(receiver: OtlpReceiver) {
    this.receiver = receiver;
  }

  async end(way: AppWay, by: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    const folder = `/${encodeURIComponent(`${way} ${by}`)}`;
    // Time enough for a thread that starts on a machine that does much else.
    const lastExport = JSON.stringify({ timeoutMillis: 20_000 });
    const app = start(process.execPath, [APP, way, `${this.receiver.url}${folder}`, lastExport]);
    let signal: string | null = null;
    app.child.once('exit', (_code, by) => (signal = by));
    await isUp(app);
    if (way.startsWith('wait')) app.child.kill(by);
    const { code, stdout, stderr } = await app.outcome;
    const pushes = this.receiver.inbox(`${folder}/v1/metrics`).requests;
    return { code, signal, stdout, stderr, pushes, last: pushes.at(-1) };
  }
}

function isUp({ child, outcome }: RunningProgram): Promise<unknown> {
  return Promise.race([new Promise((resolve) => child.stdout!.once('data', resolve)), outcome]);
}

const counted = ({ last }: Ended): number | undefined => last && otlpTotal(last, 'counted');

describe('the last export', () => {
  let apps: Apps;
  before(async () => {
    apps = new Apps(await startOtlpReceiver());
  });
  after(() => apps.receiver.close());

  const endings: readonly [AppWay, { code: number | null; signal: string | null; counted: number }][] = [
    ['natural', { code: 0, signal: null, counted: 7 }],
    ['process.exit', { code: 7, signal: null, counted: 7 }],
    ['throw', { code: 1, signal: null, counted: 7 }],
    ['reject', { code: 1, signal: null, counted: 7 }],
    ['wait', { code: null, signal: 'SIGTERM', counted: 5 }],
    ['wait with signal-exit', { code: null, signal: 'SIGTERM', counted: 5 }],
    ['wait with a listener that exits', { code: 8, signal: null, counted: 7 }],
    ['wait with a listener that goes on', { code: 0, signal: null, counted: 7 }],
    ['wait with a listener for once, called first', { code: 9, signal: null, counted: 105 }],
    ['wait, exporter killed', { code: null, signal: 'SIGTERM', counted: 7 }],
    ['exit, exporter killed', { code: 6, signal: null, counted: 7 }],
    ['natural, exporter killed', { code: 0, signal: null, counted: 7 }],
    ['worker ends', { code: 0, signal: null, counted: 7 }],
  ];
  it('delivers what was recorded, and leaves exit code and signal as they are', async () => {
    const pending = [...endings];
    const wrong: unknown[] = [];
    const run = async (): Promise<void> => {
      for (let next; (next = pending.shift()) !== undefined;) {
        const [way, expected] = next;
        const ended = await apps.end(way);
        const found = { code: ended.code, signal: ended.signal, counted: counted(ended) };
        if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push({ way, found, expected, ended });
      }
    };
    await Promise.all([run(), run(), run()]);
    expect(wrong).to.deep.equal([]);
  });

  it('is delivered once where the event loop ends by itself, with what callbacks observe then', async () => {
    const { code, last, pushes, stdout } = await apps.end('observe');
    expect(code).to.equal(0);
    expect(findMetric(last!, 'observed')!.gauge!.dataPoints[0]!.asDouble).to.equal(7);
    expect(pushes.length).to.equal(1);
    expect(stdout.match(/beforeExit/g)?.length, "'beforeExit' comes once, as without it").to.equal(1);
  });

  it('is delivered before SIGINT and SIGHUP end the app, too', async () => {
    for (const by of ['SIGINT', 'SIGHUP'] as const) {
      const ended = await apps.end('wait', by);
      expect({ signal: ended.signal, counted: counted(ended) }).to.deep.equal({ signal: by, counted: 5 });
    }
  });

  it('is not waited for where the thread cannot start', async () => {
    const started = performance.now();
    expect((await apps.end('exit before it fails to start')).code).to.equal(5);
    expect(performance.now() - started, 'of a minute that it might take').to.be.below(40_000);
  });

  describe('where the collector does not answer', () => {
    let silent: Server;
    before(async () => {
      silent = createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    });
    after(() => {
      silent.close();
      silent.closeAllConnections();
    });

    const endAt = async (way: AppWay, lastExport: object | false) => {
      const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const app = start(process.execPath, [APP, way, url, JSON.stringify(lastExport)]);
      await isUp(app);
      const started = performance.now();
      if (way.startsWith('wait')) app.child.kill('SIGTERM');
      const { code, stderr } = await app.outcome;
      return { code, stderr, millis: performance.now() - started };
    };

    it('gives up at the deadline, and ends as it would have', async () => {
      const [exited, natural, signalled] = await Promise.all([
        endAt('process.exit', { timeoutMillis: 400 }),
        endAt('natural', { timeoutMillis: 400 }),
        endAt('wait', { timeoutMillis: 400 }),
      ]);
      expect([exited.code, natural.code, signalled.code]).to.deep.equal([7, 0, null]);
      for (const { millis } of [exited, natural, signalled]) expect(millis).to.be.within(350, 9000);
    });

    it('does not even try when told so', async () => {
      const [exited, signalled] = await Promise.all([
        endAt('process.exit', false),
        endAt('wait', { timeoutMillis: 60_000, signals: [] }),
      ]);
      expect([exited.code, signalled.code]).to.deep.equal([7, null]);
      expect(Math.max(exited.millis, signalled.millis)).to.be.below(30_000);
    });
  });
});
