/**
 * The OpenTelemetry Collector and Prometheus 3, built from their Go modules into a folder outside the repository, once per
 * version: $SEQLOCK_METRICS_E2E_CACHE, else seqlock-metrics-e2e in $XDG_CACHE_HOME or ~/.cache.
 *
 * Both are built in one module, so that what they have in common (most of Prometheus) is compiled once. `go mod tidy` is left
 * out, and so the module is written here and not by the builder: it asks for the modules that only the tests of others need.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const MANIFEST = 'test/e2e/programs/collector.yaml';
const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.155.0';
/** The release the Collector's Prometheus receiver is made of; v0.312 of the module is 3.12 of the server. */
const PROMETHEUS = 'github.com/prometheus/prometheus@v0.312.0';
/** Leaves out the discovery of targets in clouds, which is most of what there is to compile. */
const TAGS = 'remove_all_sd';

export interface GoPrograms {
  readonly collector: string;
  readonly prometheus: string;
}

/** Where the programs of the pinned versions are, built or not. */
export function goPrograms(): GoPrograms {
  const key = createHash('sha256')
    .update(readFileSync(MANIFEST))
    .update(BUILDER + PROMETHEUS + TAGS)
    .digest('hex')
    .slice(0, 12);
  const cache =
    process.env['SEQLOCK_METRICS_E2E_CACHE'] ??
    join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'seqlock-metrics-e2e');
  const folder = join(cache, key);
  return { collector: join(folder, 'otelcol'), prometheus: join(folder, 'prometheus') };
}

export function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0;
}

/** Builds what is missing. Throws what the Go tools said when they fail. */
export function buildGoPrograms(say: (line: string) => void): void {
  const programs = goPrograms();
  const missing = Object.values(programs).filter((path: string) => !existsSync(path));
  if (missing.length === 0) return;
  const folder = join(programs.collector, '..');
  mkdirSync(folder, { recursive: true });
  // Built beside their place and moved there when they are whole.
  const workshop = mkdtempSync(join(folder, 'build-'));
  const go = (...args: string[]): void => {
    say(`go ${args.join(' ')}`);
    execFileSync('go', args, { cwd: workshop, stdio: ['ignore', 'inherit', 'inherit'] });
  };
  try {
    const manifest = join(process.cwd(), MANIFEST);
    go('run', BUILDER, '--config', manifest, '--skip-compilation', '--skip-get-modules');
    go('mod', 'init', 'otelcol-e2e');
    const modules = [...readFileSync(manifest, 'utf8').matchAll(/gomod: (\S+) (\S+)/g)];
    const requirements = [...modules.map(([, path, version]) => `${path}@${version}`), PROMETHEUS];
    go('mod', 'edit', ...requirements.map((requirement) => `-require=${requirement}`));
    const build = ['build', '-mod=mod', '-trimpath', '-tags', TAGS, '-ldflags=-s -w'];
    go(...build, '-o', 'otelcol', '.');
    go(...build, '-o', 'prometheus', `${PROMETHEUS.split('@')[0]}/cmd/prometheus`);
    renameSync(join(workshop, 'otelcol'), programs.collector);
    renameSync(join(workshop, 'prometheus'), programs.prometheus);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}
