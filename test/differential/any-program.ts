/** Random programs, described, so that a failing one can be shortText, shrunk and run twice. */
import { ValueType, type Attributes, type MetricOptions } from '@opentelemetry/api';
import * as fc from 'fast-check';
import { INSTRUMENT_KINDS, isObserved, type InstrumentKind } from '../../src/state/stream-choices.ts';
import {
  attributes,
  make,
  makeAttributes,
  measurements,
  type Described,
  type DescribedAttributes,
} from './any-values.ts';
import { anyViews, type DescribedViews } from './any-views.ts';
import type {
  AggregationName,
  CallbackPlan,
  CreateStep,
  Failure,
  MeterArguments,
  Program,
  ReaderPlan,
  Step,
  Temporality,
  ViewPlan,
} from './program.ts';
import { needsInstrumentsApart } from './rules/views.ts';
import { selects } from './streams.ts';

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
    attributes: fc.oneof(
      { weight: 12, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom<Attributes[]>({}, { a: 1 }, { a: '1' }, { a: [1], b: true }) },
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

const readersOf = (cardinalityLimit: fc.Arbitrary<number>): fc.Arbitrary<ReaderPlan[]> =>
  fc.array(
    fc.record({
      temporality: fc.constantFrom<Temporality>('cumulative', 'delta', 'preferred'),
      histogram: fc.oneof(
        { weight: 8, arbitrary: fc.constant<AggregationName>('default') },
        {
          weight: 3,
          arbitrary: fc.constantFrom<AggregationName>('explicit', 'exponential', 'sum', 'drop'),
        },
      ),
      counter: fc.oneof(
        { weight: 8, arbitrary: fc.constant<AggregationName>('default') },
        { weight: 1, arbitrary: fc.constantFrom<AggregationName>('explicit', 'exponential', 'drop') },
      ),
      cardinalityLimit,
      hasProducer: fc.oneof(
        { weight: 15, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  );

const readers: fc.Arbitrary<ReaderPlan[]> = fc.oneof(
  { weight: 3, arbitrary: readersOf(fc.constant(2000)) },
  { weight: 1, arbitrary: readersOf(fc.integer({ min: 1, max: 4 })) },
);

type DescribedStep =
  | {
      step: 'create';
      meter: number;
      kind: InstrumentKind;
      name: string;
      options: MetricOptions | undefined;
      callback: Omit<CallbackPlan, 'isShared'>;
      /** Like an earlier instrument in all but description and advice. */
      again: number | undefined;
    }
  | { step: 'record'; instrument: number; value: Described; attributes: DescribedAttributes; bound: boolean }
  | { step: 'tick'; millis: number }
  | { step: 'callback'; adds: boolean; callback: number; instruments: readonly number[] }
  | {
      step: 'collect';
      reader: number;
      observations: readonly DescribedObservation[];
      failures: readonly DescribedFailure[];
    }
  | { step: 'flush' };

type DescribedCreate = Extract<DescribedStep, { step: 'create' }>;

interface DescribedObservation {
  readonly callback: number;
  readonly instrument: number;
  readonly value: Described;
  readonly attributes: DescribedAttributes;
}

interface DescribedFailure {
  readonly callback: number;
  readonly how: Failure;
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
  callback: fc.record({ isBatch: seldom, isAsync: seldom }),
  again: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(3) }),
});

const instrumentNumbers = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.nat(7) },
);

