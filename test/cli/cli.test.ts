import { expect } from 'chai';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { execFile, fork, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { otlpTotal } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver } from '../../examples/demo/otlp-receiver.ts';
import { frameOf, type View } from '../../src/cli/frame.ts';
import { Activity } from '../../src/cli/activity.ts';
import { writersOf } from '../../src/cli/writers.ts';
import { readerOf } from '../../src/collect/directory/store-reader.ts';
import { MetricSource } from '../../src/collect/metric-source.ts';
import { HISTOGRAM_ROW_COUNT, HISTOGRAM_ROW_SUM } from '../../src/collect/rows/histogram.ts';
import * as layout from '../../src/memory/layout.ts';
import { REGION_FILE } from '../../src/memory/mapped-file.ts';
import { Region } from '../../src/memory/region.ts';
import type { LeaderAppJob } from '../support/leader-app.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const LEADER_APP = fileURLToPath(new URL('../support/leader-app.js', import.meta.url));
const REGISTER = new URL('../../src/register/register.js', import.meta.url).href;
const APP = fileURLToPath(new URL('../support/busy-app.js', import.meta.url));

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(...args: string[]): Promise<Said> {
  return new Promise((resolve) =>
    execFile(process.execPath, [MAIN, ...args], { env: {} }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    ),
  );
}

/** What a passive reader must not change. */
function imprint(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(directory, name);
      const { size, mtimeMs, ctimeMs, mode } = statSync(path);
      const hash = statSync(path).isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex')
        : '';
      return [name, size, mtimeMs, ctimeMs, mode, hash].join(' ');
    });
}

