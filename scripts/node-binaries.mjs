/**
 * Node binaries of other release lines, from the npm packages `node-<platform>-<arch>`, kept outside the repository:
 * in $XDG_CACHE_HOME or, without it, the system's directory for temporary files. What is there is used again.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The release lines the package supports. */
export const LINES = [20, 22, 24, 26];

/** Where binaries of other platforms and lines are kept. */
export const CACHE = join(process.env.XDG_CACHE_HOME ?? tmpdir(), 'seqlock-metrics-node');

function versionOf(binary) {
  const { stdout, status } = spawnSync(binary, ['-v'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** The path of a Node binary of `line`; this process's own if it is of that line, else fetched on first use. */
export function nodeBinary(line) {
  if (Number.parseInt(process.versions.node, 10) === line) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const directory = join(CACHE, String(line));
  const binary = join(directory, 'node_modules', name, 'bin', 'node');
  if (versionOf(binary) === undefined) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{"private":true}\n'); // else npm installs into a parent directory
    execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', `${name}@${line}`], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  if (versionOf(binary) === undefined) throw new Error(`${name}@${line} from npm gives no Node that runs`);
  return binary;
}
