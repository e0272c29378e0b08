/** Which streams the instruments of a program have, and the metrics they are collected as. */
import type { Metric, Scope } from './collected.ts';
import { createSteps, mapSteps, type CreateStep, type Program, type ViewPlan } from './program.ts';

/** The view of an instrument. */
export function viewOf(program: Program, { kind, name }: CreateStep): ViewPlan | undefined {
  return program.views.find((view) => view.instrumentType === kind && view.instrumentName === name);
}

/** The attributes a view leaves. */
export function viewed(attributes: object, view: ViewPlan | undefined): object {
  if (view?.keys === undefined) return attributes;
  return Object.fromEntries(
    Object.entries(attributes).filter(([key]) => view.keys!.includes(key) === view.keeps),
  );
}

/** The identity of an instrument's stream. Instruments that have one in common share the stream. */
export function streamOf(program: Program, create: CreateStep): string {
  const { meter, kind, options } = create;
  const name = viewOf(program, create)?.name ?? create.name;
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

/** Equal for equal attribute sets. */
export function setKey(attributes: object): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
