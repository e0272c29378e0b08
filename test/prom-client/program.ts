/** Random programs for prom-client and what takes its place. */
import * as fc from 'fast-check';

/** One call, or the making of a metric. Whatever throws, its error counts as what it gave. */
export type Step =
  | {
      readonly do: 'make';
      readonly kind: Kind;
      readonly config: Record<string, unknown>;
      readonly in: number;
    }
  | { readonly do: 'call'; readonly on: number; readonly method: string; readonly args: readonly unknown[] }
  | {
      readonly do: 'child';
      readonly on: number;
      readonly method: string;
      readonly labels: readonly unknown[];
      readonly args: readonly unknown[];
    }
  | {
      readonly do: 'registry';
      readonly on: number;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | { readonly do: 'export'; readonly on: number; readonly how: 'metrics' | 'getMetricsAsJSON' | 'merge' };

export type Kind = 'Counter' | 'Gauge' | 'Histogram' | 'Summary';

export interface Program {
  readonly openMetrics: boolean;
  readonly steps: readonly Step[];
}

export const REGISTRIES = 2;
const LABEL_NAMES = ['a', 'b', 'méthod', 'le', 'quantile', '0', '_'];

/** What adds up without rounding, in whatever order. */
const exact = fc.integer({ min: -4096, max: 65536 }).map((n) => n / 64);
const odd = fc.constantFrom<unknown>(
  0,
  -0,
  1,
  null,
  undefined,
  NaN,
  Infinity,
  -Infinity,
  '5',
  '',
  'x',
  {},
  [],
  true,
  -1,
  1e21,
  0.1,
);
const amount = fc.oneof({ weight: 6, arbitrary: exact }, { weight: 1, arbitrary: odd });

const labelValue = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<unknown>('x', 'y', '1', 1, 200, '200') },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>('', 'a"b\\c\nd', undefined, null, true, 0.5, -0, NaN, 'é😀', [
      'p',
      'q',
    ]),
  },
);
const labelName = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', '_') },
  { weight: 1, arbitrary: fc.constantFrom('z', 'le', 'quantile') },
);
const labels = fc
  .array(fc.tuple(labelName, labelValue), { maxLength: 3 })
  .map((pairs) => Object.fromEntries(pairs));

const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('one', 'two_total', 'three', 'four_total', 'five:x') },
  { weight: 1, arbitrary: fc.constantFrom<unknown>('', 'no-name', '1x', undefined, null) },
);
const config = fc.record(
  {
    name,
    help: fc.constantFrom<unknown>('help', 'h\\1\n2"', 'other', 'other', ''),
    labelNames: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<unknown>(['a'], ['a', 'b'], ['b', 'a', '_'], []) },
      { weight: 1, arbitrary: fc.subarray(LABEL_NAMES) },
    ),
    aggregator: fc.constantFrom('sum', 'first', 'min', 'max', 'average', 'omit'),
    enableExemplars: fc.boolean(),
    collect: fc.constantFrom<unknown>(undefined, undefined, undefined, null, 'no', 5),
    buckets: fc.constantFrom([1, 5, 10], [0.1, 0.5, 2.5, 100], [], [-5, 0, 5], [1, Infinity]),
    percentiles: fc.constantFrom([0.5], []),
  },
  { requiredKeys: ['name', 'help'] },
);

const kind = fc.constantFrom<Kind>('Counter', 'Gauge', 'Histogram', 'Summary');
const metric = fc.nat({ max: 5 });
const registry = fc.nat({ max: REGISTRIES - 1 });

const METHODS = ['inc', 'dec', 'set', 'observe', 'inc', 'observe', 'set'];
const exemplarArgs = fc
  .record(
    {
      labels,
      value: amount,
      exemplarLabels: fc.constantFrom({}, { traceId: 'abc' }, { n: 5 }),
    },
    { requiredKeys: [] },
  )
  .map((given) => [given]);
/** A counter refuses what would corrupt its total; prom-client takes it. */
const CORRUPTING: readonly unknown[] = ['', NaN];
const isCorrupting = (method: string, given: readonly unknown[]): boolean =>
  method === 'inc' &&
  given.some((one) => CORRUPTING.includes(one) || CORRUPTING.includes((one as { value?: unknown })?.value));
const args = fc.oneof(
  fc.tuple(amount),
  fc.tuple(labels, amount),
  fc.tuple(labels),
  fc.constant([]),
  exemplarArgs,
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('make' as const), kind, config, in: registry }) },
  {
    weight: 16,
    arbitrary: fc
      .record({
        do: fc.constant('call' as const),
        on: metric,
        method: fc.constantFrom(...METHODS),
        args,
      })
      .filter((one) => !isCorrupting(one.method, one.args)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        do: fc.constant('call' as const),
        on: metric,
        method: fc.constantFrom('reset', 'remove', 'remove', 'zero', '_getValue'),
        args: fc.oneof(fc.tuple(labels), fc.array(labelValue, { maxLength: 2 })),
      })
      .filter(({ method, args: [first] }) => method !== 'zero' || typeof first === 'object'),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        do: fc.constant('child' as const),
        on: metric,
        method: fc.constantFrom(...METHODS),
        labels: fc.oneof(fc.tuple(labels), fc.array(labelValue, { maxLength: 2 })),
        args: fc.oneof(fc.tuple(amount), fc.constant([])),
      })
      .filter((one) => !isCorrupting(one.method, one.args)),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('registry' as const),
      on: registry,
      method: fc.constantFrom(
        'clear',
        'resetMetrics',
        'removeSingleMetric',
        'getSingleMetric',
        'setDefaultLabels',
        'setDefaultLabels',
        'setContentType',
      ),
      args: fc.tuple(fc.oneof(fc.constantFrom<unknown>('one', 'two_total', 'three'), labels)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('export' as const),
      on: registry,
      how: fc.constantFrom(
        'metrics' as const,
        'metrics' as const,
        'getMetricsAsJSON' as const,
        'merge' as const,
      ),
    }),
  },
);

export const program: fc.Arbitrary<Program> = fc.record({
  openMetrics: fc.boolean(),
  steps: fc.array(step, { minLength: 4, maxLength: 40 }),
});
