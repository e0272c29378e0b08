/** Random views: of one instrument each, or of many. */
import * as fc from 'fast-check';
import { INSTRUMENT_KINDS, type InstrumentKind } from '../../src/state/stream-choices.ts';
import type { AggregationName, ViewCode, ViewPlan } from './program.ts';

const names = fc.constantFrom('requests', 'queue.size', 'time', 'REQUESTS');
const patterns = fc.constantFrom(
  '*',
  '*',
  're*',
  '*e',
  'q*.size',
  'time*',
  '?',
  'req?ests',
  '*e*s*',
  '*.?ize',
  'Q*',
  '**s',
);

/** Not `__proto__`: allow lists of the official SDK find one in every object, so that this SDK takes them for code. */
const KEYS = ['k', 'method', 'a', 'z'];

/** What has a meaning for instruments of a kind, and is recorded alike by both SDKs. */
function aggregationsOf(kind: InstrumentKind | undefined, isMany: boolean): AggregationName[] {
  if (isMany)
    return ['default', 'default', 'default', 'drop', 'explicit', 'exponential', 'sum', 'last value'];
  return kind === 'COUNTER' || kind === 'UP_DOWN_COUNTER' || kind === 'HISTOGRAM'
    ? ['default', 'default', 'drop', 'explicit', 'exponential']
    : ['default', 'default', 'drop'];
}

/** One of `values` in so many cases of ten. */
function maybe<T>(times: number, ...values: T[]): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: 10 - times, arbitrary: fc.constant(undefined) },
    { weight: times, arbitrary: fc.constantFrom(...values) },
  );
}

/** `isMany`: views that select what others do, or have code. */
function view(isMany: boolean): fc.Arbitrary<ViewPlan> {
  return fc
    .record({
      kindOfName: fc.nat(9),
      name: names,
      pattern: patterns,
      instrumentType: isMany ? maybe(4, ...INSTRUMENT_KINDS) : maybe(2, ...INSTRUMENT_KINDS),
      instrumentUnit: maybe(2, '', '', '', 's'),
      meterName: maybe(2, 'lib', 'other'),
      meterVersion: maybe(1, '', '1.0'),
      meterSchemaUrl: maybe(1, 'https://example.com/1'),
      renamed: fc.constantFrom(undefined, undefined, undefined, 'viewed', 'other', 'joined'),
      description: maybe(1, '', 'of a view'),
      keys: fc.option(fc.subarray(KEYS), { nil: undefined, freq: 2 }),
      keeps: fc.boolean(),
      isKeyList: fc.boolean(),
      code: maybe<ViewCode>(3, 'renames a key', 'throws'),
      aggregation: fc.nat(7),
      cardinalityLimit: maybe(1, 1, 2, 3),
    })
    .map(({ kindOfName, name, pattern, renamed, code, aggregation, ...rest }) => {
      const choices = aggregationsOf(rest.instrumentType, isMany);
      const isName = kindOfName < 5;
      // A view needs something to select by.
      const isNameless = kindOfName === 9 && (rest.instrumentType ?? rest.instrumentUnit) !== undefined;
      const joined = renamed === 'joined' ? 'joined' : `${name.toLowerCase()}.${renamed}`;
      return {
        ...rest,
        instrumentName: isName ? name : isNameless ? undefined : pattern,
        name: renamed === undefined || !isName ? undefined : joined, // a name and a wildcard are refused
        code: isMany ? code : undefined,
        aggregation: choices[aggregation % choices.length]!,
      };
    });
}

/** What `DescribedProgram` says of views. */
export interface DescribedViews {
  /** Whether several of them may select one instrument, and have code. */
  readonly overlap: boolean;
  readonly views: readonly ViewPlan[];
}

const several = (isMany: boolean): fc.Arbitrary<ViewPlan[]> =>
  fc.array(view(isMany), { minLength: 1, maxLength: 4 });

/** The first of them is said twice now and then. Their descriptions tell their streams apart. */
const overlapping: fc.Arbitrary<ViewPlan[]> = fc
  .tuple(several(true), fc.nat(3))
  .map(([views, n]) => (n === 0 ? [...views, { ...views[0]!, code: undefined }] : views))
  .map((views) => views.map((one, i) => ({ ...one, description: `view ${i}` })));

export const anyViews: fc.Arbitrary<DescribedViews> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ overlap: false, views: [] }) },
  { weight: 1, arbitrary: fc.record({ overlap: fc.constant(false), views: several(false) }) },
  { weight: 1, arbitrary: fc.record({ overlap: fc.constant(true), views: overlapping }) },
);
