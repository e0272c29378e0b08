/** Random programs. Values and attributes are described, so that a failing program can be printed, shrunk and run twice. */
import { ValueType, type MetricOptions } from '@opentelemetry/api';
import * as fc from 'fast-check';
import { INSTRUMENT_KINDS, isObserved, type InstrumentKind } from '../../src/state/instrument-kind.ts';
import { anyViews, synchronous, type DescribedViews } from './any-views.ts';
import type {
  HistogramSelection,
  MeterArguments,
  Program,
  ReaderPlan,
  Step,
  Temporality,
  ViewPlan,
} from './program.ts';
import { selects } from './streams.ts';

/** Things no literal stands for, by name. Each is made anew for each use. */
const ODD: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  NaN: () => NaN,
  infinity: () => Infinity,
  'minus infinity': () => -Infinity,
  'minus zero': () => -0,
  bigint: () => 2n ** 65n,
  'negative bigint': () => -5n,
  symbol: () => Symbol('s'),
  function: () => () => 1,
  date: () => new Date(86_400_000),
  'boxed string': () => new String('a'),
  circular: () => {
    const loop: unknown[] = [];
    loop.push(loop);
    return loop;
  },
  'throwing toJSON': () => ({
    toJSON() {
      throw new Error('on purpose');
    },
  }),
  'throwing valueOf': () => ({
    valueOf() {
      throw new Error('on purpose');
    },
  }),
  'toJSON of undefined': () => ({ toJSON: () => undefined }),
};

/** A described thing: a plain value, or the name of an odd one. */
interface Described {
  readonly plain?: unknown;
  readonly odd?: string;
}

function make({ plain, odd }: Described): unknown {
  return odd === undefined ? structuredClone(plain) : ODD[odd]!();
}

const plainly = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Described> =>
  values.map((plain) => ({ plain }));
const oddly: fc.Arbitrary<Described> = fc.constantFrom(...Object.keys(ODD)).map((odd) => ({ odd }));

const measurements: fc.Arbitrary<Described> = fc.oneof(
  { weight: 12, arbitrary: plainly(fc.nat(30_000).map((eighths) => eighths / 8)) },
  { weight: 3, arbitrary: plainly(fc.constantFrom(0, 5, 10, 10_000, 10_001, 0.1, 0.2, 1.9, 0.5, 2 ** 53)) },
  { weight: 2, arbitrary: plainly(fc.constantFrom(-1, -0.5, -1.9, -(2 ** 40), -0.1)) },
  { weight: 1, arbitrary: plainly(fc.constantFrom(1e300, 5e-324, '5', '-5', '', null, true, [1], {})) },
  { weight: 1, arbitrary: oddly },
);

const attributeValues: fc.Arbitrary<Described> = fc.oneof(
  {
    weight: 12,
    arbitrary: plainly(fc.constantFrom('a', 'b', '1', 'true', '', 1, 2, 200, 1023, 1024, true, false)),
  },
  {
    weight: 3,
    arbitrary: plainly(fc.constantFrom(0.5, -1, 2 ** 32, null, '\ud800', 'null', '[1]', 'x'.repeat(300))),
  },
  {
    weight: 2,
    arbitrary: plainly(fc.constantFrom(['a'], [1, null], [], ['1'], { a: 1, b: 2 }, { b: 2, a: 1 }, [['a']])),
  },
  { weight: 1, arbitrary: oddly },
);

type Form =
  'plain' | 'no prototype' | 'inheriting' | 'getters' | 'throwing getter' | 'hidden and symbol keys';

interface DescribedAttributes {
  readonly entries?: readonly (readonly [string, Described])[];
  readonly form?: Form;
  /** In place of an object. */
  readonly instead?: Described;
}

function makeAttributes({ entries = [], form, instead }: DescribedAttributes): unknown {
  if (instead !== undefined) return make(instead);
  const base: unknown =
    form === 'no prototype'
      ? null
      : form === 'inheriting'
        ? { inherited: 'not an attribute' }
        : Object.prototype;
  const attributes = Object.create(base as object | null) as object;
  const define = (key: PropertyKey, rest: PropertyDescriptor): unknown =>
    Object.defineProperty(attributes, key, { configurable: true, enumerable: true, ...rest });
  entries.forEach(([key, described], i) => {
    const value = make(described);
    if (form === 'getters') define(key, { get: () => value });
    else if (form === 'throwing getter' && i === 0)
      define(key, {
        get: () => {
          throw new Error('on purpose');
        },
      });
    else define(key, { value, writable: true });
  });
  if (form === 'hidden and symbol keys') {
    define('hidden', { value: 1, enumerable: false });
    define(Symbol('key'), { value: 1 });
  }
  return attributes;
}

