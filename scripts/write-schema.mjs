/** Writes the JSON Schema of `exportJson()` into the package, for those who validate outside of JavaScript. Part of `npm pack`. */
import { writeFileSync } from 'node:fs';

const { metricsJsonSchema } = await import('../dist/export/json-schema.js');
writeFileSync('dist/metrics.schema.json', `${JSON.stringify(metricsJsonSchema, undefined, 2)}\n`);
