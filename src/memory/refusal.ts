/**
 * Why there is no memory or no slab, and what to do: for people. The texts have no figures that change, since
 * each text is told once.
 */
export interface Refusal {
  readonly reason: string;
  readonly fix: string;
}

/** What an error of the system means to a thread that needs memory or a lock of a directory it has open. */
export function refusalOf(directory: string, error: unknown): Refusal {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return {
        reason: `the file system of the store directory ${directory} is full (${code})`,
        fix: 'Free space there, make it larger, or name a directory elsewhere',
      };
    case 'EFBIG':
      return {
        reason: `this process may not write as far as that into a file (${code}; store directory ${directory})`,
        fix: 'Raise its limit (ulimit -f)',
      };
    case 'ENOMEM':
    case 'E_MEMORY':
      return {
        reason: `the system gives this process no more memory (${code}; store directory ${directory})`,
        fix: 'Raise the memory limit of the process or its group',
      };
    case 'EMFILE':
    case 'ENFILE':
      return {
        reason: `this process has no file descriptor left (${code}; store directory ${directory})`,
        fix: 'Raise its limit (ulimit -n), or find out who opens so many',
      };
    default:
      return {
        reason: `the store directory ${directory} was removed or changed${code === undefined ? '' : ` (${code})`}`,
        fix: 'Restart this process',
      };
  }
}
