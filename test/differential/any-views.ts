/** Random views: of one instrument each, or of many. */
import * as fc from 'fast-check';
import { INSTRUMENT_KINDS, isObserved, type InstrumentKind } from '../../src/state/instrument-kind.ts';
import type { ViewCode, ViewPlan } from './program.ts';

const names = fc.constantFrom('requests', 'queue.size', 'time');
const patterns = fc.constantFrom('*', 're*', '*e', 'q*.size', 'time*', '?', 'req?ests', '*e*s*', '*.?ize');

/** What has a meaning for instruments of a kind, and is recorded alike by both SDKs. */
function aggregationsOf(kind: InstrumentKind | undefined, isMany: boolean): ViewPlan['aggregation'][] {
  const isDistribution =
    kind === undefined ? isMany : kind === 'COUNTER' || kind === 'UP_DOWN_COUNTER' || kind === 'HISTOGRAM';
  return isDistribution
    ? ['default', 'default', 'drop', 'explicit', 'exponential']
    : ['default', 'default', 'drop'];
}

/** `isMany`: views that select what others do, or have code. */
function view(isMany: boolean): fc.Arbitrary<ViewPlan> {
  return fc
    .record({
      isPattern: fc.boolean(),
      name: names,
      pattern: patterns,
      instrumentType: fc.option(fc.constantFrom(...INSTRUMENT_KINDS), {
        nil: undefined,
        freq: isMany ? 2 : 5,
      }),
      renamed: fc.constantFrom(undefined, undefined, 'viewed', 'other'),
      keys: fc.option(fc.subarray(['k', 'method', 'a', 'z']), { nil: undefined }),
      keeps: fc.boolean(),
      code: fc.option(fc.constantFrom<ViewCode>('renames a key', 'throws'), { nil: undefined, freq: 3 }),
      aggregation: fc.nat(4),
    })
    .map(({ isPattern, name, pattern, instrumentType, renamed, keys, keeps, code, aggregation }) => {
      const choices = aggregationsOf(instrumentType, isMany);
      return {
        instrumentName: isPattern ? pattern : name,
        instrumentType,
        name: renamed === undefined || isPattern ? undefined : `${name}.${renamed}`, // a name and a wildcard are refused
        keys,
        keeps,
        code: isMany ? code : undefined,
        aggregation: choices[aggregation % choices.length]!,
      };
    });
}

/** What `DescribedProgram` says of views. */
export interface DescribedViews {
  /** Whether several of them may select one instrument, and have code. All instruments are synchronous ones then. */
  readonly overlap: boolean;
  readonly views: readonly ViewPlan[];
}

const several = (isMany: boolean): fc.Arbitrary<ViewPlan[]> =>
  fc.array(view(isMany), { minLength: 1, maxLength: 4 });

/** The first of them is said twice now and then. */
const overlapping: fc.Arbitrary<ViewPlan[]> = fc
  .tuple(several(true), fc.nat(3))
  .map(([views, n]) => (n === 0 ? [...views, { ...views[0]!, code: undefined }] : views));

export const anyViews: fc.Arbitrary<DescribedViews> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ overlap: false, views: [] }) },
  { weight: 1, arbitrary: fc.record({ overlap: fc.constant(false), views: several(false) }) },
  { weight: 1, arbitrary: fc.record({ overlap: fc.constant(true), views: overlapping }) },
);

const SYNCHRONOUS: Readonly<Partial<Record<InstrumentKind, InstrumentKind>>> = {
  OBSERVABLE_COUNTER: 'COUNTER',
  OBSERVABLE_UP_DOWN_COUNTER: 'UP_DOWN_COUNTER',
  OBSERVABLE_GAUGE: 'GAUGE',
};

/** The synchronous kind that is most like a kind. */
export function synchronous(kind: InstrumentKind): InstrumentKind {
  return isObserved(kind) ? SYNCHRONOUS[kind]! : kind;
}
