import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

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
    plugins: [
      {
        name: 'place of modules',
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.js$/ }, ({ path }) => ({
            contents: readFileSync(path, 'utf8').replaceAll(
              'import.meta.url',
              JSON.stringify(pathToFileURL(path).href),
            ),
          }));
        },
      },
    ],
  });
  return name;
}
