/** The package as npm installs it, for tests that use it from outside. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { runWell } from './program.ts';

export interface Packed {
  /** Of the tarball, in the folder it was packed to. */
  readonly filename: string;
  readonly version: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the package into a folder, as `npm publish` would. */
export async function pack(folder: string): Promise<Packed> {
  const { stdout } = await runWell('npm', ['pack', '--json', '--silent', '--pack-destination', folder]);
  return (JSON.parse(stdout) as [Packed])[0];
}

/** Installs a tarball in a folder that may be a package within another. It has no dependencies, so npm needs no network. */
export async function install(folder: string, tarball: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  const flags = [
    '--offline',
    '--legacy-peer-deps',
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--no-package-lock',
  ];
  await runWell('npm', ['install', ...flags, tarball], { cwd: folder });
}

/** Puts packages of this project's own `node_modules` into those of a folder. */
export function link(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const place = join(folder, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(resolve('node_modules', name), place);
  }
}
