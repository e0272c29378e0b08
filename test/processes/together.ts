import { build, type Plugin } from 'esbuild';
import { fileURLToPath, pathToFileURL } from 'node:url';

// Of this file as it is built.
const script = new URL('../../../scripts/place-of-modules.mjs', import.meta.url).href;
const { placeOfModules } = (await import(script)) as {
  readonly placeOfModules: (placeOf: (path: string) => string) => Plugin;
};

/**
 * Puts a program of this folder and all its modules into one file beside it, and returns the name of that. Most
 * of the life of a process that does little goes into finding its modules; of such, three times as many come
 * and go.
 */
export async function together(program: string): Promise<string> {
  const name = `${program}-together`;
  await build({
    entryPoints: [fileURLToPath(new URL(`./${program}.js`, import.meta.url))],
    outfile: fileURLToPath(new URL(`./${name}.js`, import.meta.url)),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    plugins: [placeOfModules((path) => JSON.stringify(pathToFileURL(path).href))],
  });
  return name;
}
