/**
 * Puts the modules of `dist` together: a file for each entry point, and chunks for what several of them share. Node.js takes most of the time of an
 * import to find and read files, of which there were 200. Types stay where they are, a file for each module. Part of `npm pack`, after `tsc`.
 */
import { build } from 'esbuild';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const DIST = resolve('dist');
const { bin = {}, exports } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The entry points that package.json names, and that of the exporter thread. */
const entryPoints = [
  ...new Set([...pathsIn(exports), ...pathsIn(bin), './dist/thread/entry.js'].map((path) => resolve(path))),
].filter((path) => path.endsWith('.js'));

function pathsIn(named) {
  return typeof named === 'string' ? [named] : Object.values(named).flatMap(pathsIn);
}

/**
 * Each module goes on finding files by the place it had. All chunks lie in `dist` itself. Where the user's own bundler makes CommonJS of it, there is
 * no such place.
 */
const placeOfModules = {
  name: 'place of modules',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        'import.meta.url',
        `(import.meta.url && new URL(${JSON.stringify(`./${relative(DIST, path)}`)}, import.meta.url).href)`,
      ),
    })),
};

const { metafile, outputFiles } = await build({
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
  metafile: true,
  write: false,
  plugins: [placeOfModules],
});

const FINDS_FILES = /new URL\([^)]*, (import\.meta\.url|here)\)/;
for (const [output, { inputs }] of Object.entries(metafile.outputs)) {
  const lost = Object.keys(inputs).filter((path) => FINDS_FILES.test(readFileSync(path, 'utf8')));
  if (lost.length > 0 && dirname(resolve(output)) !== DIST)
    throw new Error(`${lost.join(', ')} would be in ${output}, and would not find its files from there`);
}

for (const path of readdirSync(DIST, { recursive: true }))
  if (/\.js(\.map)?$/.test(path)) rmSync(join(DIST, path));
for (const { path, contents } of outputFiles) writeFileSync(path, contents);
