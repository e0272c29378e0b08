/**
 * Builds the page of src/page into each folder named: the script with all that it imports, the style, the
 * text, and the licence of what is in it. Part of `npm run build` and of `npm pack`.
 */
import { build } from 'esbuild';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const licence = readFileSync('node_modules/uplot/LICENSE', 'utf8').trim();
const banner = `/*! With uPlot, https://github.com/leeoniya/uPlot\n\n${licence}\n*/`;

const { outputFiles } = await build({
  entryPoints: ['src/page/page.ts', 'src/page/page.css'],
  outdir: 'page',
  bundle: true,
  write: false,
  minify: true,
  format: 'esm',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  banner: { js: banner, css: banner },
  legalComments: 'none',
});

for (const folder of process.argv.slice(2)) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/page.html`, readFileSync('src/page/page.html'));
  for (const { path, contents } of outputFiles)
    writeFileSync(`${folder}/${path.slice(path.lastIndexOf('/') + 1)}`, contents);
}
