/**
 * Programs that two metrics SDKs run for comparison: instruments are made, record, are observed and collected by several readers, under a
 * clock of our own.
 */
import type { MetricOptions } from '@opentelemetry/api';
import type { InstrumentKind } from '../../src/state/instrument-kind.ts';

export interface MeterArguments {
  readonly name: string;
  readonly version: string | undefined;
  readonly schemaUrl: string | undefined;
}

/** What a reader selects; `preferred`: delta but for up-down counters, as OTLP exporters have it. */
export type Temporality = 'cumulative' | 'delta' | 'preferred';

/** What a reader selects for histograms. */
export type HistogramSelection = 'default' | 'explicit' | 'exponential';

export interface ReaderPlan {
  readonly temporality: Temporality;
  readonly histogram: HistogramSelection;
}

/** What code of the app in a view does to attributes. `empties`: stands for a throw in the official SDK, which has no way to go on. */
export type ViewCode = 'renames a key' | 'throws' | 'empties';

/** A view. Several may select one instrument, if it is a synchronous one. */
export interface ViewPlan {
  /** With wildcards. */
  readonly instrumentName: string;
  /** Undefined: any. */
  readonly instrumentType: InstrumentKind | undefined;
  readonly name: string | undefined;
  /** Keys of attributes that are kept, or that are left out. */
  readonly keys: readonly string[] | undefined;
  readonly keeps: boolean;
  /** After the keys. */
  readonly code: ViewCode | undefined;
  readonly aggregation: 'default' | 'drop' | 'explicit' | 'exponential';
}

export interface CreateStep {
  readonly step: 'create';
  /** Index in `Program.meters`. */
  readonly meter: number;
  readonly kind: InstrumentKind;
  readonly name: string;
  readonly options: MetricOptions | undefined;
  /** Of an asynchronous instrument: its callback is one of `addBatchObservableCallback`. */
  readonly batch: boolean;
}

export interface RecordStep {
  readonly step: 'record';
  /** Number of the create step whose instrument records, from 0. */
  readonly instrument: number;
  readonly value: unknown;
  readonly attributes: unknown;
  /** Recorded through `bind`, where there is such a thing. */
  readonly bound: boolean;
}

export interface TickStep {
  readonly step: 'tick';
  readonly millis: number;
}

export interface Observation {
  readonly instrument: number;
  readonly value: unknown;
  readonly attributes: unknown;
}

export interface CollectStep {
  readonly step: 'collect';
  /** Index in `Program.readers`. */
  readonly reader: number;
  /** What callbacks observe in this collection. */
  readonly observations: readonly Observation[];
  /** Instruments whose callbacks throw after that. */
  readonly throwing: readonly number[];
}

export type Step = CreateStep | RecordStep | TickStep | CollectStep;

/** A program whose values are real: make it anew for each run, since a run may change its objects. */
export interface Program {
  readonly cardinalityLimit: number;
  readonly readers: readonly ReaderPlan[];
  readonly views: readonly ViewPlan[];
  readonly meters: readonly MeterArguments[];
  readonly steps: readonly Step[];
}

/** Milliseconds since the epoch at which every program starts. */
export const PROGRAM_START = 1_790_000_000_123;

export function isCreate(step: Step): step is CreateStep {
  return step.step === 'create';
}

/** The instruments of a program in the order in which they are made. */
export function createSteps(program: Program): CreateStep[] {
  return program.steps.filter(isCreate);
}

/** Replaces steps one by one; undefined drops the step. Drop no create and no collect step: others count them. */
export function mapSteps(program: Program, replace: (step: Step, now: number) => Step | undefined): Program {
  let now = PROGRAM_START;
  const steps: Step[] = [];
  for (const step of program.steps) {
    if (step.step === 'tick') now += step.millis;
    const replaced = replace(step, now);
    if (replaced !== undefined) steps.push(replaced);
  }
  return { ...program, steps };
}

/** A collection of a program, and when it is. */
export interface Moment {
  /** Number of the collect step, from 0. */
  readonly index: number;
  readonly step: CollectStep;
  readonly now: number;
  /** When the same reader collected before. */
  readonly previous: number | undefined;
}

export function momentsOf(program: Program): Moment[] {
  const moments: Moment[] = [];
  const previous = new Map<number, number>();
  mapSteps(program, (step, now) => {
    if (step.step === 'collect') {
      moments.push({ index: moments.length, step, now, previous: previous.get(step.reader) });
      previous.set(step.reader, now);
    }
    return step;
  });
  return moments;
}

/** Milliseconds since the epoch as the data model has them. */
export function hrTimeOf(millis: number): [number, number] {
  return [Math.floor(millis / 1000), (millis % 1000) * 1e6];
}
