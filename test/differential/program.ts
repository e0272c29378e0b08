/**
 * Programs that two metrics SDKs run for comparison: instruments are made, record, are observed and collected by several readers, under a
 * clock of our own.
 */
import type { Attributes, MetricOptions } from '@opentelemetry/api';
import type { InstrumentKind } from '../../src/state/stream-choices.ts';

export interface MeterArguments {
  readonly name: string;
  readonly version: string | undefined;
  readonly schemaUrl: string | undefined;
  /** Only this SDK knows them; see `rules/scope-attributes.ts`. */
  readonly attributes?: Attributes | undefined;
}

/** What a reader selects; `preferred`: delta but for up-down counters, as OTLP exporters have it. */
export type Temporality = 'cumulative' | 'delta' | 'preferred';

/** An aggregation that a reader or a view selects. `default` of a view: what readers select. */
export type AggregationName = 'default' | 'drop' | 'sum' | 'last value' | 'explicit' | 'exponential';

/** What a reader with a limit selects for a kind. */
export function limitOfKind(kind: string, cardinalityLimit: number): number {
  return kind.endsWith('GAUGE') ? cardinalityLimit + 1 : cardinalityLimit;
}

export interface ReaderPlan {
  readonly temporality: Temporality;
  /** Selected for histograms. */
  readonly histogram: AggregationName;
  /** Selected for counters. */
  readonly counter: AggregationName;
  /** Of attribute sets; gauges may have one more. */
  readonly cardinalityLimit: number;
  /** Has a metric producer beside the SDK, which fails in every second collection. */
  readonly hasProducer: boolean;
}

/** What code of the app in a view does to attributes. */
export type ViewCode = 'renames a key' | 'throws';

/** A view. Several may select one instrument. What is undefined is not said. */
export interface ViewPlan {
  /** With wildcards. */
  readonly instrumentName: string | undefined;
  readonly instrumentType: InstrumentKind | undefined;
  readonly instrumentUnit: string | undefined;
  readonly meterName: string | undefined;
  readonly meterVersion: string | undefined;
  readonly meterSchemaUrl: string | undefined;
  readonly name: string | undefined;
  readonly description: string | undefined;
  /** Keys of attributes that are kept, or that are left out. */
  readonly keys: readonly string[] | undefined;
  readonly keeps: boolean;
  /** Kept keys are given to this SDK as such, and not as a processor. */
  readonly isKeyList: boolean;
  /** After the keys. */
  readonly code: ViewCode | undefined;
  readonly aggregation: AggregationName;
  readonly cardinalityLimit: number | undefined;
}

export interface CreateStep {
  readonly step: 'create';
  /** Index in `Program.meters`. */
  readonly meter: number;
  readonly kind: InstrumentKind;
  readonly name: string;
  readonly options: MetricOptions | undefined;
  /** Of an instrument that stands for one stream of another: see `rules/views.ts`. */
  readonly standsFor?: StandsFor;
  /** Has a callback besides, which never fails, for the observations that are no callback's. */
  readonly isObservedDirectly?: boolean;
}

/** The stream of one view for which an instrument of its own stands. */
export interface StandsFor {
  /** The name of the instrument that is viewed. */
  readonly instrument: string;
  readonly view: ViewPlan;
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

/** A callback of asynchronous instruments. */
export interface CallbackPlan {
  /** One of `addBatchObservableCallback`. */
  readonly isBatch: boolean;
  /** Observes after a turn of promises. */
  readonly isAsync: boolean;
  /** Is not of one instrument alone. */
  readonly isShared: boolean;
}

/** A callback is added to instruments, or removed from them. */
export interface CallbackStep {
  readonly step: 'add callback' | 'remove callback';
  /** Index in `Program.callbacks`. */
  readonly callback: number;
  /** One, unless it is a batch callback. */
  readonly instruments: readonly number[];
}

export interface Observation {
  /** Whose observation it is: index in `Program.callbacks`. Undefined: see `CreateStep.isObservedDirectly`. */
  readonly callback?: number | undefined;
  /** What a batch callback observes; any other observes what it was added to. */
  readonly instrument: number;
  readonly value: unknown;
  readonly attributes: unknown;
  /** Made by a callback that fails: it does not count. Said by `rules/callbacks.ts`, for the other rules. */
  readonly fails?: boolean;
  /** Made after a turn of promises: after all that are not. */
  readonly isLate?: boolean;
  /** Of two in one collection that of the greater rank counts. */
  readonly rank?: number;
}

/** How a callback fails when it has observed. `hangs`: it does not end in time. */
export type Failure = 'throws' | 'rejects' | 'hangs';

export interface CollectStep {
  readonly step: 'collect';
  /** Index in `Program.readers`. */
  readonly reader: number;
  /** What callbacks observe in this collection. */
  readonly observations: readonly Observation[];
  /** By callback. */
  readonly failures: ReadonlyMap<number, Failure>;
}

export interface FlushStep {
  readonly step: 'flush' | 'shut down';
}

export type Step = CreateStep | RecordStep | TickStep | CallbackStep | CollectStep | FlushStep;

/** A program whose values are real: make it anew for each run, since a run may change its objects. */
export interface Program {
  readonly readers: readonly ReaderPlan[];
  readonly views: readonly ViewPlan[];
  /** Whether the official SDK is given an instrument for each stream: see `rules/views.ts`. */
  readonly areStreamsApart: boolean;
  readonly meters: readonly MeterArguments[];
  readonly callbacks: readonly CallbackPlan[];
  /** Whether this SDK keeps exemplars of all measurements. */
  readonly keepsExemplars: boolean;
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
