/**
 * The store directories that this thread knows, and the buffers over their regions. A directory that is
 * opened twice has one buffer. A worker gets the buffer from its parent thread and learns here where the file
 * is. All copies of the package in the thread share this.
 */
import { ofThisThread } from '../base/this-thread.ts';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

const NAME = 'seqlock-metrics.shared-files.1';

export interface SharedFile {
  readonly buffer: SharedArrayBuffer;
  readonly directory: string;
  /** Which file it is; see `mapped-file.ts`. */
  readonly identity: string;
  /**
   * Which store it is: the id in the region's header. A buffer that came by message is another object over
   * the same memory.
   */
  readonly storeId: string;
}

const files: SharedFile[] = ofThisThread('shared-files.1', inherited);

function inherited(): SharedFile[] {
  const found: unknown = isMainThread ? undefined : getEnvironmentData(NAME);
  return Array.isArray(found) ? (found as SharedFile[]) : [];
}

export function fileOfStore(storeId: string): SharedFile | undefined {
  return files.find((file) => file.storeId === storeId);
}

export function fileOfIdentity(identity: string): SharedFile | undefined {
  return files.find((file) => file.identity === identity);
}

/** Makes a file known to this thread and to the workers it creates from now on. */
export function listFile(file: SharedFile): void {
  if (fileOfStore(file.storeId) !== undefined) return;
  files.push(file);
  setEnvironmentData(NAME, files);
}
