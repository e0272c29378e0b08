/** Snapshots made at random, with what is hostile over-represented. Reproducible by seed. */
import type { Attributes } from '@opentelemetry/api';
import type { ResourceMetrics } from '../../src/collect/metric-data.ts';

export type Random = () => number;

/** Mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAMES = [
  'a',
  'a.b',
  'a_b',
  'A_B',
  'a_total',
  'a_created',
  'a_bucket',
  'a_count',
  'a_sum',
  'a_info',
  'target',
  'target_info',
  '日本',
  '1st',
  '__x__',
  'a:b',
  'a-b/c',
  '',
  'a_seconds',
  '_',
  'le',
  'x\ny',
  'q"q',
  'b\\s',
  'a\0b',
  '\ud800',
  '0',
  'NaN',
  '{}',
  'a b',
  'total',
  '_total',
  'up',
];
const KEYS = [
  'le',
  'quantile',
  '__name__',
  'a.b',
  'a_b',
  'a',
  'A',
  '',
  '1a',
  '日本',
  '人',
  'x\ny',
  'q"',
  '\\',
  'job',
  'instance',
  'otel.scope.name',
  'otel_scope_name',
  'trace_id',
  'exported_le',
  'toString',
  '__proto',
  '\ud800',
  '\udfff',
  'a\0',
];
const VALUES: unknown[] = [
  '',
  'v',
  'w',
  '"',
  '\\',
  '\n',
  '\\n',
  '\r',
  '\t',
  '\0',
  '\ud800',
  '\udc00',
  '😀',
  'a'.repeat(300),
  '}',
  '{',
  ',',
  '=',
  '#',
  1,
  '1',
  true,
  'true',
  0,
  -0,
  NaN,
  null,
  undefined,
  ['a', 1],
  [],
  { a: 1 },
  1e21,
  '+Inf',
];
const UNITS = [
  '',
  '1',
  's',
  'ms',
  'By',
  '{packet}',
  'By/s',
  '%',
  'm/s',
  '{a}/{b}',
  'widgets',
  'µs',
  '\n',
  'total',
  '"',
  '1/s',
];
const NUMBERS = [
  0,
  1,
  2,
  10,
  99,
  100,
  0.1,
  0.5,
  1e-7,
  1e21,
  1e300,
  5e-324,
  123456789.125,
  2 ** 53,
  2.23606797749979,
];

export function randomMetrics(random: Random): ResourceMetrics {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const times = <T>(most: number, make: (i: number) => T): T[] =>
    Array.from({ length: Math.floor(random() * (most + 1)) }, (_, i) => make(i));
  const attributes = (): Attributes =>
    Object.fromEntries(times(4, () => [pick(KEYS), pick(VALUES)])) as Attributes;
  const start: [number, number] = [1_700_000_000, 5e8];
  const exemplar = (): unknown => ({
    filteredAttributes: random() < 0.5 ? {} : { ...attributes(), ...attributes() },
    value: pick([...NUMBERS, -1, Infinity]),
    timestamp: [1_700_000_000 + Math.floor(random() * 10), Math.floor(random() * 1e3) * 1e6],
    ...(random() < 0.8 && { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }),
  });
  const point = <T>(value: T) => ({
    startTime: start,
    endTime: start,
    attributes: attributes(),
    value,
    ...(random() < 0.3 && { exemplars: times(5, exemplar) }),
  });
  const buckets = (most: number): { offset: number; bucketCounts: number[] } => ({
    offset: Math.floor(random() * 400) - 200,
    bucketCounts: times(most, () => Math.floor(random() * 3)),
  });
  const exponential = (): unknown => {
    const [positive, negative] = [buckets(random() < 0.1 ? 300 : 8), buckets(random() < 0.2 ? 4 : 0)];
    const zeroCount = Math.floor(random() * 3);
    const counts = [...positive.bucketCounts, ...negative.bucketCounts, zeroCount];
    const count = counts.reduce((a, b) => a + b, 0);
    const scale = pick([20, 8, 3, 0, -2, -6, -11, -40, 40]);
    return { count, ...(random() < 0.8 && { sum: count * 1.5 }), scale, zeroCount, positive, negative };
  };
  const metric = (): unknown => {
    const descriptor = {
      name: pick(NAMES),
      description: pick(['', 'text', 'a\nb', 'a\\b', '"q"', '\ud800\0']),
      unit: pick(UNITS),
      type: 'COUNTER',
      valueType: 1,
    };
    const kind = pick([0, 1, 2, 3, 3]);
    if (kind === 1) {
      return {
        descriptor,
        aggregationTemporality: 1,
        dataPointType: 1,
        dataPoints: times(3, () => point(exponential())),
      };
    }
    if (kind !== 0) {
      const signed = [...NUMBERS, -1, -0.5, NaN, Infinity, -Infinity];
      const isMonotonic = kind === 3 && random() < 0.5;
      return {
        descriptor,
        aggregationTemporality: 1,
        dataPointType: kind,
        isMonotonic,
        dataPoints: times(4, () => point(pick(isMonotonic ? NUMBERS : signed))),
      };
    }
    const boundaries = pick([[], [0], [1, 2.5, 1e6], [-5, 0, 5], [1e-7, 0.1, 123456.5, 1e21]]);
    return {
      descriptor,
      aggregationTemporality: 1,
      dataPointType: 0,
      dataPoints: times(3, () => {
        const counts = [...boundaries, 0].map(() => Math.floor(random() * 5));
        const count = counts.reduce((a, b) => a + b, 0);
        return point({
          count,
          ...(random() < 0.8 && { sum: count * 1.5 }),
          buckets: { boundaries: [...boundaries], counts },
        });
      }),
    };
  };
  return {
    resource: { attributes: random() < 0.2 ? {} : attributes() },
    scopeMetrics: times(3, () => ({
      scope: {
        name: pick(['', 's', 't"\n']),
        version: pick(['', '1']),
        schemaUrl: pick([undefined, 'http://x/y']),
        attributes: pick([undefined, attributes()]),
      },
      metrics: times(4, metric),
    })),
  } as unknown as ResourceMetrics;
}
