/** What random programs have: counted, so that none is never tried, and ordinary ones stay most. */
import { isObserved } from '../../src/state/stream-choices.ts';
import { createSteps, type Program, type ReaderPlan, type Step, type ViewPlan } from './program.ts';
import { streamOf, viewsOf } from './streams.ts';

type Feature = (program: Program) => boolean;

interface Measurement {
  readonly value: unknown;
  readonly attributes: unknown;
}

const measurement =
  (has: (one: Measurement) => boolean): Feature =>
  ({ steps }) =>
    steps.some((step) => {
      if (step.step === 'record') return has(step);
      return step.step === 'collect' && step.observations.some(has);
    });

const attribute = (has: (value: unknown, key: string) => boolean): Feature =>
  measurement(({ attributes }) =>
    Object.entries(Object.getOwnPropertyDescriptors(Object(attributes) as object)).some(
      ([key, descriptor]) => 'value' in descriptor && has(descriptor.value, key),
    ),
  );

const step =
  (kind: Step['step']): Feature =>
  ({ steps }) =>
    steps.some((one) => one.step === kind);

const failure =
  (how: string): Feature =>
  ({ steps }) =>
    steps.some((one) => one.step === 'collect' && [...one.failures.values()].some((is) => is === how));

const reader =
  (has: (one: ReaderPlan) => boolean): Feature =>
  ({ readers }) =>
    readers.some(has);

/** A view that selects some instrument. */
const view =
  (has: (one: ViewPlan) => boolean): Feature =>
  (program) =>
    createSteps(program).some((create) => viewsOf(program, create).some(has));

const FEATURES: Readonly<Record<string, Feature>> = {
  'no views': ({ views }) => views.length === 0,
  'a view': view(() => true),
  'a view by instrument type': view(({ instrumentType }) => instrumentType !== undefined),
  'a view by unit': view(({ instrumentUnit }) => instrumentUnit !== undefined),
  'a view by meter': view(({ meterName }) => meterName !== undefined),
  'a view by version': view(({ meterVersion }) => meterVersion !== undefined),
  'a view by schema URL': view(({ meterSchemaUrl }) => meterSchemaUrl !== undefined),
  'a view by pattern': view(({ instrumentName }) => /[*?]./.test(instrumentName ?? '')),
  'a view without a name': view(({ instrumentName }) => instrumentName === undefined),
  'a view that renames': view(({ name }) => name !== undefined),
  'a view by keys': view(({ keys }) => keys !== undefined),
  'a view with code': view(({ code }) => code !== undefined),
  'a view with an aggregation': view(({ aggregation }) => aggregation !== 'default'),
  'a view with a limit': view(({ cardinalityLimit }) => cardinalityLimit !== undefined),
  'views of one instrument': (program) =>
    createSteps(program).some((create) => viewsOf(program, create).length > 1),
  'a viewed asynchronous instrument': (program) =>
    createSteps(program).some((create) => isObserved(create.kind) && viewsOf(program, create).length > 0),
  'code for an asynchronous instrument': (program) =>
    createSteps(program).some(
      (create) => isObserved(create.kind) && viewsOf(program, create).some(({ code }) => code !== undefined),
    ),
  'several readers': ({ readers }) => readers.length > 1,
  'a small limit': reader(({ cardinalityLimit }) => cardinalityLimit < 10),
  'an aggregation for histograms': reader(({ histogram }) => histogram !== 'default'),
  'an aggregation for counters': reader(({ counter }) => counter !== 'default'),
  'a metric producer': reader(({ hasProducer }) => hasProducer),
  'several meters': ({ meters }) => meters.length > 1,
  'scope attributes': ({ meters }) => meters.some(({ attributes }) => attributes !== undefined),
  'advised boundaries': (program) =>
    createSteps(program).some(({ options }) => options?.advice?.explicitBucketBoundaries !== undefined),
  'an invalid name': (program) =>
    createSteps(program).some(({ name }) => !/^[a-z][a-z0-9_.\-/]{0,254}$/i.test(name)),
  'names in other case': (program) => {
    const names = new Set(createSteps(program).map(({ name }) => name));
    return names.size > new Set([...names].map((name) => name.toLowerCase())).size;
  },
  'instruments of one name': (program) => {
    const names = createSteps(program).map(({ meter, name }) => `${meter} ${name}`);
    return new Set(names).size < names.length;
  },
  'an instrument made again': (program) => {
    const streams = createSteps(program).map((create) => streamOf({ ...program, views: [] }, create));
    return new Set(streams).size < streams.length;
  },
  'asynchronous instruments': (program) => createSteps(program).some(({ kind }) => isObserved(kind)),
  'a shared callback': ({ callbacks, steps }) =>
    steps.some((one) => one.step === 'add callback' && callbacks[one.callback]!.isShared),
  'a batch of several': ({ steps }) =>
    steps.some((one) => one.step === 'add callback' && one.instruments.length > 1),
  'a callback that waits': ({ callbacks }) => callbacks.some(({ isAsync, isShared }) => isAsync && !isShared),
  'a callback removed': step('remove callback'),
  'a callback that throws': failure('throws'),
  'a callback that rejects': failure('rejects'),
  'a callback that hangs': failure('hangs'),
  'a flush': step('flush'),
  'a shutdown': step('shut down'),
  exemplars: ({ keepsExemplars }) => keepsExemplars,
  'a bound instrument': ({ steps }) => steps.some((one) => one.step === 'record' && one.bound),
  'a negative value': measurement(({ value }) => typeof value === 'number' && value < 0),
  'an extreme value': measurement(
    ({ value }) => typeof value === 'number' && value !== 0 && !(Math.abs(Math.log2(Math.abs(value))) < 53),
  ),
  'a value that is no number': measurement(({ value }) => typeof value !== 'number'),
  'an attribute of odd kind': attribute((value) => !['string', 'number', 'boolean'].includes(typeof value)),
  'an array': attribute(Array.isArray),
  'a key that every object has': attribute((_value, key) => key === '__proto__' || key === 'toString'),
};

/** Counts the programs that have each feature. */
export class FeatureCounts {
  readonly #counts = new Map(Object.keys(FEATURES).map((name) => [name, 0]));
  #programs = 0;

  add(program: Program): void {
    this.#programs++;
    for (const [name, has] of Object.entries(FEATURES))
      if (has(program)) this.#counts.set(name, this.#counts.get(name)! + 1);
  }

  /** Features of fewer programs than that, in percent. */
  rarerThan(percent: number): string[] {
    return [...this.#counts]
      .filter(([, count]) => count * 100 < percent * this.#programs)
      .map(([name]) => name);
  }

  /** A line for each feature: its name, and how many in a hundred programs have it. */
  toString(): string {
    return [...this.#counts]
      .map(([name, count]) => `${((100 * count) / this.#programs).toFixed(1).padStart(6)} %  ${name}`)
      .join('\n');
  }
}
