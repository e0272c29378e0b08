/** Which streams the instruments of a program have, and the metrics they are collected as. */
import type { Attributes } from '@opentelemetry/api';
import type { Metric, Scope } from './collected.ts';
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
  empties: () => ({}),
};

/** Whether a view selects an instrument: `*` and `?` are wildcards. */
export function selects(
  { instrumentName, instrumentType }: ViewPlan,
  { kind, name }: Pick<CreateStep, 'kind' | 'name'>,
): boolean {
  const fits = (pattern: string, text: string): boolean => {
    if (pattern === '') return text === '';
    const rest = pattern.slice(1);
    if (pattern[0] === '*') return fits(rest, text) || (text !== '' && fits(pattern, text.slice(1)));
    return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && fits(rest, text.slice(1));
  };
  return (instrumentType === undefined || instrumentType === kind) && fits(instrumentName, name);
}

/** The views of an instrument. */
export function viewsOf(program: Program, create: CreateStep): ViewPlan[] {
  return program.views.filter((view) => selects(view, create));
}

/** The view of an instrument that has no more than one. */
export function viewOf(program: Program, create: CreateStep): ViewPlan | undefined {
  return viewsOf(program, create)[0];
}

/** The attributes a view leaves; where there are several views, or code, what was recorded: they have it go through them later. */
export function viewed(attributes: object, views: readonly ViewPlan[]): object {
  const [view] = views;
  const keys = view?.keys;
  if (keys === undefined || view!.code !== undefined || views.length > 1) return attributes;
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => keys.includes(key) === view!.keeps));
}

/** The identity of an instrument's stream, of several the first. Instruments that have one in common share the stream. */
export function streamOf(program: Program, create: CreateStep): string {
  return streamOfView(program, create, viewOf(program, create));
}

/** The identities of all streams of an instrument that are collected, in their order. */
export function shownStreamsOf(program: Program, create: CreateStep): string[] {
  const views = viewsOf(program, create);
  if (views.length === 0) return [streamOfView(program, create, undefined)];
  return views
    .filter(({ aggregation }) => aggregation !== 'drop')
    .map((view) => streamOfView(program, create, view));
}

function streamOfView(program: Program, create: CreateStep, view: ViewPlan | undefined): string {
  const { meter, kind, options } = create;
  const name = view?.name ?? create.name;
  const scope = program.meters[meter]!;
  return JSON.stringify([
    scope.name,
    scope.version ?? '',
    scope.schemaUrl,
    kind,
    name,
    options?.unit ?? '',
    options?.valueType ?? 1,
  ]);
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
    if (step.step !== 'create') return step;
    for (const stream of shownStreamsOf(program, step)) if (!made.has(stream)) made.set(stream, now);
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

/** Equal for equal attribute sets. */
export function setKey(attributes: object): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
