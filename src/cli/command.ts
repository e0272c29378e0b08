import { parseArgs, type ParseArgsConfig } from 'node:util';
import { nearest } from '../base/options.ts';

/** What the exit codes mean, for all commands. */
export const EXIT = { ok: 0, wrong: 1, usage: 2, noStore: 3 } as const;

/** A command line that cannot be understood. */
export class UsageError extends Error {}

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Name of the value in the help; empty for a flag. */
  readonly value?: string;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What follows the name of the command in the synopsis. */
  readonly synopsis: string;
  readonly description: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly exits: string;
  readonly examples: readonly string[];
  /** Resolves to the exit code. */
  run(directory: string, values: Values): Promise<number>;
}

export type Values = Readonly<Record<string, string | boolean | undefined>>;

const HELP: CommandOption = { type: 'boolean', short: 'h', help: 'Prints this text.' };
const PROGRAM = 'seqlock-metrics';

/** The directory and the options of a command; undefined where help is wanted. Throws a `UsageError`. */
export function parse(
  command: Command,
  given: readonly string[],
): { readonly directory: string; readonly values: Values } | undefined {
  const known: Readonly<Record<string, CommandOption>> = { ...command.options, help: HELP };
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, { type, short }] of Object.entries(known))
    options[name] = { type, ...(short && { short }) };
  // First without rules, to name what is unknown in our words.
  const { tokens } = parseArgs({
    args: [...given],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) return undefined;
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = known[token.name];
    if (option === undefined)
      throw unknown(`option ${token.rawName} of ${command.name}`, token.name, Object.keys(known), '--');
    if (option.type === 'string' && (token.value === undefined || token.value === ''))
      throw new UsageError(`option ${token.rawName} of ${command.name} needs a value: ${option.value}`);
    if (option.type === 'boolean' && token.value !== undefined)
      throw new UsageError(`option ${token.rawName} of ${command.name} takes no value`);
  }
  const { values, positionals } = parseArgs({ args: [...given], options, allowPositionals: true });
  const [directory = process.env['SEQLOCK_METRICS_DIRECTORY'], ...more] = positionals;
  if (directory === undefined || directory === '')
    throw new UsageError(`${command.name} needs a store directory, such as /dev/shm/shop`);
  if (more.length > 0)
    throw new UsageError(`${command.name} reads one store directory, and ${positionals.length} are named`);
  return { directory, values: values as Values };
}

/** `names`: those that exist. */
export function unknown(what: string, given: string, names: readonly string[], prefix = ''): UsageError {
  const near = nearest(given, names);
  return new UsageError(`unknown ${what}${near === undefined ? '' : `; did you mean ${prefix}${near}?`}`);
}

/** Throws a `UsageError` where the value of an option is none of `allowed`. */
export function choice<T extends string>(values: Values, option: string, allowed: readonly T[]): T {
  const given = (values[option] ?? allowed[0]) as T;
  if (allowed.includes(given)) return given;
  const near = nearest(given, allowed);
  throw new UsageError(
    `--${option} is one of ${allowed.join(', ')}, and not ${given}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

/** Throws a `UsageError` where the value of an option is no whole number from `low` to `high`. */
export function number(values: Values, option: string, low: number, high: number): number | undefined {
  const given = values[option];
  if (given === undefined) return undefined;
  const value = Number(given);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new UsageError(`--${option} is a whole number from ${low} to ${high}, and not ${String(given)}`);
}

export function helpOf(command: Command): string {
  const rows = Object.entries({ ...command.options, help: HELP }).map(([name, { short, value, help }]) => [
    `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`,
    help,
  ]);
  return [
    'NAME',
    `    ${PROGRAM} ${command.name} - ${command.summary}`,
    '',
    'SYNOPSIS',
    `    ${PROGRAM} ${command.name} ${command.synopsis}`,
    '',
    'DESCRIPTION',
    ...wrapped(command.description, 4),
    ...wrapped('The directory is that of the variable SEQLOCK_METRICS_DIRECTORY if none is named.', 4),
    '',
    'OPTIONS',
    ...rows.flatMap(([left, right]) => [`    ${left}`, ...wrapped(right!, 12)]),
    '',
    'EXIT STATUS',
    ...wrapped(command.exits, 4),
    '',
    'EXAMPLES',
    ...command.examples.map((example) => `    ${PROGRAM} ${example}`),
    '',
  ].join('\n');
}

/** `text` in lines of at most 80 columns. */
export function wrapped(text: string, indent: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && indent + line.length + 1 + word.length > 80) {
        lines.push(' '.repeat(indent) + line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(' '.repeat(indent) + line);
  }
  return lines;
}
