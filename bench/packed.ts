/** The package as users have it: what is timed at a start are its files, not the modules they were made of. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../packed/', import.meta.url);
const PROJECT = new URL('../../', import.meta.url);

/** The address of a file of the packed package, in `dist`. */
export function packedFile(name: string): string {
  return new URL(`package/dist/${name}`, FOLDER).href;
}

/** Packs the package beside the build. In a copy of the build, which has no project around it, that was done before. */
export function packBesideBuild(): void {
  if (!existsSync(new URL('tsconfig.json', PROJECT))) return;
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const folder = fileURLToPath(FOLDER);
  const args = ['pack', '--json', '--silent', '--pack-destination', folder, fileURLToPath(PROJECT)];
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { encoding: 'utf8' })) as [
    { filename: string },
  ];
  execFileSync('tar', ['-xzf', filename], { cwd: folder });
}
