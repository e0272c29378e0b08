import { expect } from 'chai';
import type { ColumnKind } from '../../src/collect/rows/column.ts';
import {
  escapedName,
  labelName,
  metricName,
  wellFormed,
  type TranslationStrategy,
} from '../../src/export/prometheus-name.ts';
import { unitWords } from '../../src/export/prometheus-unit.ts';

const full = (
  name: string,
  unit: string,
  kind: ColumnKind,
  strategy: TranslationStrategy = 'UnderscoreEscapingWithSuffixes',
): string => {
  const { base, typeSuffix } = metricName(name, unit, kind, strategy);
  return base + typeSuffix;
};

describe('unitWords', () => {
  const UNITS: Readonly<Record<string, string>> = {
    d: 'days',
    h: 'hours',
    min: 'minutes',
    s: 'seconds',
    ms: 'milliseconds',
    us: 'microseconds',
    ns: 'nanoseconds',
    By: 'bytes',
    KiBy: 'kibibytes',
    MiBy: 'mebibytes',
    GiBy: 'gibibytes',
    TiBy: 'tibibytes',
    KBy: 'kilobytes',
    MBy: 'megabytes',
    GBy: 'gigabytes',
    TBy: 'terabytes',
    m: 'meters',
    V: 'volts',
    A: 'amperes',
    J: 'joules',
    W: 'watts',
    g: 'grams',
    Cel: 'celsius',
    Hz: 'hertz',
    '1': '',
    '%': 'percent',
    '': '',
    '{packet}': '',
    '{packet}/s': 'per_second',
    'By/s': 'bytes_per_second',
    'm/s': 'meters_per_second',
    'km/h': 'km_per_hour',
    'By{transferred}': 'bytes',
    '{a}/{b}': '',
    '1/s': 'per_second',
    widgets: 'widgets',
    'a b': 'a_b',
    toString: 'toString',
    '/': '',
    '{': '',
  };
  for (const [unit, words] of Object.entries(UNITS))
    it(`writes units as words: ${JSON.stringify(unit)} as ${JSON.stringify(words)}`, () =>
      expect(unitWords(unit)).to.equal(words));
});

describe('metricName', () => {
  const NAMES: [string, string, ColumnKind, string][] = [
    ['http.server.requests', '{request}', 'counter', 'http_server_requests_total'],
    ['http.server.duration', 'ms', 'histogram', 'http_server_duration_milliseconds'],
    ['requests_total', '', 'counter', 'requests_total'],
    ['sent_bytes_total', 'By', 'counter', 'sent_bytes_total'],
    ['sent_total', 'By', 'counter', 'sent_bytes_total'],
    ['seconds_before_birthday', 's', 'gauge', 'seconds_before_birthday_seconds'],
    ['utilization', '1', 'gauge', 'utilization_ratio'],
    ['hits', '1', 'counter', 'hits_total'],
    ['a..b--c', '', 'gauge', 'a_b_c'],
    ['1st', '', 'gauge', '_1st'],
    ['日本', '', 'gauge', ''],
    ['日本', 's', 'counter', ''],
    ['_', 's', 'gauge', '_seconds'],
    ['utilization', '1', 'up-down-counter', 'utilization'],
    ['total', '', 'counter', 'total_total'],
    ['a:b', '', 'gauge', 'a:b'],
    ['', '', 'gauge', ''],
  ];
  for (const [name, unit, kind, prometheus] of NAMES)
    it(`translates by the rules: ${kind} ${name} in ${unit} is ${prometheus}`, () =>
      expect(full(name, unit, kind)).to.equal(prometheus));

  it('follows the other strategies', () => {
    expect(full('a.b', 's', 'counter', 'UnderscoreEscapingWithoutSuffixes')).to.equal('a_b');
    expect(full('a.b', 's', 'counter', 'NoUTF8EscapingWithSuffixes')).to.equal('a.b_seconds_total');
    expect(full('a.b', 's', 'counter', 'NoTranslation')).to.equal('a.b');
  });
});

describe('labelName', () => {
  it('makes keys legal', () => {
    const label = (key: string) => labelName(key, 'UnderscoreEscapingWithSuffixes');
    expect(['a.b', '1a', '日本', '', 'a__b', '__name__', 'a:b', 'ok'].map(label)).to.deep.equal([
      'a_b',
      'key_1a',
      '_',
      '_',
      'a_b',
      '_name_',
      'a_b',
      'ok',
    ]);
    expect(labelName('a.b', 'NoTranslation')).to.equal('a.b');
  });
});

describe('escapedName', () => {
  it('escapes by each scheme', () => {
    const NAMES: [string, string, string, string][] = [
      ['no:escaping', 'no:escaping', 'no:escaping', 'no:escaping'],
      ['a.b_c', 'a_b_c', 'a_dot_b__c', 'U__a_2e_b__c'],
      ['my lovely.x', 'my_lovely_x', 'my__lovely_dot_x', 'U__my_20_lovely_2e_x'],
      ['花火', '__', '____', 'U___82b1__706b_'],
      ['😱', '_', '__', 'U___1f631_'],
      ['1a', '_a', '__a', 'U___31_a'],
    ];
    for (const [name, underscores, dots, values] of NAMES) {
      expect(escapedName(name, 'underscores', false)).to.equal(underscores);
      expect(escapedName(name, 'dots', false)).to.equal(dots);
      expect(escapedName(name, 'values', false)).to.equal(values);
      expect(escapedName(name, 'allow-utf-8', false)).to.equal(name);
    }
    expect(escapedName('a:b', 'underscores', true)).to.equal('a_b');
  });
});

describe('wellFormed', () => {
  it('replaces halves of characters and NUL', () => {
    expect(wellFormed('a\ud800b\udc00c\0d😀')).to.equal('a\ufffdb\ufffdc\ufffdd😀');
  });
});
