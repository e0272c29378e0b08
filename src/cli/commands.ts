import { OptionError, RegionError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { check } from './check.ts';
import { EXIT, helpOf, parse, unknown, UsageError, wrapped, type Command } from './command.ts';
import { dump } from './dump.ts';
import { serve } from './serve.ts';
import { top } from './top.ts';

const COMMANDS: readonly Command[] = [top, dump, serve, check];

/** Runs a command line. Resolves to the exit code; never rejects. */
export async function run(given: readonly string[]): Promise<number> {
  try {
    return await runCommand(given);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof UsageError || error instanceof OptionError) {
      process.stderr.write(`seqlock-metrics: ${message}. See seqlock-metrics --help\n`);
      return EXIT.usage;
    }
    process.stderr.write(`seqlock-metrics: ${message}\n`);
    return error instanceof RegionError ? EXIT.noStore : EXIT.wrong;
  }
}

async function runCommand([name, ...rest]: readonly string[]): Promise<number> {
  if (name === '--version') return print(`${VERSION}\n`);
  if (name === '--help' || name === '-h' || name === 'help') {
    const about = COMMANDS.find((command) => command.name === rest[0]);
    return print(about === undefined ? OVERVIEW : helpOf(about));
  }
  if (name === undefined) throw new UsageError('name a command: top, dump, serve or check');
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined)
    throw unknown(
      `command ${name}`,
      name,
      COMMANDS.map((one) => one.name),
    );
  const parsed = parse(command, rest);
  return parsed === undefined ? print(helpOf(command)) : command.run(parsed.directory, parsed.values);
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.ok;
}

const OVERVIEW = [
  'NAME',
  '    seqlock-metrics - reads a store directory from outside',
  '',
  'SYNOPSIS',
  '    seqlock-metrics <command> [options] <directory>',
  '',
  'COMMANDS',
  ...COMMANDS.map(({ name, summary }) => `    ${name.padEnd(8)}${summary}`),
  '',
  'DESCRIPTION',
  ...wrapped(
    'All commands read the files of the store and change nothing there. They need no native part and no right to write, and the app does not notice them. The app may run, hang or be dead.',
    4,
  ),
  ...wrapped('`seqlock-metrics <command> --help` tells more.', 4),
  '',
  'EXIT STATUS',
  '    0 done; 1 something is wrong; 2 a wrong command line; 3 no store to read',
  '',
].join('\n');
