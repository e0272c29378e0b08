/** Which streams the instruments of a program have, and the metrics they are collected as. */
import type { Attributes } from '@opentelemetry/api';
import {
  createAllowListAttributesProcessor,
  createDenyListAttributesProcessor,
  type IAttributesProcessor,
} from '@opentelemetry/sdk-metrics';
import { isObserved, type InstrumentKind } from '../../src/state/stream-choices.ts';
import type { Metric, Scope } from './collected.ts';
import { keptAttributes } from './kept-attributes.ts';
import {
  createSteps,
  mapSteps,
  type CreateStep,
  type Program,
  type ViewCode,
  type ViewPlan,
} from './program.ts';

/** What code of the app does to attributes. */
export const VIEW_CODE: Readonly<Record<ViewCode, (attributes: Attributes) => Attributes>> = {
  'renames a key': ({ k, ...rest }) => (k === undefined ? rest : { ...rest, renamed: k }),
  throws: () => {
    throw new Error('on purpose');
  },
};

export function listOf({ keys, keeps }: ViewPlan): IAttributesProcessor {
  const create = keeps ? createAllowListAttributesProcessor : createDenyListAttributesProcessor;
  return create([...keys!]);
}

function fits(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const rest = pattern.slice(1);
  if (pattern[0] === '*') return fits(rest, text) || (text !== '' && fits(pattern, text.slice(1)));
  return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && fits(rest, text.slice(1));
}

/** What a view selects by, beside the name of the instrument. */
export function selectsButForName(
  { instrumentType, instrumentUnit, meterName, meterVersion, meterSchemaUrl }: ViewPlan,
  { meters }: Pick<Program, 'meters'>,
  { kind, options, meter }: CreateStep,
): boolean {
  const scope = meters[meter]!;
  return [
    [instrumentType, kind],
    [instrumentUnit, options?.unit ?? ''],
    [meterName, scope.name],
    [meterVersion, scope.version ?? ''],
    [meterSchemaUrl, scope.schemaUrl],
  ].every(([wanted, is]) => wanted === undefined || wanted === is);
}

/** Whether a view selects an instrument: `*` and `?` are wildcards, and the case of letters is no matter. */
export function selects(view: ViewPlan, program: Pick<Program, 'meters'>, create: CreateStep): boolean {
  return (
    selectsButForName(view, program, create) &&
    fits((view.instrumentName ?? '*').toLowerCase(), create.name.toLowerCase())
  );
}

/** The views of an instrument: those that would make histograms of what is observed are none of it. */
export function viewsOf(program: Program, create: CreateStep): ViewPlan[] {
  return program.views.filter(
    (view) =>
      selects(view, program, create) &&
      !(isObserved(create.kind) && (view.aggregation === 'explicit' || view.aggregation === 'exponential')),
  );
}

/** The view of an instrument that has no more than one. */
export function viewOf(program: Program, create: CreateStep): ViewPlan | undefined {
  return viewsOf(program, create)[0];
}

/** What a view makes of attributes. */
export function through(view: ViewPlan, attributes: unknown): unknown {
  const { keys, keeps, isKeyList, code } = view;
  if (code === undefined)
    return keys === undefined
      ? attributes
      : picked(keptAttributes(attributes), (key) => keys.includes(key) === keeps);
  const given = attributes ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) return given;
  try {
    if (keys === undefined) return VIEW_CODE[code](given as Attributes);
    const left =
      isKeyList && keeps
        ? picked(given, (key) => keys.includes(key))
        : listOf(view).process(given as Attributes);
    return VIEW_CODE[code](left as Attributes);
  } catch {
    return {};
  }
}

function picked(attributes: object, isKept: (key: string) => boolean): object {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => isKept(key)));
}

/** The identity of an instrument's stream. Instruments that have one in common share the stream. */
export function streamOf(program: Program, create: CreateStep): string {
  const { meter, kind, options } = create;
  const scope = program.meters[meter]!;
  return JSON.stringify([
    scope.name,
    scope.version ?? '',
    scope.schemaUrl,
    kind,
    viewOf(program, create)?.name ?? create.name,
    options?.unit ?? '',
    options?.valueType ?? 1,
  ]);
}

/** Whether what is observed is a level, of which the last counts, and no total. */
export function isLevel(program: Program, create: CreateStep): boolean {
  const view = create.standsFor?.view ?? viewOf(program, create);
  const { aggregation } = view ?? { aggregation: 'default' };
  return aggregation === 'last value' || (aggregation === 'default' && create.kind === 'OBSERVABLE_GAUGE');
}

/** Whether some reader selects anything for instruments of a kind. */
function isSelected({ readers }: Program, kind: InstrumentKind): boolean {
  return readers.some(({ counter, histogram }) => {
    if (kind === 'COUNTER') return counter !== 'drop';
    return kind !== 'HISTOGRAM' || histogram !== 'drop';
  });
}

/** Whether an instrument has no stream. */
export function isDropped(program: Program, create: CreateStep): boolean {
  const views = viewsOf(program, create);
  const drops = ({ aggregation }: Pick<ViewPlan, 'aggregation'>): boolean =>
    aggregation === 'default' ? !isSelected(program, create.kind) : aggregation === 'drop';
  return views.length === 0 ? drops({ aggregation: 'default' }) : views.every(drops);
}

/** What a synchronous instrument says of itself: whether it has a stream. Undefined for others. */
export function isEnabled(program: Program, create: CreateStep): boolean | undefined {
  return isObserved(create.kind) ? undefined : !isDropped(program, create);
}

/** The same of a metric. */
export function streamOfMetric({ scope }: Scope, { descriptor }: Metric): string {
  const { name, type, unit, valueType } = descriptor;
  return JSON.stringify([scope.name, scope.version, scope.schemaUrl, type, name, unit, valueType]);
}

/** When each stream was made, in milliseconds since the epoch. */
export function creations(program: Program): Map<string, number> {
  const made = new Map<string, number>();
  mapSteps(program, (step, now) => {
    if (step.step !== 'create' || isDropped(program, step)) return step;
    const stream = streamOf(program, step);
    if (!made.has(stream)) made.set(stream, now);
    return step;
  });
  return made;
}

/** The stream of each create step. */
export function streamsOf(program: Program): string[] {
  return createSteps(program).map((step) => streamOf(program, step));
}

/** Whether a number is recorded or observed at all: either SDK would refuse it without making a series. */
export function isRecorded({ kind, options }: CreateStep, value: number): boolean {
  if (value < 0 && (kind === 'COUNTER' || kind === 'HISTOGRAM')) return false;
  return Number.isFinite(value) || options?.valueType !== 0;
}

/** A value as it is observed. */
export function observedValue({ kind, options }: CreateStep, value: number): number {
  const whole = options?.valueType === 0 ? Math.trunc(value) : value;
  return kind === 'OBSERVABLE_COUNTER' ? Math.max(0, whole) : whole;
}
