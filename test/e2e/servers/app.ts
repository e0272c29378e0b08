import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Books } from '../app/account.ts';
import type { AppOptions, Command, Farewell, Replies, Reply, Request } from '../app/protocol.ts';
import { keepTrackOf } from './processes.ts';

export interface App {
  readonly instance: string;
  /** Has the app do something and waits until it is done. */
  ask<C extends Command>(command: C): Promise<Replies[C['do']]>;
  /** Sends SIGTERM; gives what the app knew it had recorded when it was gone. */
  terminate(): Promise<Books>;
  /** Exports what is left and ends. */
  end(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts an app process; resolves when it can be asked. */
export async function startApp(
  options: AppOptions,
  env: Readonly<Record<string, string>> = {},
): Promise<App> {
  const child = fork(fileURLToPath(new URL('../app/main.js', import.meta.url)), [JSON.stringify(options)], {
    env: { ...process.env, ...env },
    execArgv: ['--enable-source-maps', '--expose-gc'],
  });
  keepTrackOf(child);
  const ended = once(child, 'exit');
  const waiting = new Map<number, (reply: Reply) => void>();
  const farewell = new Promise<Books>((resolve) => {
    child.on('message', (message: Reply | Farewell) => {
      if ('farewell' in message) resolve(message.farewell);
      else waiting.get(message.id)?.(message);
    });
  });
  const replyTo = (id: number): Promise<Reply> =>
    Promise.race([
      new Promise<Reply>((resolve) => waiting.set(id, resolve)).finally(() => waiting.delete(id)),
      ended.then(([code]) => Promise.reject(new Error(`the app ended with ${code}`))),
    ]);
  await replyTo(0);
  let asked = 0;
  const ask = async <C extends Command>(command: C): Promise<Replies[C['do']]> => {
    const id = ++asked;
    const reply = replyTo(id);
    child.send({ ...command, id } satisfies Request);
    const { error, value } = await reply;
    if (error !== undefined) throw new Error(error);
    return value as Replies[C['do']];
  };
  return {
    instance: options.instance,
    ask,
    terminate: async () => {
      child.kill('SIGTERM');
      await ended;
      return farewell;
    },
    end: async () => {
      await ask({ do: 'shutdown' });
      child.disconnect();
      await ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs `use` with an app of its own, which is gone afterwards, however that ends. */
export async function withApp<T>(
  options: AppOptions,
  env: Readonly<Record<string, string>>,
  use: (app: App) => Promise<T>,
): Promise<T> {
  const app = await startApp(options, env);
  try {
    return await use(app);
  } finally {
    await app.kill();
  }
}
