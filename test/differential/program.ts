/** Programs that two metrics SDKs run for comparison: instruments are made, record, and are collected, under a clock of our own. */
import type { Meter, MetricOptions } from '@opentelemetry/api';

export type SyncKind = 'COUNTER' | 'UP_DOWN_COUNTER' | 'GAUGE' | 'HISTOGRAM';

export interface MeterArguments {
  readonly name: string;
  readonly version: string | undefined;
  readonly schemaUrl: string | undefined;
}

export interface CreateStep {
  readonly step: 'create';
  /** Index in `Program.meters`. */
  readonly meter: number;
  readonly kind: SyncKind;
  readonly name: string;
  readonly options: MetricOptions | undefined;
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

export interface CollectStep {
  readonly step: 'collect';
}

export type Step = CreateStep | RecordStep | TickStep | CollectStep;

/** A program whose values are real: make it anew for each run, since a run may change its objects. */
export interface Program {
  readonly cardinalityLimit: number;
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

/** Replaces steps one by one; undefined drops the step. Drop no create step: records count them. */
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

/** Makes the instrument of a create step. */
export function createInstrument(meter: Meter, { kind, name, options }: CreateStep): ReturnType<Meter['createCounter' | 'createGauge']> {
  switch (kind) {
    case 'COUNTER':
      return meter.createCounter(name, options);
    case 'UP_DOWN_COUNTER':
      return meter.createUpDownCounter(name, options);
    case 'GAUGE':
      return meter.createGauge(name, options);
    case 'HISTOGRAM':
      return meter.createHistogram(name, options);
  }
}
