import { expect } from 'chai';
import * as fc from 'fast-check';
import { hasWildcard, namePattern } from '../../src/sdk/name-pattern.ts';

/** The rule, letter by letter: what `*` and `?` mean, tried out. */
function fits(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (pattern[0] === '*')
    return fits(pattern.slice(1), name) || (name !== '' && fits(pattern, name.slice(1)));
  if (name === '') return false;
  const same = pattern[0] === '?' || pattern[0]!.toLowerCase() === name[0]!.toLowerCase();
  return same && fits(pattern.slice(1), name.slice(1));
}

describe('namePattern', () => {
  for (const [pattern, names, others] of [
    ['jobs', ['jobs', 'JOBS'], ['job', 'jobs.x', 'xjobs']],
    ['*', ['', 'jobs', 'a.b'], []],
    ['http.*', ['http.', 'http.server', 'HTTP.x.y'], ['http', 'xhttp.y', 'httpx']],
    ['*.duration', ['http.duration', '.duration'], ['duration', 'http.durations']],
    ['a*b*c', ['abc', 'aXbYc', 'abbcc'], ['ab', 'acb']],
    ['j?bs', ['jobs', 'jabs', 'j.bs'], ['jbs', 'joobs']],
    ['?', ['a'], ['', 'ab']],
    ['a.b', ['a.b'], ['axb']],
    ['a+(b)[c]{d}^$|\\', ['a+(b)[c]{d}^$|\\'], ['aa']],
    ['', [''], ['a']],
  ] as const)
    it(JSON.stringify(pattern), () => {
      const test = namePattern(pattern);
      expect(names.filter((name) => !test(name))).to.deep.equal([]);
      expect((others as readonly string[]).filter(test)).to.deep.equal([]);
    });

  it('fits what the rule says, for random patterns and names', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'B', '.', '*', '?', '_'), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (pattern, name) => {
        expect(namePattern(pattern)(name)).to.equal(fits(pattern, name));
      }),
      { numRuns: 500 },
    );
  });

  it('knows a pattern that may fit several names', () => {
    expect(['a*', '?', 'x?y', '**'].map(hasWildcard)).to.deep.equal([true, true, true, true]);
    expect(['a', '', 'a.b-c/d'].map(hasWildcard)).to.deep.equal([false, false, false]);
  });

  it('takes no more steps for many wildcards than for few', () => {
    // A matcher that tries every place of every `*` would take 10^20 steps.
    expect(namePattern(`${'*a'.repeat(30)}*b`)('a'.repeat(255))).to.equal(false);
    expect(namePattern(`${'*?a'.repeat(30)}*b`)(`${'a'.repeat(254)}b`)).to.equal(true);
  });
});