const collect = fc.record({
  step: fc.constant('collect' as const),
  reader: fc.nat(2),
  observations: fc.array(
    fc.record({ callback: fc.nat(6), instrument: instrumentNumbers, value: measurements, attributes }),
    { maxLength: 8, size: 'max' },
  ),
  failures: fc.oneof(
    { weight: 6, arbitrary: fc.constant<DescribedFailure[]>([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.record({
          callback: fc.nat(7),
          how: fc.oneof(
            { weight: 5, arbitrary: fc.constant<Failure>('throws') },
            { weight: 4, arbitrary: fc.constant<Failure>('rejects') },
            { weight: 1, arbitrary: fc.constant<Failure>('hangs') },
          ),
        }),
        { maxLength: 2 },
      ),
    },
  ),
});

const steps: fc.Arbitrary<DescribedStep> = fc.oneof(
  { weight: 20, arbitrary: create },
  {
    weight: 140,
    arbitrary: fc.record({
      step: fc.constant('record' as const),
      instrument: instrumentNumbers,
      value: measurements,
      attributes,
      bound: seldom,
    }),
  },
  {
    weight: 30,
    arbitrary: fc.record({
      step: fc.constant('tick' as const),
      millis: fc.constantFrom(1, 7, 1000, 3_600_000),
    }),
  },
  { weight: 30, arbitrary: collect },
  {
    weight: 8,
    arbitrary: fc.record({
      step: fc.constant('callback' as const),
      adds: fc.nat(2).map((n) => n > 0),
      callback: fc.nat(3),
      instruments: fc.array(instrumentNumbers, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('flush' as const) }) },
);

export interface DescribedProgram {
  readonly views: DescribedViews;
  readonly readers: readonly ReaderPlan[];
  readonly meters: readonly MeterArguments[];
  /** Whether callbacks of several instruments are used. */
  readonly sharesCallbacks: boolean;
  readonly keepsExemplars: boolean;
  /** Steps after which the provider shuts down, but those that come at last. */
  readonly shutsDownAfter: number | undefined;
  readonly steps: readonly DescribedStep[];
}

export const anyProgram: fc.Arbitrary<DescribedProgram> = fc.record({
  readers,
  views: anyViews,
  meters,
  sharesCallbacks: seldom,
  keepsExemplars: seldom,
  shutsDownAfter: fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat(60) },
  ),
  steps: fc
    .tuple(
      fc.array(create, { minLength: 1, maxLength: 3 }),
      fc.array(steps, { maxLength: 55, size: 'max' }),
      collect,
    )
    .map(([first, then, last]): DescribedStep[] => [...first, ...then, last]),
});

/** Whether binding and recording at once is the same as recording: a series whose value is refused is bound all the same. */
function isPlainMeasurement(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

/** The official SDK adds up the differences of what is observed: those of the largest numbers are infinite, and the sum is lost. */
function observable(value: unknown): unknown {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) > 1e300 ? 1e300 : value;
}

/** Views that leave no instrument with two of them. */
function oneEach(views: readonly ViewPlan[], program: Program): ViewPlan[] {
  const instruments = program.steps.filter((step): step is CreateStep => step.step === 'create');
  return views.filter(
    (view, i) =>
      !instruments.some(
        (one) =>
          selects(view, program, one) && views.slice(0, i).some((earlier) => selects(earlier, program, one)),
      ),
  );
}

/** Without what is undefined. */
function defined(options: {
  readonly [K in keyof MetricOptions]: MetricOptions[K] | undefined;
}): MetricOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Callbacks of several instruments. */
const SHARED: readonly CallbackPlan[] = [
  { isBatch: false, isAsync: false, isShared: true },
  { isBatch: true, isAsync: false, isShared: true },
  { isBatch: true, isAsync: true, isShared: true },
];