/** Few, so that many attribute sets differ in one value alone. */
const keys = fc.oneof(
  { weight: 6, arbitrary: fc.constant('k') },
  { weight: 3, arbitrary: fc.constant('method') },
  { weight: 1, arbitrary: fc.constantFrom('a', 'z', '__proto__', 'toString', '7', '') },
);

const attributes: fc.Arbitrary<DescribedAttributes> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      entries: fc.uniqueArray(fc.tuple(keys, attributeValues), { maxLength: 3, selector: ([key]) => key }),
      form: fc.oneof(
        { weight: 10, arbitrary: fc.constant<Form>('plain') },
        {
          weight: 3,
          arbitrary: fc.constantFrom<Form>(
            'no prototype',
            'inheriting',
            'getters',
            'throwing getter',
            'hidden and symbol keys',
          ),
        },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ instead: { odd: 'undefined' } }) },
  {
    weight: 1,
    arbitrary: plainly(fc.constantFrom(null, 'text', 5, true, ['a'])).map((instead) => ({ instead })),
  },
);

const names = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('requests', 'Requests', 'REQUESTS', 'queue.size', 'time', 'b', 'B'),
  },
  { weight: 1, arbitrary: fc.constantFrom('', '1st', 'zähler', 'with space', `n${'o'.repeat(300)}`) },
);

const boundaries = fc.oneof(
  fc.constantFrom<number[][]>(
    [],
    [1],
    [0, 10, 100],
    [-5, 0, 5],
    [3, 1, 2],
    [1, 1, 2],
    [1, Infinity],
    [-Infinity, 4],
    [NaN, 1],
  ),
  fc.uniqueArray(fc.integer({ min: 0, max: 3000 }), { maxLength: 40 }),
);

