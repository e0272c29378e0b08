/** Runs `sharing-program.ts` in processes of their own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Collected, SharingJob } from './sharing-program.ts';

const PROGRAM = fileURLToPath(new URL('./sharing-program.js', import.meta.url));

export class SharingProcess {
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #exited: Promise<unknown>;
  #errors = '';

  /** `environment`: variables beside those of this process. */
  constructor(
    directory: string,
    jobs: readonly SharingJob[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.child = spawn(process.execPath, [PROGRAM, directory, JSON.stringify(jobs)], {
      stdio: 'pipe',
      env: { ...process.env, ...environment },
    });
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.#lines.push(line));
    this.child.stderr!.on('data', (text: Buffer) => (this.#errors += String(text)));
    this.#exited = once(this.child, 'close');
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The next thing it says. */
  async next(): Promise<unknown> {
    while (this.#lines.length === 0) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(
          `the process ended with ${this.child.exitCode ?? this.child.signalCode}: ${this.#errors}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return JSON.parse(this.#lines.shift()!);
  }

  async collected(): Promise<Collected> {
    return (await this.next()) as Collected;
  }

  /** Has it go on after a job `wait`. */
  go(): void {
    this.child.stdin!.write('.');
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.#exited;
  }

  async end(): Promise<string> {
    await this.#exited;
    return this.#errors;
  }
}

/** Runs jobs in a process to its end. */
export async function runShared(directory: string, ...jobs: SharingJob[]): Promise<void> {
  await new SharingProcess(directory, jobs).end();
}

/** What a new process finds in a store. */
export async function collectShared(directory: string): Promise<Collected> {
  const reader = new SharingProcess(directory, [{ do: 'collect' }]);
  const found = await reader.collected();
  await reader.end();
  return found;
}
