import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folders: string[] | undefined;

/** A new folder, which is removed when the process exits. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-e2e-'));
  // One listener for all of them: Node takes more than ten for a leak, and says so.
  if (folders === undefined) {
    folders = [];
    process.once('exit', () => folders!.forEach((made) => rmSync(made, { recursive: true, force: true })));
  }
  folders.push(folder);
  return folder;
}
