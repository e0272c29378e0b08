/** Programs run for real, in a process of their own, and what they said. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program is killed after this time. */
  readonly timeoutMillis?: number;
}

export interface RunningProgram {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

export function start(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): RunningProgram {
  const { cwd, env, timeoutMillis = 60_000 } = options;
  const child = spawn(command, args, {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, SEQLOCK_METRICS_QUIET: 'true', ...env },
    timeout: timeoutMillis,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const outcome = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  return { child, outcome };
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], options?: ProgramOptions): Promise<Outcome> {
  return start(command, args, options).outcome;
}

/** Runs a program that must succeed; throws with all it said when it does not. */
export async function runWell(
  command: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<Outcome> {
  const outcome = await run(command, args, options);
  if (outcome.code !== 0)
    throw new Error(
      `${command} ${args.join(' ')} ended with ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`,
    );
  return outcome;
}