/** Makes a described program's values. What it returns is for one run. */
export function materialize({
  readers,
  views: { overlap, views },
  meters,
  sharesCallbacks,
  keepsExemplars,
  shutsDownAfter,
  steps: describedSteps,
}: DescribedProgram): Program {
  const limits = [...readers, ...views].map(({ cardinalityLimit }) => cardinalityLimit ?? 2000);
  const isLimited = Math.min(...limits) < 10;
  const addsHistogramsUp = readers.some(({ histogram }) => histogram === 'sum');
  const callbacks = sharesCallbacks ? [...SHARED] : [];
  const instruments: (CreateStep & { readonly callback: number })[] = [];
  const steps = describedSteps.flatMap((described, i): Step[] => {
    const shutDown: Step[] = i === shutsDownAfter ? [{ step: 'shut down' }] : [];
    return [...stepsOf(described), ...shutDown];
  });

  function createStep({ meter, kind, name, options, again }: DescribedCreate): CreateStep {
    const earlier = again === undefined ? undefined : instruments[again];
    if (earlier === undefined) return { step: 'create', meter: meter % meters.length, kind, name, options };
    const { unit, valueType } = earlier.options ?? {};
    const { description, advice } = options ?? {};
    const same = { step: 'create', meter: earlier.meter, kind: earlier.kind, name: earlier.name } as const;
    return { ...same, options: defined({ unit, valueType, description, advice }) };
  }

  function stepsOf(described: DescribedStep): Step[] {
    switch (described.step) {
      case 'tick':
      case 'flush':
        return [described];
      case 'create': {
        const made = createStep(described);
        const { kind } = made;
        const instrument = instruments.length;
        instruments.push({ ...made, callback: callbacks.length });
        if (!isObserved(kind)) return [made];
        callbacks.push({ ...described.callback, isShared: false });
        return [made, { step: 'add callback', callback: callbacks.length - 1, instruments: [instrument] }];
      }
      case 'callback': {
        const step = described.adds ? 'add callback' : 'remove callback';
        const observed = [...instruments.keys()].filter((one) => isObserved(instruments[one]!.kind));
        if (observed.length === 0) return [];
        const chosen = described.instruments.map((one) => observed[one % observed.length]!);
        const { meter, callback: own } = instruments[chosen[0]!]!;
        const callback = described.callback < SHARED.length && sharesCallbacks ? described.callback : own;
        // A batch is of instruments of one meter (specification).
        const others = callbacks[callback]!.isBatch && callback !== own ? chosen.slice(1) : [];
        const batch = others.filter((one) => instruments[one]!.meter === meter);
        return [{ step, callback, instruments: [chosen[0]!, ...batch] }];
      }
      case 'record': {
        const instrument = described.instrument % instruments.length;
        const value = make(described.value);
        const attributes = makeAttributes(described.attributes);
        const bound = described.bound && isPlainMeasurement(value);
        // Aggregations differ in what they refuse, and so in what they admit.
        const isRefusedBySome = (isLimited || addsHistogramsUp) && !Number.isFinite(value);
        return isObserved(instruments[instrument]!.kind) || isRefusedBySome
          ? []
          : [{ step: 'record', instrument, value, attributes, bound }];
      }
      case 'collect':
        return [
          {
            step: 'collect',
            reader: described.reader % readers.length,
            observations: described.observations.flatMap((one) => {
              const instrument = one.instrument % instruments.length;
              const { kind, callback: own } = instruments[instrument]!;
              const [value, attributes] = [observable(make(one.value)), makeAttributes(one.attributes)];
              const callback = one.callback < SHARED.length && sharesCallbacks ? one.callback : own;
              return isObserved(kind) ? [{ callback, instrument, value, attributes }] : [];
            }),
            failures: new Map(
              described.failures.flatMap(({ callback, how }) =>
                callback < callbacks.length ? [[callback, how]] : [],
              ),
            ),
          },
        ];
    }
  }

  const program: Program = {
    readers,
    views: [],
    areStreamsApart: false,
    meters,
    callbacks,
    keepsExemplars,
    steps,
  };
  return withViews(program, overlap ? views : oneEach(views, program));
}

function withViews(program: Program, views: readonly ViewPlan[]): Program {
  const viewed = { ...program, views };
  if (views.length === 0) return viewed;
  if (needsInstrumentsApart(viewed)) return { ...viewed, areStreamsApart: true };
  return {
    ...viewed,
    // With a view the official SDK takes no notice of what readers select.
    readers: viewed.readers.map((reader) => ({ ...reader, histogram: 'default', counter: 'default' })),
    // Its views find no scope attributes.
    meters: viewed.meters.map((meter) => ({ ...meter, attributes: undefined })),
  };
}
