/**
 * `*` and `?` are wildcards wherever they stand, and names are compared without regard to case; the official SDK knows the first `*`. Views
 * that give one instrument streams of one name make a metric each, or one if they are alike: the official SDK counts each measurement twice in
 * the first. Where code of a view throws, the measurement counts without attributes, and is lost in the official SDK. A view that gives an
 * asynchronous instrument a histogram is not there.
 *
 * So where no instrument has more than one view, that makes sense, and none has code, the official SDK is given views that select by plain names. Else it is given an
 * instrument of its own for each stream, with a name of its own, and attributes as the view leaves them.
 */
import type { Collection } from '../collected.ts';
import {
  createSteps,
  type CreateStep,
  type Observation,
  type Program,
  type Step,
  type ViewPlan,
} from '../program.ts';
import type { Rule } from '../rule.ts';
import { selects, selectsButForName, streamOf, streamOfMetric, through, viewsOf } from '../streams.ts';

/**
 * Whether the official SDK has no way to do what a program's views say. Where they choose by keys, it loses the attribute of the overflow series, and
 * one called `__proto__`.
 */
export function needsInstrumentsApart(program: Program): boolean {
  return (
    program.views.some(({ code }) => code !== undefined) ||
    (program.views.some(({ keys }) => keys !== undefined) && (isLimited(program) || hasProtoKeys(program))) ||
    createSteps(program).some((create) => {
      const { schemaUrl } = program.meters[create.meter]!;
      // The official SDK takes no notice of what views say of a schema URL where there is none.
      const asItFinds = schemaUrl === undefined ? { meterSchemaUrl: undefined } : {};
      const selected = program.views.filter((view) => selects({ ...view, ...asItFinds }, program, create));
      return selected.length > 1 || viewsOf(program, create).length < selected.length;
    })
  );
}

function isLimited({ readers, views }: Program): boolean {
  return [...readers, ...views].some(({ cardinalityLimit = Infinity }) => cardinalityLimit < 10);
}

function hasProtoKeys({ steps }: Program): boolean {
  const all = steps.flatMap((step) => {
    if (step.step === 'record') return [step];
    return step.step === 'collect' ? step.observations : [];
  });
  return all.some(({ attributes }) => Object.hasOwn(Object(attributes) as object, '__proto__'));
}

/** Whether the official SDK finds what a view selects. Of a second `*` it makes a quantifier. */
function isKnown(view: ViewPlan, program: Program): boolean {
  const [before, after, ...rest] = (view.instrumentName ?? '*').split('*');
  if (rest.length > 0) return false;
  const knows = (name: string): boolean =>
    after === undefined
      ? name === before
      : name.length >= before!.length + after.length && name.startsWith(before!) && name.endsWith(after);
  return createSteps(program)
    .filter((create) => selectsButForName(view, program, create))
    .every((create) => knows(create.name) === selects(view, program, create));
}

function byName(view: ViewPlan, program: Program): ViewPlan[] {
  const names = createSteps(program)
    .filter((create) => selects(view, program, create))
    .map(({ name }) => name);
  return [...new Set(names)].map((instrumentName) => ({ ...view, instrumentName }));
}

function isAlike(a: ViewPlan, b: ViewPlan, create: CreateStep): boolean {
  const whatItMakes = ({ name, keys, keeps, code, aggregation }: ViewPlan): string =>
    JSON.stringify([
      name ?? create.name,
      keys === undefined ? null : [keys, keeps],
      code ?? null,
      aggregation,
    ]);
  return a.code === undefined && whatItMakes(a) === whatItMakes(b);
}

/** What a view, or none, makes of an instrument. */
interface Plan {
  readonly view: ViewPlan | undefined;
  readonly name: string;
  /** Tells streams of one name apart. */
  readonly kind: string;
}

function plansOf(program: Program, create: CreateStep): Plan[] {
  const views = viewsOf(program, create);
  if (views.length === 0) return [{ view: undefined, name: create.name, kind: '0 default' }];
  const distinct = views.filter(
    (view, i) => !views.slice(0, i).some((earlier) => isAlike(earlier, view, create)),
  );
  return distinct
    .map((view, i) => {
      const { aggregation } = view;
      const name = view.name ?? create.name;
      const twins = distinct
        .slice(0, i)
        .filter((one) => (one.name ?? create.name) === name && one.aggregation === aggregation);
      return { view, name, kind: `${twins.length} ${aggregation}` };
    })
    .filter(({ view }) => view.aggregation !== 'drop');
}

