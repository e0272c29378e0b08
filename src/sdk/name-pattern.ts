const WILDCARD = /[*?]/;

/** True if a pattern may match more than one name. */
export function hasWildcard(pattern: string): boolean {
  return WILDCARD.test(pattern);
}

/**
 * Matches names: `*` stands for any characters or none, `?` for exactly one, everything else for itself. Case
 * does not matter, as in instrument names (specification, view and instrument name).
 *
 * The pieces between two `*` are searched from left to right, and each is taken at its first place. A later
 * place could not match where the first does not, so nothing is tried twice: the time is at most the product
 * of both lengths.
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
