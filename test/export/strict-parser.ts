/**
 * A parser of the exposition formats that takes nothing it was not promised: written from the formats' grammar, for tests only. Throws
 * with the line at the first fault.
 */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: Exemplar;
}

export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly time: number;
}

export interface Family {
  readonly name: string;
  type: string;
  help: string | undefined;
  unit: string | undefined;
  readonly samples: Sample[];
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  histogram: ['_bucket', '_count', '_sum', '_created'],
  info: ['_info'],
};

export function parseStrictly(text: string, format: 'text' | 'openmetrics' = 'text'): Map<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: Family | undefined;
  let lines = text.split('\n');
  const fail = (line: string, why: string): never => {
    throw new Error(`${why}: ${line.slice(0, 300)}`);
  };
  if (text === '' && format === 'text') return families;
  if (lines.pop() !== '') fail(text.slice(-100), 'the last line has no line feed');
  if (format === 'openmetrics') {
    if (lines.pop() !== '# EOF') fail(text.slice(-100), 'no # EOF at the end');
    if (lines.includes('# EOF')) fail('# EOF', 'text after # EOF');
  }
  for (const line of lines) {
    if (line.startsWith('#')) {
      const match =
        /^# (HELP|TYPE|UNIT) (?:"((?:[^"\\\n]|\\["\\n])*)"|([A-Za-z_:][A-Za-z0-9_:]*)) (.*)$/s.exec(line);
      if (match === null) return fail(line, 'neither HELP, TYPE nor UNIT');
      const [, word, quoted, plain, rest] = match;
      const name = plain ?? unescaped(quoted!);
      if (current?.name !== name) {
        if (families.has(name)) fail(line, 'the family is not in one piece');
        current = { name, type: 'untyped', help: undefined, unit: undefined, samples: [] };
        families.set(name, current);
      }
      if (current.samples.length > 0) fail(line, 'metadata after samples');
      if (word === 'HELP') {
        if (current.help !== undefined) fail(line, 'second HELP');
        if (!/^(?:[^\\]|\\[\\n"])*$/s.test(rest!)) fail(line, 'escape in HELP');
        current.help = unescaped(rest!);
      } else if (word === 'TYPE') {
        if (current.type !== 'untyped') fail(line, 'second TYPE');
        if (!/^(counter|gauge|histogram|summary|untyped|unknown|info)$/.test(rest!)) fail(line, 'type');
        current.type = rest!;
      } else {
        if (format === 'text') fail(line, 'UNIT is no line of this format');
        if (!name.endsWith(`_${rest}`)) fail(line, 'the name does not end with the unit');
        current.unit = rest!;
      }
      continue;
    }
    const sample = parseSample(line, fail, format === 'openmetrics');
    if (sample.exemplar !== undefined && !/_(total|bucket)$/.test(sample.name)) fail(line, 'exemplar');
    if (current === undefined || !belongs(sample.name, current, format))
      return fail(line, 'a sample outside its family');
    const identity = JSON.stringify([
      sample.name,
      Object.entries(sample.labels)
        .filter(([, v]) => v !== '')
        .sort(),
    ]);
    if (seen.has(identity)) fail(line, 'two samples alike');
    seen.add(identity);
    current.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

function belongs(name: string, { name: family, type }: Family, format: string): boolean {
  if (format === 'text' && type === 'counter') return name === family;
  const suffixes = SUFFIXES[type];
  return suffixes === undefined ? name === family : suffixes.some((suffix) => name === family + suffix);
}

const NUMBER = /[+-]?Inf|NaN|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?/;
const MAX_EXEMPLAR_CHARACTERS = 128;

function parseSample(
  line: string,
  fail: (line: string, why: string) => never,
  mayHaveExemplar: boolean,
): Sample {
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    const sticky = new RegExp(pattern.source, 'ys');
    sticky.lastIndex = at;
    const match = sticky.exec(line);
    if (match === null) return undefined;
    at = sticky.lastIndex;
    return match[0];
  };
  /** Labels up to the closing brace; the first may be the metric's name in quotes, if it has none yet. */
  const takeLabels = (mayBeNamed: boolean): { labels: Record<string, string>; quotedName?: string } => {
    const labels: Record<string, string> = Object.create(null) as Record<string, string>;
    let quotedName: string | undefined;
    for (let first = true; take(/\}/) === undefined; first = false) {
      if (!first && take(/,/) === undefined) fail(line, 'comma between labels');
      let label = take(/[A-Za-z_][A-Za-z0-9_]*/);
      if (label === undefined) {
        const quoted = take(/"(?:[^"\\\n]|\\["\\n])*"/);
        if (quoted === undefined) return fail(line, 'label name');
        label = unescaped(quoted.slice(1, -1));
        if (first && mayBeNamed && !line.startsWith('=', at)) {
          quotedName = label;
          continue;
        }
      }
      if (take(/=/) === undefined) fail(line, 'no =');
      const value = take(/"(?:[^"\\\n]|\\["\\n])*"/);
      if (value === undefined) return fail(line, 'label value');
      if (label === '__name__') fail(line, '__name__ as a label');
      if (label in labels) fail(line, `label ${label} twice`);
      labels[label] = unescaped(value.slice(1, -1));
    }
    return { labels, ...(quotedName !== undefined && { quotedName }) };
  };
  const plainName = take(/[A-Za-z_:][A-Za-z0-9_:]*/);
  const { labels, quotedName } =
    take(/\{/) === undefined
      ? { labels: Object.create(null) as Record<string, string> }
      : takeLabels(plainName === undefined);
  const name = plainName ?? quotedName ?? fail(line, 'no name');
  if (take(/ /) === undefined) fail(line, 'no space before the value');
  const value = numberOf(take(NUMBER) ?? fail(line, 'value'));
  if (at === line.length) return { name, labels, value };
  if (!mayHaveExemplar || take(/ # \{/) === undefined) fail(line, 'text after the value');
  const ofExemplar = takeLabels(false).labels;
  const characters = Array.from(Object.entries(ofExemplar).flat().join('')).length;
  if (characters > MAX_EXEMPLAR_CHARACTERS) fail(line, 'too many characters in an exemplar');
  if (take(/ /) === undefined) fail(line, 'no space before the value of the exemplar');
  const exemplarValue = numberOf(take(NUMBER) ?? fail(line, 'value of the exemplar'));
  const time = take(/ [0-9]+(?:\.[0-9]+)?/) ?? fail(line, 'time of the exemplar');
  if (at < line.length) fail(line, 'text after the exemplar');
  return { name, labels, value, exemplar: { labels: ofExemplar, value: exemplarValue, time: Number(time) } };
}

function checkHistogram({ name, samples }: Family): void {
  const rows = new Map<string, { last: number; bound: number; count?: number }>();
  for (const { name: sampleName, labels, value } of samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(Object.entries(others).sort());
    let row = rows.get(key);
    if (sampleName === `${name}_bucket`) {
      if (le === undefined) throw new Error(`${name}: bucket without le`);
      if (row === undefined) rows.set(key, (row = { last: 0, bound: -Infinity }));
      if (!(numberOf(le) > row.bound)) throw new Error(`${name}: le ${le} after ${row.bound}`);
      if (value < row.last) throw new Error(`${name}: buckets fall`);
      row.bound = numberOf(le);
      row.last = value;
    } else if (le !== undefined) throw new Error(`${name}: le outside a bucket`);
    else if (sampleName === `${name}_count`) {
      if (row === undefined || row.last !== value) throw new Error(`${name}: count is not the +Inf bucket`);
    }
  }
  for (const { bound } of rows.values()) if (bound !== Infinity) throw new Error(`${name}: no +Inf bucket`);
}

export function numberOf(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([\\n"])/g, (_, char: string) => (char === 'n' ? '\n' : char));
}
