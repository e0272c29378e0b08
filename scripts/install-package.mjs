import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Makes a project of `folder`, and installs this package in it as npm would publish it, with `packages` from npm. */
export function installPackage(folder, manifest, packages) {
  const npm = (...args) =>
    execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const [{ filename }] = JSON.parse(npm('pack', '--json', '--silent', '--pack-destination', folder, root));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'consumer', private: true, ...manifest }),
  );
  npm('install', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`, ...packages);
}
