import { readFileSync } from 'node:fs';

/**
 * A plugin for esbuild: modules that are put together go on finding files by the place each had. `placeOf`: the expression that stands for
 * `import.meta.url` in the module of this path.
 */
export const placeOfModules = (placeOf) => ({
  name: 'place of modules',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', placeOf(path)),
    })),
});
