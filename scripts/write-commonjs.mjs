/**
 * Writes the package's CommonJS forms, of `seqlock-metrics` and of `seqlock-metrics/prom-client`: one file each, and its types. It is for those who cannot load ES modules with `require`: jest, and TypeScript's
 * `module: node16`. Node.js itself never takes it (condition `module-sync`), so a process has one copy of the code. Part of `npm pack`.
 */
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { placeOfModules } from './place-of-modules.mjs';

const DIST = resolve('dist');

const placeOf = (path) =>
  `require('node:url').pathToFileURL(require('node:path').join(__dirname, ${JSON.stringify(relative(DIST, path))})).href`;

/** Both lie in `dist` itself. */
for (const [module, name] of [
  ['index', 'index'],
  ['prom-client/prom-client', 'prom-client'],
])
  await build({
    entryPoints: [`${DIST}/${module}.js`],
    outfile: `${DIST}/${name}.cjs`,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // What `require` of the ES module gives, where Node.js can do that.
    ...(name === 'prom-client' && { footer: { js: "module.exports = module.exports['module.exports'];" } }),
    plugins: [placeOfModules(placeOf)],
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

/** Types of the drop-in have parameters: they are those of the default export. */
const dropIn = `./prom-client/prom-client.js`;
const declared = readFileSync(`${DIST}/prom-client/prom-client.d.ts`, 'utf8');
const own = [...declared.matchAll(/type (\w+)(<[^;]*?>)?\s*=\s*names\.(\w+)(<[^>]*>)?;/g)].map(
  ([, name, parameters = '', , given = '']) =>
    `export type ${name}${parameters.replaceAll('names.', 'esm.')} = esm.${name}${given};`,
);
const inner = ['Counter', 'Gauge', 'Histogram', 'Summary', 'Pushgateway'].flatMap((name) => {
  const source = readFileSync(`${DIST}/prom-client/${fileOf(name)}.d.ts`, 'utf8');
  const names = [...source.slice(source.indexOf(`namespace ${name}`)).matchAll(/interface (\w+)(<[^>]*>)?/g)];
  return [
    `export declare namespace ${name} {`,
    ...names.map(([, type, parameters = '']) => {
      const given = parameters.replace(/ extends string/, '');
      return `  type ${type}${parameters} = esm.${name}.${type}${given};`;
    }),
    '}',
  ];
});
writeFileSync(
  `${DIST}/prom-client.d.cts`,
  [
    `import type * as esm from '${dropIn}' with { 'resolution-mode': 'import' };`,
    ...Object.keys(await import(`${DIST}/prom-client/prom-client.js`))
      .filter((name) => /^\w+$/.test(name) && name !== 'default')
      .map((name) => `export declare const ${name}: typeof esm.${name};`),
    ...own,
    ...inner,
    '',
  ].join('\n'),
);

function fileOf(name) {
  return name === 'Pushgateway' ? 'push-gateway' : name.toLowerCase();
}
