/**
 * Puts the modules of `dist` together: a file for each entry point, and chunks for what several of them share. Node.js takes most of the time of an
 * import to find and read files, of which there were 200. Types stay where they are, a file for each module. Part of `npm pack`, after `tsc`.
 */
import { build } from 'esbuild';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { placeOfModules } from './place-of-modules.mjs';

const DIST = resolve('dist');
const { bin = {}, exports } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The entry points that package.json names, and that of the exporter thread. */
const entryPoints = [
  ...new Set([...pathsIn(exports), ...pathsIn(bin), './dist/thread/entry.js'].map((path) => resolve(path))),
].filter((path) => path.endsWith('.js'));

function pathsIn(named) {
  return typeof named === 'string' ? [named] : Object.values(named).flatMap(pathsIn);
}

/** Stands for `dist`, as seen from the file that a module comes to be in. */
const FROM_HERE = '@dist';

/** Where the user's own bundler makes CommonJS of it, a module has no place. */
const placeOf = (path) =>
  `(import.meta.url && new URL(${JSON.stringify(`${FROM_HERE}/${relative(DIST, path)}`)}, import.meta.url).href)`;

const { outputFiles } = await build({
  entryPoints,
  outbase: DIST,
  outdir: DIST,
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'linked',
  legalComments: 'none',
  write: false,
  plugins: [placeOfModules(placeOf)],
});

for (const path of readdirSync(DIST, { recursive: true }))
  if (/\.js(\.map)?$/.test(path)) rmSync(join(DIST, path));
for (const { path, text } of outputFiles)
  writeFileSync(path, text.replaceAll(`"${FROM_HERE}/`, `"${relative(dirname(path), DIST) || '.'}/`));
