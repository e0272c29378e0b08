import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  flag,
  listOf,
  mapOf,
  milliseconds,
  nearest,
  oneOf,
  table,
  text,
  unknownKey,
  wholeNumber,
} from '../../src/base/options.ts';

interface Inner {
  readonly port?: number;
  readonly host?: string;
}

interface Outer {
  readonly inner?: Inner;
  readonly on?: boolean;
  readonly names?: readonly string[];
}

const inner = table<Inner>({ port: wholeNumber(0, 65_535), host: text });
const outer = table<Outer>(
  { inner, on: flag, names: listOf(oneOf(['a', 'b']), 'an array of names') },
  { prefix: '' },
);

describe('options', () => {
  it('pass where all keys are known and all values are allowed', () => {
    for (const given of [
      {},
      { inner: {} },
      { inner: { port: 0, host: '' }, on: false, names: [] },
      { on: undefined, inner: { port: undefined } },
    ])
      outer(given, 'options of x');
  });

  const wrong: readonly (readonly [unknown, string])[] = [
    [undefined, 'options of x is undefined; it must be an object'],
    [null, 'options of x is null; it must be an object'],
    [[], 'options of x is []; it must be an object'],
    [{ inne: {} }, 'key of options of x is "inne"; it must be one of inner, on, names. Did you mean inner?'],
    [{ zzz: undefined }, 'key of options of x is "zzz"; it must be one of inner, on, names'],
    [{ inner: 5 }, 'inner is 5; it must be an object'],
    [{ inner: { prot: 1 } }, 'key of inner is "prot"; it must be one of port, host. Did you mean port?'],
    [{ inner: { port: -1 } }, 'inner.port is -1; it must be a whole number from 0 to 65535'],
    [{ on: 'yes' }, 'on is "yes"; it must be true or false'],
    [{ on: null }, 'on is null; it must be true or false'],
    [{ names: 'a' }, 'names is "a"; it must be an array of names'],
    [{ names: ['a', 'c'] }, 'names[1] is "c"; it must be one of a, b'],
    // eslint-disable-next-line no-sparse-arrays
    [{ names: ['a', , 'b'] }, 'names[1] is undefined'],
  ];
  for (const [given, message] of wrong)
    it(`are refused with all that helps: ${message}`, () => {
      expect(() => outer(given, 'options of x'))
        .to.throw(TypeError, message)
        .that.includes({ code: 'E_OPTION', name: 'OptionError' });
    });

  it('may have keys of any name where they say so', () => {
    const texts = mapOf(text, 'an object of strings');
    texts({ a: 'b' }, 'texts');
    expect(() => texts({ a: 1 }, 'texts')).to.throw('texts.a is 1; it must be a string');
    expect(() => texts('a=b', 'texts')).to.throw('texts is "a=b"; it must be an object of strings');
  });

  it('name the nearest key, where one is near', () => {
    const keys = ['readers', 'views', 'port', 'timeoutMillis', 'signals', 'intervalMillis'];
    for (const [given, expected] of [
      ['reader', 'readers'],
      ['prot', 'port'],
      ['timeout', 'timeoutMillis'],
      ['TimeoutMilis', 'timeoutMillis'],
      ['sginals', 'signals'],
      ['VIEW', 'views'],
      ['boundaries', undefined],
      ['x', undefined],
      ['', undefined],
      [Symbol('port'), undefined],
      ['port'.repeat(1000), undefined],
    ])
      expect(nearest(given, keys), String(given)).to.equal(expected);
    expect(nearest('SIGNIT', ['SIGINT', 'SIGTERM', 'SIGHUP'])).to.equal('SIGINT');
  });

  it('find each key again after any one slip', () => {
    const keys = ['intervalMillis', 'compression', 'temporality', 'prometheus', 'selfMetrics'];
    fc.assert(
      fc.property(
        fc.constantFrom(...keys),
        fc.nat(),
        fc.constantFrom('swap', 'drop', 'double'),
        (key, at, how) => {
          const i = at % (key.length - 1);
          const [a, b] = [key[i]!, key[i + 1]!];
          const middle = how === 'swap' ? b + a : how === 'drop' ? b : a + a + b;
          expect(nearest(key.slice(0, i) + middle + key.slice(i + 2), keys)).to.equal(key);
        },
      ),
    );
  });

  it('are told of where a wrong one is no error', () => {
    expect(unknownKey('metric m', { units: 's' }, ['unit', 'advice'])).to.equal(
      'metric m has the unknown option "units", which has no effect; it must be one of unit, advice. Did you mean unit?',
    );
    expect(unknownKey('metric m', { unit: 's' }, ['unit'])).to.equal(undefined);
    expect(unknownKey('metric m', undefined, ['unit'])).to.equal(undefined);
  });

  it('of time are what timers can wait', () => {
    milliseconds(2 ** 31 - 1, 'x');
    for (const value of [0, 2 ** 31, 1.5, '5']) expect(() => milliseconds(value, 'x')).to.throw('x is ');
  });
});