const options: fc.Arbitrary<MetricOptions | undefined> = fc.option(
  fc.record(
    {
      description: fc.constantFrom('', 'short', 'a longer text', 'other'),
      unit: fc.constantFrom('', 's', 'By', '{packet}'),
      valueType: fc.constantFrom(ValueType.INT, ValueType.DOUBLE),
      advice: fc.record({ explicitBucketBoundaries: boundaries }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);

const meters: fc.Arbitrary<MeterArguments[]> = fc.array(
  fc.record({
    name: fc.constantFrom('lib', 'Lib', 'other'),
    version: fc.constantFrom(undefined, '1.0'),
    schemaUrl: fc.constantFrom(undefined, 'https://example.com/1'),
  }),
  { minLength: 1, maxLength: 3 },
);

type DescribedStep =
  | {
      step: 'create';
      meter: number;
      kind: InstrumentKind;
      name: string;
      options: MetricOptions | undefined;
      batch: boolean;
    }
  | { step: 'record'; instrument: number; value: Described; attributes: DescribedAttributes; bound: boolean }
  | { step: 'tick'; millis: number }
  | { step: 'collect'; reader: number; observations: DescribedObservation[]; throwing: number[] };

interface DescribedObservation {
  readonly instrument: number;
  readonly value: Described;
  readonly attributes: DescribedAttributes;
}

const seldom = fc.oneof(
  { weight: 4, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);

const create = fc.record({
  step: fc.constant('create' as const),
  meter: fc.nat(2),
  kind: fc.constantFrom(...INSTRUMENT_KINDS),
  name: names,
  options,
  batch: seldom,
});

const instrumentNumbers = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.nat(7) },
);

const collect = fc.record({
  step: fc.constant('collect' as const),
  reader: fc.nat(2),
  observations: fc.array(fc.record({ instrument: instrumentNumbers, value: measurements, attributes }), {
    maxLength: 8,
    size: 'max',
  }),
  throwing: fc.oneof(
    { weight: 6, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.array(fc.nat(3), { maxLength: 2 }) },
  ),
});

const steps: fc.Arbitrary<DescribedStep> = fc.oneof(
  { weight: 2, arbitrary: create },
  {
    weight: 14,
    arbitrary: fc.record({
      step: fc.constant('record' as const),
      instrument: instrumentNumbers,
      value: measurements,
      attributes,
      bound: seldom,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      step: fc.constant('tick' as const),
      millis: fc.constantFrom(1, 7, 1000, 3_600_000),
    }),
  },
  { weight: 3, arbitrary: collect },
);

export interface DescribedProgram {
  readonly cardinalityLimit: number;
  readonly views: DescribedViews;
  readonly readers: readonly ReaderPlan[];
  readonly meters: readonly MeterArguments[];
  readonly steps: readonly DescribedStep[];
}

export const anyProgram: fc.Arbitrary<DescribedProgram> = fc.record({
  cardinalityLimit: fc.oneof(
    { weight: 3, arbitrary: fc.constant(2000) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
  ),
  readers: fc.array(
    fc.record({
      temporality: fc.constantFrom<Temporality>('cumulative', 'delta', 'preferred'),
      histogram: fc.constantFrom<HistogramSelection>('default', 'default', 'explicit', 'exponential'),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  views: anyViews,
  meters,
  steps: fc
    .tuple(
      fc.array(create, { minLength: 1, maxLength: 3 }),
      fc.array(steps, { maxLength: 60, size: 'max' }),
      collect,
    )
    .map(([first, then, last]): DescribedStep[] => [...first, ...then, last]),
});

/** Whether binding and recording at once is the same as recording: a series whose value is refused is bound all the same. */
function isPlainMeasurement(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

/** Views that leave no instrument with two of them. */
function oneEach(views: readonly ViewPlan[], steps: readonly DescribedStep[]): ViewPlan[] {
  const instruments = steps.filter((step) => step.step === 'create');
  return views.filter(
    (view, i) =>
      !instruments.some(
        (one) => selects(view, one) && views.slice(0, i).some((earlier) => selects(earlier, one)),
      ),
  );
}

/** Makes a described program's values. What it returns is for one run. */
export function materialize({
  cardinalityLimit: limit,
  readers,
  views: { overlap, views },
  meters,
  steps: describedSteps,
}: DescribedProgram): Program {
  const isViewed = views.length > 0;
  const hasCode = views.some(({ code }) => code !== undefined);
  const steps = describedSteps.map((step): DescribedStep => {
    if (!isViewed || step.step !== 'create') return step;
    const name = step.name.toLowerCase(); // views of the official SDK heed case
    return { ...step, name, kind: overlap ? synchronous(step.kind) : step.kind };
  });
  const attributesOf = (described: DescribedAttributes): unknown => {
    const { entries } = described;
    if (!isViewed || entries === undefined) return makeAttributes(described);
    return makeAttributes({
      ...described,
      form: hasCode && described.form === 'throwing getter' ? 'getters' : (described.form ?? 'plain'), // would throw in the code
      entries: entries
        .filter(([key]) => key !== '__proto__') // a key that attribute processors of the official SDK lose
        // Of sets that are equal the first is kept, which is for each of several streams another one.
        .map(([key, value]) => [key, overlap && value.odd !== undefined ? { plain: value.odd } : value]),
    });
  };
  const cardinalityLimit = isViewed ? 2000 : limit; // the rule of the limit knows no views
  const kinds: InstrumentKind[] = [];
  return {
    cardinalityLimit,
    // Aggregations differ in what they refuse, and so in what they admit. With a view the official SDK takes no notice of them.
    readers:
      cardinalityLimit < 10 || isViewed ? readers.map((one) => ({ ...one, histogram: 'default' })) : readers,
    views: overlap ? views : oneEach(views, steps),
    meters,
    steps: steps.flatMap((described): Step[] => {
      switch (described.step) {
        case 'tick':
          return [described];
        case 'create':
          kinds.push(described.kind);
          return [
            {
              ...described,
              meter: described.meter % meters.length,
            },
          ];
        case 'record': {
          const instrument = described.instrument % kinds.length;
          const value = make(described.value);
          const attributes = attributesOf(described.attributes);
          const bound = described.bound && isPlainMeasurement(value);
          // Streams of one instrument differ in what they refuse, and must all have the same measurements for `rules/views.ts`.
          const isRefused = overlap && !Number.isFinite(value);
          return isObserved(kinds[instrument]!) || isRefused
            ? []
            : [{ step: 'record', instrument, value, attributes, bound }];
        }
        case 'collect':
          return [
            {
              ...described,
              reader: described.reader % readers.length,
              observations: described.observations.flatMap((one) => {
                const instrument = one.instrument % kinds.length;
                const [value, attributes] = [make(one.value), attributesOf(one.attributes)];
                return isObserved(kinds[instrument]!) ? [{ instrument, value, attributes }] : [];
              }),
            },
          ];
      }
    }),
  };
}
