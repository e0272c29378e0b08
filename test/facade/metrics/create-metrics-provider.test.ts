import { diag, DiagLogLevel } from '@opentelemetry/api';
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import {
  createMetricsProvider,
  MetricStore,
  OptionError,
  type CreatedMetricsProvider,
  type MetricsConfig,
} from '../../../src/index.ts';
import { run, runWell } from '../../support/program.ts';

const PROGRAM = resolve('build/test/support/no-shared-memory.js');

const made: CreatedMetricsProvider[] = [];
const said: string[] = [];

function make(config?: MetricsConfig | string | URL): CreatedMetricsProvider {
  const provider = createMetricsProvider(config);
  made.push(provider);
  return provider;
}

describe('createMetricsProvider', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-'))));
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    said.length = 0;
    const note =
      (level: string) =>
      (message: string): void =>
        void said.push(`${level}: ${message}`);
    const quiet = (): void => {};
    diag.setLogger(
      { error: quiet, warn: note('warn'), info: note('info'), debug: quiet, verbose: quiet },
      { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true },
    );
  });
  afterEach(async () => {
    await Promise.all(made.splice(0).map((provider) => provider.shutdown()));
    diag.disable();
  });

  function file(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  it('chooses by its configuration, and says what and why', () => {
    const cases: [MetricsConfig | undefined, string, string][] = [
      [undefined, 'standard', 'neither mode nor eventProcessor.enabled is set'],
      [{}, 'standard', 'neither mode nor eventProcessor.enabled is set'],
      [{ eventProcessor: {} }, 'standard', 'neither mode nor eventProcessor.enabled is set'],
      [{ eventProcessor: { enabled: true } }, 'seqlock', 'eventProcessor.enabled is true'],
      [{ eventProcessor: { enabled: false } }, 'standard', 'eventProcessor.enabled is false'],
      [{ mode: 'seqlock' }, 'seqlock', 'mode is "seqlock"'],
      [{ mode: 'standard', eventProcessor: { enabled: true } }, 'standard', 'mode is "standard"'],
      [{ mode: 'compare' }, 'compare', 'mode is "compare"'],
    ];
    for (const [config, mode, reason] of cases) {
      said.length = 0;
      expect(make(config).mode).to.equal(mode);
      expect(said).to.deep.equal([
        `info: seqlock-metrics: metrics provider started in ${mode} mode: ${reason}`,
      ]);
    }
  });

  it('reads TOML and JSON files of an application', () => {
    const cases: [string, string, string, string][] = [
      [
        'a.toml',
        '[event_processor]\nenabled = true  # as the founding specification has it\n',
        'seqlock',
        'event_processor.enabled is true',
      ],
      [
        'b.toml',
        '[server]\nport = 80\n[event_processor]\nenabled = false\nbuffer = "1MB"\n',
        'standard',
        'event_processor.enabled is false',
      ],
      ['c.toml', 'mode = "compare"\n', 'compare', 'mode is "compare"'],
      ['d.toml', '', 'standard', 'neither mode nor event_processor.enabled is set'],
      [
        'a.json',
        '{ "event_processor": { "enabled": true }, "other": [1] }',
        'seqlock',
        'event_processor.enabled is true',
      ],
      ['b.json', '{ "eventProcessor": { "enabled": true } }', 'seqlock', 'event_processor.enabled is true'],
      ['c.json', '{ "mode": "standard" }', 'standard', 'mode is "standard"'],
    ];
    for (const [name, content, mode, reason] of cases) {
      said.length = 0;
      const path = file(name, content);
      expect(make(path).mode, name).to.equal(mode);
      expect(said).to.deep.equal([
        `info: seqlock-metrics: metrics provider started in ${mode} mode: ${reason} in ${path}`,
      ]);
    }
    expect(make(pathToFileURL(join(folder, 'a.toml'))).mode).to.equal('seqlock');
  });

  it('refuses a configuration that it does not understand, and names what is wrong', () => {
    const cases: [unknown, string][] = [
      [null, 'config of createMetricsProvider is null'],
      [7, 'config of createMetricsProvider is 7'],
      [[], 'config of createMetricsProvider is []'],
      [{ mode: 'fast' }, 'mode is "fast"; it must be one of seqlock, standard, compare'],
      [{ modes: 'seqlock' }, 'key of config of createMetricsProvider is "modes"'],
      [{ eventProcessor: true }, 'eventProcessor is true; it must be a table'],
      [{ eventProcessor: { enabled: 'yes' } }, 'eventProcessor.enabled is "yes"'],
      [{ mode: 'seqlock', store: 1 }, 'store is 1'],
      [join(folder, 'missing.toml'), 'a file that can be read: ENOENT'],
      [file('x.yaml', ''), 'a .toml or .json file'],
      [file('x.toml', '[event_processor\nenabled = '), 'without errors: Invalid TOML'],
      [file('x.json', '{ "mode": '), 'without errors: '],
      [file('y.json', '[]'), 'a table of settings'],
      [file('y.toml', '[event_processor]\nenabled = "yes"'), 'event_processor.enabled is "yes"'],
      [file('z.toml', 'event_processor = 3'), 'is 3; it must be a table'],
      [file('m.toml', 'mode = "fast"'), 'is "fast"; it must be one of seqlock, standard, compare'],
    ];
    for (const [config, message] of cases)
      expect(() => make(config as string), message).to.throw(OptionError, message);
    expect(MetricStore.published(), 'a store left open').to.equal(undefined);
  });

  it('names the package to install where TOML cannot be read', async () => {
    // In a folder without it: the package as it is built, and its peers.
    const program = `
      import { register } from 'node:module';
      import Module from 'node:module';
      const load = Module._load;
      Module._load = (name, ...rest) => {
        if (name === 'smol-toml') throw Object.assign(new Error("Cannot find module 'smol-toml'"), { code: 'MODULE_NOT_FOUND' });
        return load(name, ...rest);
      };
      const { createMetricsProvider } = await import(${JSON.stringify(pathToFileURL(resolve('build/src/index.js')).href)});
      try { createMetricsProvider(${JSON.stringify(file('t.toml', 'mode = "standard"'))}); } catch (error) { console.log(error.code, error.message); }
      console.log(createMetricsProvider(${JSON.stringify(file('t.json', '{ "mode": "standard" }'))}).mode);`;
    const { stdout } = await runWell(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout).to.match(
      /^E_OPTION .*a \.json file, or the package smol-toml must be installed, which cannot be loaded \(Cannot find module 'smol-toml'\): npm install smol-toml\nstandard\n$/,
    );
  });

  it('passes on store, resource and readers', () => {
    const store = MetricStore.open({ maxBytes: 2 ** 20 });
    const metrics = make({ mode: 'seqlock', store, resource: { attributes: { app: 'a' } } });
    expect(metrics.mode === 'seqlock' && metrics.meterProvider.store === store).to.equal(true);
    expect(make({ resource: { attributes: { app: 'b' } } }).exportJson().resource.attributes).to.deep.equal({
      app: 'b',
    });
    store.close();
  });

  describe('where there is no shared memory', () => {
    const FALLBACK =
      'info: seqlock-metrics: metrics provider started in standard mode: there is no shared memory';

    function expectFallback(stdout: string, reason: string): void {
      const [warning, info, mode, ...text] = stdout.trim().split('\n');
      expect(warning).to.match(
        /^warn: seqlock-metrics: seqlock mode was requested \(eventProcessor\.enabled is true\)/,
      );
      expect(warning).to.include(reason);
      expect([info, mode]).to.deep.equal([FALLBACK, 'mode standard']);
      expect(text).to.include('c_total 1');
    }

    for (const [flag, reason] of [
      ['harmony-sharedarraybuffer', 'SharedArrayBuffer is not defined'],
      ['harmony-rab-gsab', 'this JavaScript engine has no shared memory that can grow'],
    ] as const)
      it(`falls back to the standard provider: an engine without ${flag}`, async function () {
        if (!execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).includes(`--${flag} `))
          this.skip(); // later engines cannot do without
        const { stdout } = await runWell(process.execPath, [`--no-${flag}`, PROGRAM]);
        expectFallback(stdout, reason);
      });

    it('falls back to the standard provider: an environment that has taken SharedArrayBuffer away', async () => {
      const without = file('without.mjs', 'delete globalThis.SharedArrayBuffer;');
      const { stdout } = await runWell(process.execPath, ['--import', pathToFileURL(without).href, PROGRAM]);
      expectFallback(stdout, 'SharedArrayBuffer is not defined');
    });

    it('falls back to the standard provider: a thread that cannot join the store of the one that made it', async () => {
      const worker = new Worker(new URL('../../support/unjoinable-worker.js', import.meta.url));
      const [found] = (await once(worker, 'message')) as [{ mode: string; value: number; said: string[] }];
      await worker.terminate();
      expect(found).to.deep.include({ mode: 'standard', value: 3 });
      expect(found.said[0]).to.include('not a store of seqlock-metrics');
    });

    it('tells who asks for a store: a process that may not have so much memory', async function () {
      if (process.platform !== 'linux') this.skip();
      const size = `/VmPeak:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]`;
      const kib = Number(execFileSync(process.execPath, ['-p', size], { encoding: 'utf8' }));
      const command = `ulimit -v ${kib + 700_000} && exec "$0" "$@"`;
      const { stdout } = await run('bash', ['-c', command, process.execPath, PROGRAM, String(2 ** 30)]);
      expect(stdout).to.match(
        /^RegionError E_MEMORY cannot reserve 1073741824 bytes of shared memory \(RangeError/,
      );
    });

    it('does not hide a mistake of the caller', () => {
      expect(() => make({ mode: 'seqlock', readers: 7 as never })).to.throw(OptionError, 'readers is 7');
    });
  });
});
