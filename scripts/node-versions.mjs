/** Other Node.js versions, from the npm packages that carry its binary, kept in a cache outside the repository. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'seqlock-metrics');

/**
 * The newest Node.js of a major version: the path of its binary, and its version. Fetched when the cache has none; the
 * environment variable SEQLOCK_METRICS_REFRESH=1 fetches anew.
 */
export function nodeOf(major) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(CACHE, `${name}-${major}`);
  const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(binary) || process.env.SEQLOCK_METRICS_REFRESH === '1') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--loglevel=error', `${name}@${major}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return { binary, version: execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim() };
}
