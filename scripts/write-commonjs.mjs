/**
 * Writes the package's CommonJS form: one file and its types. It is for those who cannot load ES modules with `require`: jest, and TypeScript's
 * `module: node16`. Node.js itself never takes it (condition `module-sync`), so a process has one copy of the code. Part of `npm pack`.
 */
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';

const DIST = resolve('dist');

/** Each module goes on finding files by the place it has in `dist`. */
const placeOfModules = {
  name: 'place of modules',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        'import.meta.url',
        `require('node:url').pathToFileURL(require('node:path').join(__dirname, ${JSON.stringify(relative(DIST, path))})).href`,
      ),
    })),
};

await build({
  entryPoints: [`${DIST}/index.js`],
  outfile: `${DIST}/index.cjs`,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  plugins: [placeOfModules],
});

/**
 * The types are those of the ES module, so that a value of the one is a value of the other. A class is a value and a type; for both there is a
 * line.
 */
const values = Object.entries(await import(`${DIST}/index.js`));
const types = [...readFileSync(`${DIST}/index.d.ts`, 'utf8').matchAll(/export type \{([^}]*)\}/g)].flatMap(
  ([, names]) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
);
const isClass = (value) => typeof value === 'function' && /^class\b/.test(String(value));
const lines = [
  `import type * as esm from './index.js' with { 'resolution-mode': 'import' };`,
  ...values.map(([name]) => `export declare const ${name}: typeof esm.${name};`),
  ...values.filter(([, value]) => isClass(value)).map(([name]) => `export type ${name} = esm.${name};`),
  `export type { ${types.join(', ')} } from './index.js' with { 'resolution-mode': 'import' };`,
];
writeFileSync(`${DIST}/index.d.cts`, `${lines.join('\n')}\n`);
