/** Every process the end-to-end tests start, so that none is left when they end, however they end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const alive = new Set<ChildProcess>();

/** The process is killed when this one exits, if it has not ended by then. */
export function keepTrackOf(child: ChildProcess): void {
  alive.add(child);
  child.once('exit', () => alive.delete(child));
}

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1)); // and so come to 'exit'

/** Programs that were started and have not ended. */
export function stillRunning(): string[] {
  return [...alive].map((child) => child.spawnargs.join(' '));
}

export interface Server {
  readonly child: ChildProcess;
  /** What it wrote so far. */
  log(): string;
  /** Ends it with SIGTERM, or at once with SIGKILL, and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a program that serves until it is stopped. */
export function serve(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Server {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  keepTrackOf(child);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'close');
  return {
    child,
    log: () => log,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal); // does nothing when it has ended
      await ended;
    },
  };
}

/** Waits until `ready`; throws with what the server wrote when it ends before. */
export async function untilReady(server: Server, what: string, ready: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await ready().catch(() => false))) {
    if (server.child.exitCode !== null || performance.now() > deadline)
      throw new Error(`${what} did not start:\n${server.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
