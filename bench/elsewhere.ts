/**
 * Runs the benchmarks on other release lines of Node.js, and against another line of the official SDK. What is
 * measured is this build: a copy of it, in a folder whose packages are of that line.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packBesideBuild } from './packed.ts';

const BUILD = fileURLToPath(new URL('..', import.meta.url));
const PROJECT = new URL('../../', import.meta.url);

/** What the benchmarks load: of the SDK's line 3, and of packages that are of no line. */
const WITH_SDK_3 = {
  '@opentelemetry/api': '~1.10.0',
  '@opentelemetry/context-async-hooks': '~3.1.0',
  '@opentelemetry/exporter-metrics-otlp-http': '~0.301.0',
  '@opentelemetry/exporter-metrics-otlp-proto': '~0.301.0',
  '@opentelemetry/exporter-prometheus': '~0.301.0',
  '@opentelemetry/otlp-transformer': '~0.301.0',
  '@opentelemetry/resources': '~3.1.0',
  '@opentelemetry/sdk-metrics': '~3.1.0',
};
const AS_IN_PROJECT = ['@prometheus-io/client', 'prom-client'];

/**
 * Runs the benchmarks with `args`, once for each line of Node.js. `nodes` empty: with the Node.js that runs.
 * `sdk` undefined: with the packages of the project. Resolves to the exit code of the first run that failed,
 * else to 0.
 */
export async function runElsewhere(
  nodes: readonly number[],
  sdk: number | undefined,
  args: readonly string[],
): Promise<number> {
  // Of the project, not of a copy of the build: loaded here, where the project is.
  const { CACHE, nodeBinary } = (await import(new URL('scripts/node-binaries.mjs', PROJECT).href)) as {
    readonly CACHE: string;
    readonly nodeBinary: (line: number) => string;
  };
  const build = sdk === 3 ? buildBesideSdk3(join(CACHE, 'bench-sdk3')) : BUILD;
  for (const node of nodes.length > 0 ? nodes.map(nodeBinary) : [process.execPath]) {
    const main = join(build, 'bench', 'main.js');
    const { status } = spawnSync(node, ['--expose-gc', main, ...args], { stdio: 'inherit' });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

/** A copy of the build in `folder`, which has packages of its own. */
function buildBesideSdk3(folder: string): string {
  const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', PROJECT), 'utf8')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const others = Object.fromEntries(AS_IN_PROJECT.map((name) => [name, devDependencies[name]]));
  const manifest = JSON.stringify({
    private: true,
    type: 'module',
    dependencies: { ...WITH_SDK_3, ...others },
  });
  const path = join(folder, 'package.json');
  const isInstalled = existsSync(join(folder, 'node_modules')) && readFileSync(path, 'utf8') === manifest;
  if (!isInstalled) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, manifest);
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  packBesideBuild();
  const build = join(folder, 'build');
  rmSync(build, { recursive: true, force: true });
  cpSync(BUILD, build, { recursive: true });
  return build;
}
