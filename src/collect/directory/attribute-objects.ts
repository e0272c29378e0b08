import type { Attributes } from '@opentelemetry/api';
import type { CanonicalAttributes } from '../../state/attributes.ts';

/** For each key set an object that has its keys and no more room. */
const templates = new WeakMap<readonly string[], object>();
let latestKeys: readonly string[] = [];
let latest: object = {};

/**
 * Attributes as an object. An engine makes room in `{}` for some keys, and a table beside it for more than
 * those; what `JSON.parse` makes has room for its keys alone, and a copy of it too: 48 B instead of 56 for
 * three keys, 72 instead of 96 for six.
 */
export function attributesObject({ keys, values }: CanonicalAttributes): Attributes {
  if (keys !== latestKeys) {
    latestKeys = keys;
    latest = templateOf(keys);
  }
  const attributes = { ...latest } as Record<string, unknown>;
  // Each key is the object's own already, `__proto__` too.
  for (let i = 0; i < keys.length; i++) attributes[keys[i]!] = values[i];
  return attributes as Attributes;
}

function templateOf(keys: readonly string[]): object {
  let template = templates.get(keys);
  if (template === undefined) {
    template = JSON.parse(`{${keys.map((key) => `${JSON.stringify(key)}:null`).join()}}`) as object;
    templates.set(keys, template);
  }
  return template;
}
