/**
 * Loops that record a batch. Each is compiled from source of its own, so that it has a call site of its own, as each place
 * in a program has: what one loop shows the engine is not held against, or to the good of, another.
 */
import { compileFunction } from 'node:vm';
import type { Attributes } from '@opentelemetry/api';
import {
  BATCH,
  columnsOf,
  keysOf,
  objectsOf,
  recordedValues,
  renewStrings,
  textsOf,
  type AttributeCount,
} from './attribute-columns.ts';
import type { Work } from './rounds.ts';
import { KINDS, type Kind, type Subject } from './subjects.ts';

/**
 * How a caller passes attributes: a new literal for each call, with strings that are constants or were made at run time,
 * or with one of two key orders in turn; an object it keeps; an instrument with its attributes bound.
 */
export type Form = 'none' | 'fresh' | 'run-time' | 'two orders' | 'reused' | 'bound';

export interface RecordCase {
  readonly kind: Kind;
  readonly attributes: AttributeCount;
  readonly form: Form;
  readonly series: number;
}

export function nameOf({ attributes, form, series }: RecordCase): string {
  return form === 'none' ? 'no attributes' : `${attributes} ${form}, ${series} series`;
}

const recorded = recordedValues();
let compiled = 0;

interface Inputs {
  readonly values: readonly number[];
  readonly instrument: object;
  readonly columns: readonly unknown[];
  readonly objects: readonly unknown[];
  readonly bound: readonly unknown[];
}

function compileLoop(
  statements: string,
  { instrument, values, columns, objects, bound }: Inputs,
  length: number,
): (first?: number) => void {
  const names = columns.map((_, i) => `c${i}`);
  const source = `// ${compiled++}
    return (first) => {
      for (let j = 0; j < ${length}; j++) { ${statements} }
    };`;
  const make = compileFunction(source, ['instrument', 'values', 'objects', 'bound', ...names]) as (
    ...inputs: unknown[]
  ) => (first?: number) => void;
  return make(instrument, values, objects, bound, ...columns);
}

function literal(keys: readonly string[], order: readonly number[]): string {
  return `{ ${order.map((i) => `${keys[i]}: c${i}[j]`).join(', ')} }`;
}

/** A loop of `subject` for a case. Undefined where the implementation cannot do it. */
export function recordWork(subject: Subject, recordCase: RecordCase): Work | undefined {
  const { kind, attributes: count, form, series } = recordCase;
  const { contender } = subject;
  if (!subject.kinds.includes(kind) || (form === 'bound' && subject.bind === undefined)) return undefined;
  const keys = keysOf(count);
  // Columns of its own for each loop: a string's hash is kept in the string, so contenders may not share strings.
  const columns = columnsOf(count, series);
  const texts = form === 'run-time' ? textsOf(columns) : undefined;
  const objects = form === 'reused' || form === 'bound' ? objectsOf(keys, columns) : [];
  const instrument = subject.create(kind, `${kind}_${compiled}`, keys);
  const bound = form === 'bound' ? bindAll(subject, instrument, objects) : [];
  const value = kind === 'counter' ? '1' : 'values[j]';
  const call = (attributes?: string): string => `instrument.${subject.call(kind, value, attributes)};`;
  const forwards = keys.map((_, i) => i);
  const statements: Record<Form, () => string> = {
    none: () => call(),
    fresh: () => call(literal(keys, forwards)),
    'run-time': () => call(literal(keys, forwards)),
    'two orders': () =>
      `if ((j & 1) === 0) { ${call(literal(keys, forwards))} } else { ${call(literal(keys, [...forwards].reverse()))} }`,
    reused: () => call('objects[j]'),
    bound: () => `bound[j].${subject.call(kind, value)};`,
  };
  const batch = compileLoop(
    statements[form](),
    { instrument, values: recorded, columns, objects, bound },
    BATCH,
  );
  if (texts === undefined) return { contender, batch };
  return { contender, batch, prepare: () => renewStrings(columns, texts) };
}

/**
 * Records once to each of so many series, or to `touched` of them, with fresh attributes: 1, or of `spread` (as long as a batch) a number that is
 * another each time.
 */
export function touchAll(
  subject: Subject,
  instrument: object,
  kind: Kind,
  attributes: AttributeCount,
  series: number,
  touched: number = series,
  spread?: readonly number[],
): () => void {
  const keys = keysOf(attributes);
  const columns = columnsOf(attributes, series, touched);
  const value = spread === undefined ? '1' : `values[(first + j) % ${BATCH}]`;
  const order = keys.map((_, i) => i);
  const touch = compileLoop(
    `instrument.${subject.call(kind, value, literal(keys, order))};`,
    { instrument, values: spread ?? [], columns, objects: [], bound: [] },
    touched,
  );
  let turn = 0;
  return () => touch(turn++);
}

function bindAll(subject: Subject, instrument: object, objects: readonly object[]): object[] {
  const bound = new Map(objects.map((object) => [object, subject.bind!(instrument, object as Attributes)]));
  return objects.map((object) => bound.get(object)!);
}

/** The same loop with the call taken out: it makes what the caller makes, and keeps it from being optimised away. */
export function floorWork(recordCase: RecordCase): Work {
  const floor: Subject = {
    contender: 'ours',
    kinds: KINDS,
    create: () => ({ value: 0 as unknown, attributes: undefined as unknown }),
    call: (_kind, value, attributes) =>
      `value = ${value}${attributes === undefined ? '' : `; instrument.attributes = ${attributes}`}`,
    bind: () => ({ value: 0 as unknown }),
    collect: () => Promise.resolve(),
    expectSeries: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  return { ...recordWork(floor, recordCase)!, contender: 'floor' };
}
