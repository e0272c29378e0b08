import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { sleep } from '../base/deadline.ts';
import { SerialQueue } from '../base/event-loop.ts';

type Compare = (password: string, hash: string) => Promise<boolean>;

/** How many comparisons may wait. Each takes some 50 ms, as bcrypt intends. */
const MAX_WAITING = 8;
/** A pause after a wrong password, so that somebody who guesses does not use up the thread's time. */
const REST_MILLIS = 1000;
/** How many outcomes of each kind are remembered. */
const MAX_REMEMBERED = 100;
/**
 * A hash of no password. Unknown users are compared with it, so that the time does not show which users
 * exist.
 */
const NOBODY = '$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234';

/**
 * Compares passwords with bcrypt hashes, one at a time, and each pair only once. It remembers a hash of both,
 * which is good in this process alone.
 */
export class PasswordCheck {
  readonly #right = new Set<string>();
  readonly #wrong = new Set<string>();
  readonly #queue = new SerialQueue();
  #waiting = 0;

  /** `hash`: undefined for an unknown user. Returns undefined if too many wait. */
  check(password: string, hash: string = NOBODY): boolean | Promise<boolean> | undefined {
    const pair = createHash('sha256').update(`${hash}\0${password}`).digest('base64');
    if (this.#right.has(pair)) return true;
    if (this.#wrong.has(pair)) return false;
    if (this.#waiting >= MAX_WAITING) return undefined;
    this.#waiting++;
    return new Promise((resolve, reject) => {
      void this.#queue.take(async () => {
        try {
          const isRight = await comparer()(password, hash);
          remember(isRight ? this.#right : this.#wrong, pair);
          resolve(isRight);
          if (!isRight) await sleep(REST_MILLIS, false);
        } catch (error) {
          reject(error);
        } finally {
          this.#waiting--;
        }
      });
    });
  }
}

function remember(pairs: Set<string>, pair: string): void {
  pairs.add(pair);
  if (pairs.size > MAX_REMEMBERED) pairs.delete(pairs.values().next().value!);
}

/**
 * Loaded only where there are users: the package is an optional peer. Throws an `Error` that says what to
 * install.
 */
export function comparer(): Compare {
  const require = createRequire(import.meta.url);
  try {
    return (require('bcryptjs') as { readonly compare: Compare }).compare;
  } catch (error) {
    throw new Error(
      `checking the passwords of basic_auth_users needs the package bcryptjs, which cannot be loaded (${(error as Error).message}): npm install bcryptjs`,
      { cause: error },
    );
  }
}