describe('the command line', function () {
  const children: ChildProcess[] = [];
  let directory: string;

  async function startApp(): Promise<ChildProcess> {
    const app = fork(APP, [directory]);
    children.push(app);
    await once(app, 'message');
    return app;
  }

  async function kill(app: ChildProcess): Promise<void> {
    const ended = once(app, 'exit');
    app.kill('SIGKILL');
    await ended;
  }

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    directory = join(newFolder(), 'store');
    await startApp();
  });
  after(async () => {
    for (const child of children.splice(0))
      if (child.exitCode === null && child.signalCode === null) await kill(child);
    removeFolders();
  });

  it('reads whole cells beside a process that records without pause, and rings nothing', () => {
    const region = Region.copyOf(directory);
    const source = new MetricSource({ region });
    const seen = new Set<number>();
    while (seen.size < 50) {
      region.takeCopy();
      for (const { description, values, stride, rows } of source.columns().columns)
        for (let row = 0; description.name === 'values' && row < rows; row++) {
          expect(values[row * stride + HISTOGRAM_ROW_SUM]).to.equal(
            values[row * stride + HISTOGRAM_ROW_COUNT],
          );
          seen.add(values[row * stride + HISTOGRAM_ROW_COUNT]!);
        }
    }
    const bytes = readFileSync(join(directory, REGION_FILE));
    expect(bytes.readInt32LE(layout.OBSERVE_INDEX * 4), 'requests').to.equal(0);
    region.copy!.close();
  });

  it('shows who lives, what is recorded and what a terminal may be told', () => {
    const region = Region.copyOf(directory);
    expect(writersOf(region).map(({ process: id }) => id)).to.deep.equal([children[0]!.pid]);
    expect(writersOf(region)[0]!.state).to.be.oneOf(['alive', 'unknown']);
    const activity = new Activity(region);
    activity.sample();
    let sample = activity.sample();
    while (sample.threads[0]!.recordsPerSecond === 0) sample = activity.sample();
    const view: View = {
      sort: 'rate',
      filter: '',
      isFiltering: false,
      isPaused: false,
      opened: undefined,
      selected: 0,
    };
    const screen = { columns: 80, rows: 24, hasColor: false };
    const lines = frameOf(region, sample, view, screen, () => '');
    expect(lines.every((line) => line.length <= 80 && !line.includes('\u001b'))).to.equal(true);
    const metrics = lines.slice(lines.findIndex((line) => line.startsWith('METRIC')) + 1);
    expect(metrics.map((line) => line.split(' ')[0])).to.deep.equal(['values', 'orders']);
    const byName = frameOf(region, sample, { ...view, sort: 'name', filter: 'ORD' }, screen, () => '');
    expect(byName.at(-1)).to.match(/^orders /);
    expect(byName.join('\n')).to.not.include('values');
    const opened = frameOf(
      region,
      sample,
      { ...view, opened: sample.streams[1]!.stream },
      screen,
      () => '42',
    );
    expect(opened.join('\n')).to.include('{"shop":0}').and.include('42');
    region.copy!.close();
  });

  it('reads what an app left that was killed, changes no byte, and needs no right to write', async () => {
    await kill(children[0]!);
    const before = imprint(directory);
    const [text, open, document, report, frame] = await Promise.all([
      run('dump', directory),
      run('dump', '--format', 'openmetrics', directory),
      run('dump', '--format=json', '--metric', 'orders_total', directory),
      run('check', '--format', 'json', directory),
      run('top', '--interval', '100', directory),
    ]);
    expect(text.out).to.include('orders_total{').and.include('target_info');
    expect(text.code).to.equal(0);
    expect(open.out).to.match(/# EOF\n$/);
    const { scopes } = JSON.parse(document.out) as {
      scopes: { metrics: { name: string; points: unknown[] }[] }[];
    };
    expect(scopes[0]!.metrics.map(({ name, points }) => [name, points.length])).to.deep.equal([
      ['orders', 20],
    ]);
    const { writers, problems } = JSON.parse(report.out) as {
      writers: { state: string }[];
      problems: string[];
    };
    expect(problems).to.deep.equal([]);
    expect(writers[0]!.state).to.be.oneOf(['dead', 'unknown']);
    expect(report.code).to.equal(0);
    expect(frame.out).to.include('orders').and.not.include('\u001b');
    expect(imprint(directory)).to.deep.equal(before);
  });

  it('serves what an app left that was killed, and goes on with its deltas where it stopped', async () => {
    const receiver = await startOtlpReceiver();
    const directory = join(newFolder(), 'store');
    const app = fork(LEADER_APP, [], {
      execArgv: ['--import', REGISTER],
      env: {
        ...process.env,
        SEQLOCK_METRICS_DIRECTORY: directory,
        SEQLOCK_METRICS_QUIET: 'true',
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
      },
    });
    const ask = async (job: LeaderAppJob): Promise<void> => {
      app.send(job);
      await once(app, 'message');
    };
    const { requests } = receiver.inbox('/v1/metrics');
    const pushed = (): number =>
      requests.reduce((sum, request) => sum + (otlpTotal(request, 'hits') || 0), 0);
    await once(app, 'message');
    await ask({ do: 'count', times: 5 });
    await ask({ do: 'flush' });
    expect(pushed()).to.equal(5);
    await ask({ do: 'count', times: 3 });
    app.kill('SIGKILL');
    await once(app, 'close');

    const options = join(newFolder(), 'options.json');
    const otlp = { url: `${receiver.url}/v1/metrics`, temporality: 'delta' };
    writeFileSync(options, JSON.stringify({ otlp }));
    const before = imprint(directory);
    const serving = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--options', options, directory]);
    try {
      const line = String((await once(serving.stderr, 'data'))[0]);
      const text = await (await fetch(/http:[^ ,]+/.exec(line)![0])).text();
      expect(text).to.match(/^hits_total\{.*\} 8$/m);
      serving.kill('SIGTERM');
      expect((await once(serving, 'exit'))[0], 'exit status').to.equal(0);
    } finally {
      serving.kill('SIGKILL');
    }
    expect(pushed()).to.equal(8);
    expect(imprint(directory)).to.deep.equal(before);
    await receiver.close();
  });

  it('names what is wrong with a command line, and what was probably meant', async () => {
    const [command, option, value, help] = await Promise.all([
      run('dmp', directory),
      run('dump', '--fromat', 'json', directory),
      run('dump', '--format', 'jsn', directory),
      run('check', '--help'),
    ]);
    expect([command.code, option.code, value.code, help.code]).to.deep.equal([2, 2, 2, 0]);
    expect(command.err).to.include('did you mean dump?');
    expect(option.err).to.include('did you mean --format?');
    expect(value.err).to.include('did you mean json?');
    expect(help.out).to.include('EXIT STATUS').and.include('SYNOPSIS');
  });

  describe('with a store that is broken', () => {
    let broken: string;
    const original = (): Buffer => readFileSync(join(directory, REGION_FILE));

    function write(edit: (bytes: Buffer) => void): string {
      broken = join(newFolder(), 'store');
      mkdirSync(broken);
      const bytes = original();
      edit(bytes);
      writeFileSync(join(broken, REGION_FILE), bytes);
      return broken;
    }

    function codeOf(path: string): string {
      try {
        Region.copyOf(path).copy!.close();
        return 'none';
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      }
    }

    it('has an exit status of its own, and says what is damaged', async () => {
      const extent = layout.EXTENTS_OFFSET;
      write((bytes) =>
        bytes.fill(0xff, extent + layout.EXTENT_HEADER_BYTES, extent + layout.EXTENT_HEADER_BYTES + 40),
      );
      const [damaged, none] = await Promise.all([run('check', broken), run('check', newFolder())]);
      expect([damaged.code, none.code]).to.deep.equal([1, 3]);
      expect(damaged.out).to.include('WRONG: directory of writer 0');
      expect(none.err).to.include('there is no store in');
    });

    it('refuses headers and sizes that no store has, links, and other files', () => {
      expect(codeOf(write((bytes) => bytes.writeUInt8(0, 0)))).to.equal('E_MAGIC');
      expect(codeOf(write((bytes) => bytes.writeUInt8(1, layout.MAX_BYTES_OFFSET)))).to.equal('E_CRC');
      expect(codeOf(write((bytes) => bytes.writeInt32LE(2 ** 30, layout.EXTENTS_END_INDEX * 4)))).to.equal(
        'E_RANGE',
      );
      expect(codeOf(write((bytes) => bytes.writeInt32LE(-1, layout.EXTENTS_END_INDEX * 4)))).to.equal(
        'E_RANGE',
      );
      write(() => {});
      truncateSync(join(broken, REGION_FILE), layout.EXTENTS_OFFSET);
      expect(codeOf(broken)).to.equal('E_RANGE');
      const link = join(newFolder(), 'link');
      symlinkSync(directory, link);
      expect(codeOf(link)).to.equal('E_TYPE');
      const folder = join(newFolder(), 'store');
      mkdirSync(folder);
      symlinkSync(join(directory, REGION_FILE), join(folder, REGION_FILE));
      expect(codeOf(folder)).to.equal('E_TYPE');
    });

    it('copies a cell anew that its writer changed while it was copied', () => {
      const file = join(
        write(() => {}),
        REGION_FILE,
      );
      const region = Region.copyOf(broken);
      const reader = readerOf(region);
      reader.refresh();
      const stream = reader.scopes
        .flatMap(({ streams }) => streams)
        .find(({ description }) => description.name === 'orders')!;
      const cell = stream.cellOf(stream.firstOf(1)) * 8;
      const { readSync } = fs;
      let passes = 0;
      let torn = 0;
      // Stands for a writer: it publishes twice while the bytes are copied, so that they are of two updates.
      fs.readSync = ((fd: number, into: Uint8Array, at: number, bytes: number, offset: number): number => {
        const read = readSync(fd, into, at, bytes, offset);
        const isPass = offset === 0 && bytes === region.usedBytes && ++passes === 2;
        const isAgain = offset === cell && bytes > 8 && bytes < 65_536 && torn < 4;
        if (isPass || isAgain) {
          torn++;
          into.fill(0x3f, at + cell - offset + 8, at + cell - offset + 24);
          const bytesOfFile = readFileSync(file);
          bytesOfFile.writeInt32LE(bytesOfFile.readInt32LE(cell) + 2, cell);
          writeFileSync(file, bytesOfFile);
        }
        return read;
      }) as typeof fs.readSync;
      syncBuiltinESMExports();
      try {
        region.takeCopy();
        const source = new MetricSource({ region });
        const column = source.columns().columns.find(({ description }) => description.name === 'orders')!;
        expect(Array.from(column.values.subarray(0, column.rows))).to.deep.equal(
          Array.from({ length: 20 }, () => 1),
        );
        expect(torn).to.equal(4);
        expect(source.readStats()).to.include({ retryReads: 1, staleReads: 0 });
      } finally {
        fs.readSync = readSync;
        syncBuiltinESMExports();
        region.copy!.close();
      }
    });

    it('names the error where the file is cut off under it', () => {
      write(() => {});
      const region = Region.copyOf(broken);
      truncateSync(join(broken, REGION_FILE), layout.EXTENTS_OFFSET);
      expect(() => region.takeCopy()).to.throw('was cut off');
      region.copy!.close();
    });
  });
});
