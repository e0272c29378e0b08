const WILDCARD = /[*?]/;

/** True when a pattern may fit more than one name. */
export function hasWildcard(pattern: string): boolean {
  return WILDCARD.test(pattern);
}

/**
 * Tests names: `*` fits any characters and none, `?` exactly one, everything else itself; without regard to
 * case, as instrument names are compared (specification, view and instrument name).
 *
 * What stands between two `*` is looked for from left to right, and each piece is found at its first place.
 * No later choice of a place could fit where that one does not, so nothing is tried twice: the time is at
 * most the product of both lengths.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const pieces = pattern.split(/\*+/).map(expressionOf);
  if (pieces.length === 1) {
    const whole = new RegExp(`^${pieces[0]!}$`, 'isu');
    return (name) => whole.test(name);
  }
  const first = new RegExp(`^${pieces[0]!}`, 'isu');
  const middle = pieces.slice(1, -1).map((piece) => new RegExp(piece, 'gisu'));
  const last = new RegExp(`${pieces.at(-1)!}$`, 'isu');
  return (name) => {
    let end = first.exec(name)?.[0].length;
    for (const piece of middle) {
      if (end === undefined) return false;
      piece.lastIndex = end;
      end = piece.test(name) ? piece.lastIndex : undefined;
    }
    return end !== undefined && last.test(name.slice(end));
  };
}

function expressionOf(piece: string): string {
  return piece.replaceAll(/[$()+.[\\\]^{|}]/g, String.raw`\$&`).replaceAll('?', '.');
}
