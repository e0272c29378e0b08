import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder, which is removed when the process exits. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-e2e-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
