/** Directories in memory for stores of several processes, taken away at the end. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

/** An empty directory that one may have a store directory in. */
export function newFolder(): string {
  const folder = mkdtempSync(join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'seqlock-test-'));
  chmodSync(folder, 0o700);
  made.push(folder);
  return folder;
}

/** Call it in `after`. */
export function removeFolders(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}
