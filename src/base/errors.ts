/**
 * Errors of this package. Each has a `code` that stays the same from release to release; test for the code,
 * never with `instanceof`, which fails when a process holds two copies of the package.
 */

/** What can be wrong with a store: with its memory, or with the directory that holds it. */
export type RegionErrorCode =
  | 'E_MAGIC' // the memory is not a store of this package
  | 'E_VERSION' // written by an incompatible version
  | 'E_CRC' // header or record damaged
  | 'E_RANGE' // an offset or a length points outside of the store
  | 'E_ORDER' // the store was made on another kind of machine
  | 'E_TYPE' // a store directory, or a file in it, is a link or of the wrong type
  | 'E_PERM' // a store directory, or a file in it, is another user's or cannot be written
  | 'E_FILESYSTEM' // a store directory is where processes cannot share memory
  | 'E_BUSY' // another process has a store directory locked
  | 'E_CLOSED' // the store was closed
  | 'E_PLATFORM' // several processes cannot share a store here
  | 'E_MEMORY'; // the system or the runtime gives no shared memory that can grow

/**
 * A store that cannot be used. `code` says why, and the message what to do. Thrown where a store is made or
 * joined; recording never throws.
 */
export class RegionError extends Error {
  /** Why. It stays the same from release to release. */
  readonly code: RegionErrorCode;

  constructor(code: RegionErrorCode, message: string) {
    super(message);
    this.name = 'RegionError';
    this.code = code;
  }
}

/** An exporter thread that could not be started, or could not deliver. The message says what to do. */
export class ExporterThreadError extends Error {
  /**
   * Why: a code of the system such as `EADDRNOTAVAIL` when it cannot listen, `E_THREAD` when the thread
   * ended, `E_FLUSH` when a flush was not delivered.
   */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ExporterThreadError';
    this.code = code;
  }
}

/** Names whose values must not appear in a log. */
const SECRET = /^headers?$|auth|password|passwd|secret|token|credential|api.?key|^key$|^process\.command/i;

/** A wrong option, found at construction. The message names the option, the value and what is allowed. */
export class OptionError extends TypeError {
  /** The same for every wrong option. */
  readonly code = 'E_OPTION';

  constructor(option: string, value: unknown, allowed: string) {
    const isSecret = option.split('.').some((name) => SECRET.test(name));
    super(`${option} is ${isSecret ? '(not shown)' : shortText(value)}; it must be ${allowed}`);
    this.name = 'OptionError';
  }
}

/** A text that is longer than a string can be. The message says what to use instead. */
export class LengthError extends RangeError {
  /** The same for every text. */
  readonly code = 'E_LENGTH';

  constructor(message: string) {
    super(message);
    this.name = 'LengthError';
  }
}

/** A value as an error message shows it: short, without secrets, and never throwing whatever it is. */
export function shortText(value: unknown): string {
  try {
    const text =
      typeof value === 'string'
        ? JSON.stringify(value)
        : typeof value === 'object' && value !== null && !(value instanceof Error)
          ? (JSON.stringify(value, withoutSecrets) ?? Object.prototype.toString.call(value))
          : typeof value === 'bigint'
            ? `${value}n`
            : String(value);
    const shown = withoutCredentials(text);
    return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
  } catch {
    return `[${typeof value}]`; // even its tag may throw: a revoked proxy
  }
}

function withoutSecrets(name: string, value: unknown): unknown {
  return SECRET.test(name) ? '***' : value;
}

/** A text without the user and the password in URLs. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^\s"']*@/g, '://***@');
}
