import { expect } from 'chai';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../examples/demo/free-port.ts';
import { otlpTotal } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver } from '../../examples/demo/otlp-receiver.ts';
import { parseScrape, total } from '../../examples/demo/scraped-text.ts';
import { REGION_FILE } from '../../src/memory/mapped-file.ts';
import { eventually } from '../support/eventually.ts';
import type { LeaderAppJob, Resources } from '../support/leader-app.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

const PROGRAM = fileURLToPath(new URL('../support/leader-app.js', import.meta.url));
const REGISTER = new URL('../../src/register/register.js', import.meta.url).href;

// One test, since its processes take most of its time.
describe('several processes that export one store', function () {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });
  const children: ChildProcess[] = [];
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    removeFolders();
  });

  it('have one that does, and one that takes over, and the last one pushes what is left', async () => {
    const receiver = await startOtlpReceiver();
    const directory = join(newFolder(), 'store');
    const port = await freePort();
    const env = {
      ...process.env,
      SEQLOCK_METRICS_DIRECTORY: directory,
      SEQLOCK_METRICS_QUIET: 'true',
      OTEL_METRICS_EXPORTER: 'prometheus,otlp',
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
    };
    const start = (exporters = env.OTEL_METRICS_EXPORTER): ChildProcess => {
      const variables = { ...env, OTEL_METRICS_EXPORTER: exporters };
      const child = fork(PROGRAM, [], { execArgv: ['--import', REGISTER], env: variables });
      children.push(child);
      return child;
    };
    const ask = async <T>(child: ChildProcess, job: LeaderAppJob): Promise<T> => {
      child.send(job);
      return ((await once(child, 'message')) as [T])[0];
    };
    const leave = async (child: ChildProcess): Promise<void> => {
      child.send({ do: 'leave', how: 'exit' } satisfies LeaderAppJob);
      await once(child, 'close');
    };
    const scraped = (times: number): Promise<true> =>
      eventually(async () => {
        const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
        return total(parseScrape(text), 'hits_total') === times || undefined;
      });
    const { requests } = receiver.inbox('/v1/metrics');
    const pushed = (): number =>
      requests.map((request) => otlpTotal(request, 'hits')).reduce((sum, one) => sum + (one || 0), 0);

    const leader = start();
    await once(leader, 'message');
    await ask(leader, { do: 'count', times: 1 });
    await scraped(1);
    const [follower, another, last] = [start(), start(), start()];
    await Promise.all([follower, another, last].map((child) => once(child, 'message')));
    for (const child of [follower, another, last]) await ask(child, { do: 'count', times: 10 });
    await scraped(31);

    const leading = await ask<Resources>(leader, { do: 'resources' });
    const following = await ask<Resources>(follower, { do: 'resources' });
    expect(leading.threads - following.threads, 'a thread of the leader alone').to.be.at.least(1);
    const recorder = start('none');
    await once(recorder, 'message');
    const recording = await ask<Resources>(recorder, { do: 'resources' });
    expect(following.sockets, 'those of a process that only records').to.equal(recording.sockets);
    recorder.kill('SIGKILL');
    expect(leading.files.filter((name) => name === 'leader')).to.have.length(1);
    const [own, region, slab, ...others] = following.files;
    expect([own, region, others]).to.deep.equal(['exporters', REGION_FILE, []]);
    expect(slab).to.match(/^writers\//);

    expect(await ask(another, { do: 'flush' }), 'by one that follows: the leader pushes').to.equal('flushed');
    await leave(follower);
    expect(requests, 'of those that follow').to.have.length(0);
    leader.kill('SIGKILL');
    await scraped(31);
    expect(pushed()).to.equal(0);
    const { files } = await ask<Resources>(another, { do: 'resources' });
    const [next, other] = files.includes('leader') ? [another, last] : [last, another];
    await leave(next);
    expect(pushed(), 'by the leader, whose end cuts no push off').to.equal(31);
    await ask(other, { do: 'count', times: 5 }); // and leaves before it can have taken over
    await leave(other);
    expect(pushed(), 'by the last one, which did not lead').to.equal(36);
    const ids = requests.map(({ resourceMetrics }) =>
      JSON.stringify(resourceMetrics.map(({ resource }) => resource)),
    );
    expect(new Set(ids)).to.have.property('size', 1);
    await receiver.close();
  });
});
