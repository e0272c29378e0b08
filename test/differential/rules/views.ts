/**
 * `*` and `?` are wildcards wherever they stand; the official SDK knows the first `*`. Views that give one instrument streams of one name make
 * a metric each, or one if they are alike: the official SDK counts each measurement twice in the first. Where code of a view throws,
 * the measurement counts without attributes, and is lost in the official SDK.
 *
 * So in place of what it has not, the official SDK is given views that select by plain names, and streams that are named apart.
 */
import type { Collection } from '../collected.ts';
import { createSteps, type CreateStep, type Program, type ViewPlan } from '../program.ts';
import type { Rule } from '../rule.ts';
import { selects, streamOfMetric } from '../streams.ts';

type Instrument = Pick<CreateStep, 'kind' | 'name'>;

/** The instruments of a program, as far as views tell them apart. */
function instrumentsOf(program: Program): Instrument[] {
  const all = new Map(createSteps(program).map(({ kind, name }) => [`${kind} ${name}`, { kind, name }]));
  return [...all.values()];
}

function isAlike(a: ViewPlan, b: ViewPlan): boolean {
  const whatItMakes = ({ name, keys, keeps, code, aggregation }: ViewPlan): string =>
    JSON.stringify([name ?? null, keys === undefined ? null : [keys, keeps], code ?? null, aggregation]);
  return a.code === undefined && whatItMakes(a) === whatItMakes(b);
}

const APART = '~';

/** Views of just this instrument, whose streams differ in name. */
function viewsApart(views: readonly ViewPlan[], { kind, name }: Instrument): ViewPlan[] {
  const own = views
    .filter((view) => selects(view, { kind, name }))
    .filter((view, i, all) => !all.slice(0, i).some((earlier) => isAlike(earlier, view)))
    .map((view) => ({ ...view, instrumentName: name, instrumentType: kind, name: view.name ?? name }));
  const shown = own.filter(({ aggregation }) => aggregation !== 'drop');
  if (shown.length === 0) return own;
  return shown.map((view, i) => {
    const twins = shown.slice(0, i).filter((earlier) => earlier.name === view.name).length;
    return twins === 0 ? view : { ...view, name: view.name + APART.repeat(twins) };
  });
}

/** Whether two views of some instrument make streams of one name. */
function hasConflict({ views }: Program, instruments: readonly Instrument[]): boolean {
  return instruments.some((instrument) => {
    const names = views.filter((view) => selects(view, instrument)).map(({ name }) => name);
    return new Set(names).size < names.length;
  });
}

/** Names the metrics that share a name apart, as `viewsApart` does it: all of them have points whenever one has. */
function nameApart(collection: Collection): void {
  for (const scope of collection) {
    const seen = new Map<string, number>();
    for (const metric of scope.metrics) {
      const stream = streamOfMetric(scope, metric);
      const twins = seen.get(stream) ?? 0;
      seen.set(stream, twins + 1);
      metric.descriptor.name += APART.repeat(twins);
    }
  }
}

export const views: Rule = {
  name: 'Views',
  apply: (program) => {
    const instruments = instrumentsOf(program);
    const tame = program.views.map((view) =>
      view.code === 'throws' ? ({ ...view, code: 'empties' } as const) : view,
    );
    if (hasConflict(program, instruments))
      return {
        program: { ...program, views: instruments.flatMap((one) => viewsApart(tame, one)) },
        expected: (official, ours) => {
          nameApart(ours);
          return official;
        },
      };
    const isKnown = ({ instrumentName }: ViewPlan): boolean => /^[^*?]*\*?[^*?]*$/.test(instrumentName);
    const byName = (view: ViewPlan): ViewPlan[] => {
      const names = instruments.filter((one) => selects(view, one)).map(({ name }) => name);
      return [...new Set(names)].map((instrumentName) => ({ ...view, instrumentName }));
    };
    return {
      program: { ...program, views: tame.flatMap((view) => (isKnown(view) ? [view] : byName(view))) },
    };
  },
};
