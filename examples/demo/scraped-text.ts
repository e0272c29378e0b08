/** Reads the text a Prometheus server would scrape. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;

/** The samples of a scrape. Throws on a line that is neither a comment nor a sample. */
export function parseScrape(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseSample);
}

function parseSample(line: string): Sample {
  const [, name, labelText = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  let read = 0;
  for (const [whole, label, escaped] of labelText.matchAll(LABEL)) {
    labels[label!] = escaped!.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    read += whole.length;
  }
  if (read !== labelText.length) throw new Error(`labels cannot be read: ${line}`);
  return { name, labels, value: numberOf(value) };
}

function numberOf(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

/** Sum of the samples of one name that have all of `labels`; NaN when there is none, which equals nothing. */
export function total(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return found.length === 0 ? NaN : found.reduce((sum, { value }) => sum + value, 0);
}
