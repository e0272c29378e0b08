const WILDCARD = /[*?]/;

/** True when a pattern may fit more than one name. */
export function hasWildcard(pattern: string): boolean {
  return WILDCARD.test(pattern);
}

/**
 * Tests names: `*` fits any characters and none, `?` exactly one, everything else itself; without regard to case, as instrument names
 * are compared (specification, view and instrument name).
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const source = pattern
    .replaceAll(/[$()+.[\\\]^{|}]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 'isu');
  return (name) => expression.test(name);
}