const APART = '~';

/** An instrument for each stream. */
function apart(program: Program): { program: Program; nameApart: (ours: Collection) => void } {
  const steps: Step[] = [];
  const views: ViewPlan[] = [];
  const copies: { index: number; plan: Plan }[][] = []; // by instrument
  const known = new Map<string, string[]>(); // of each stream that others are called like
  const names = new Map<string, string>();
  let made = 0;
  const make = (create: CreateStep, plan: Plan): void => {
    const { view, kind } = plan;
    const identity = streamOf({ ...program, views: [] }, { ...create, name: plan.name });
    let kinds = known.get(identity);
    if (kinds === undefined) known.set(identity, (kinds = []));
    if (!kinds.includes(kind)) kinds.push(kind);
    const name = plan.name + APART.repeat(kinds.indexOf(kind));
    const description = view?.description ?? create.options?.description ?? '';
    names.set(identity + (view === undefined ? '' : description), name);
    const copy = {
      ...create,
      ...(view !== undefined && { standsFor: { instrument: create.name, view } }),
      options: { ...create.options, description },
    };
    if (view === undefined || view.aggregation === 'default') steps.push({ ...copy, name });
    else {
      const instrumentName = `viewed${views.length}`;
      steps.push({ ...copy, name: instrumentName });
      views.push({ ...selectsAll, instrumentName, name, description, aggregation: view.aggregation });
    }
    copies.at(-1)!.push({ index: made++, plan });
  };
  const ofEach = <T extends Pick<Observation, 'instrument' | 'attributes'>>(one: T): T[] =>
    copies[one.instrument]!.map(({ index }) => ({ ...one, instrument: index }));
  const first: number[] = [];
  for (const step of program.steps) {
    if (step.step === 'create') {
      first.push(made);
      copies.push([]);
      for (const plan of plansOf(program, step)) make(step, plan);
      if (copies.at(-1)!.length > 0) continue;
      const instrumentName = `viewed${views.length}`;
      steps.push({ ...step, name: instrumentName });
      views.push({ ...selectsAll, instrumentName, aggregation: 'drop' });
      made++;
    } else if (step.step === 'record')
      for (const { index, plan } of copies[step.instrument]!)
        steps.push({
          ...step,
          instrument: index,
          attributes: plan.view === undefined ? step.attributes : through(plan.view, step.attributes),
        });
    else if (step.step === 'collect')
      steps.push({ ...step, observations: step.observations.flatMap(ofEach) });
    else if (step.step === 'add callback' || step.step === 'remove callback')
      steps.push({ ...step, instruments: step.instruments.map((one) => first[one]!) });
    else steps.push(step);
  }
  const nameApart = (ours: Collection): void => {
    for (const scope of ours)
      for (const metric of scope.metrics) {
        const stream = streamOfMetric(scope, metric);
        metric.descriptor.name =
          names.get(stream + metric.descriptor.description) ?? names.get(stream) ?? metric.descriptor.name;
      }
  };
  return { program: { ...program, steps, views }, nameApart };
}

const selectsAll: ViewPlan = {
  instrumentName: '*',
  instrumentType: undefined,
  instrumentUnit: undefined,
  meterName: undefined,
  meterVersion: undefined,
  meterSchemaUrl: undefined,
  name: undefined,
  description: undefined,
  keys: undefined,
  keeps: false,
  isKeyList: false,
  code: undefined,
  aggregation: 'default',
  cardinalityLimit: undefined,
};

export const views: Rule = {
  name: 'Views',
  apply: (program) => {
    if (program.areStreamsApart) {
      const { program: changed, nameApart } = apart(program);
      return {
        program: changed,
        expected: (official, ours) => {
          nameApart(ours);
          return official;
        },
      };
    }
    return {
      program: {
        ...program,
        views: program.views.flatMap((view) => (isKnown(view, program) ? [view] : byName(view, program))),
      },
    };
  },
};
