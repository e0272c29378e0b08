/** Starts the processes of this script: under several Node.js lines, in PID namespaces, and with fixtures loaded before. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  readonly node?: string;
  /** Each is process 1 of a PID namespace of its own. */
  readonly isNamespaced?: boolean;
  /** A module of this folder that is loaded first, in the threads of the process too. */
  readonly fixture?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the process. */
  readonly within?: readonly string[];
}

const fileOf = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

const NAMESPACE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** Whatever is still alive at the end. */
const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export class Child {
  readonly process: ChildProcess;
  readonly messages: unknown[] = [];
  errors = '';
  readonly #exited: Promise<void>;

  constructor(program: string, job: unknown, options: ChildOptions = {}) {
    const { node = process.execPath, isNamespaced = false, fixture, env } = options;
    const outer = options.within ?? (isNamespaced ? NAMESPACE : []);
    const loaded = fixture === undefined ? [] : ['--import', fileOf(fixture)];
    const command = [node, ...loaded, fileOf(program), JSON.stringify(job)];
    const [first, ...others] = [...outer, ...command];
    this.process = spawn(first!, others, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
    });
    living.add(this.process);
    this.process.on('message', (message) => this.messages.push(message));
    this.process.on('error', () => {}); // a message that a killed process no longer takes
    this.process.stderr!.on('data', (text: Buffer) => (this.errors += String(text)));
    this.#exited = once(this.process, 'close').then(() => {
      living.delete(this.process);
    });
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** The first message from now on that `is` accepts. Throws when the process ends without it. */
  async message<T>(is: (message: unknown) => boolean = () => true): Promise<T> {
    for (let i = 0; ;) {
      for (; i < this.messages.length; i++) if (is(this.messages[i])) return this.messages[i] as T;
      if (this.hasEnded)
        throw new Error(`ended with ${this.process.exitCode ?? this.process.signalCode}: ${this.errors}`);
      await sleep(2);
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process.kill(signal);
    await this.#exited;
  }

  async end(): Promise<void> {
    await this.#exited;
  }
}

export function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/** Why this machine gives no PID namespaces; undefined where it does. */
export function namespacesMissing(): string | undefined {
  const { status, stderr, error } = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `no PID namespaces (${error?.message ?? stderr.trim()}); run it as root`;
}
