/**
 * Loaded before a recorder: ownership of slabs as it must not be, by what looks like a proof of death and is none. The script must
 * see each of these fail.
 *
 *   number      a process id: it is dead if no process has it, or if it is this process's own and this process took nothing
 *   heartbeat   a file that the owner touches ten times a second: it is dead if it has not for half a second
 */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ABANDONED, DAMAGED } from '../../src/memory/layout.ts';
import { LockOwnership } from '../../src/memory/lock-ownership.ts';
import type { RecorderJob } from './jobs.ts';

const { directory } = JSON.parse(process.argv.at(-1)!) as RecorderJob;
const isByNumber = process.env['BROKEN_OWNERSHIP'] === 'number';
const mine = new Set<number>();
const beat = (slab: number): string => join(directory, 'writers', `${slab}.beat`);

function seemsDead(slab: number, owner: number): boolean {
  if (isByNumber) return Math.abs(owner) === process.pid || !existsSync(`/proc/${Math.abs(owner)}`);
  try {
    return Date.now() - statSync(beat(slab)).mtimeMs > 500;
  } catch {
    return false;
  }
}

function isFree(slab: number, owner: number): boolean {
  if (owner === ABANDONED) return true;
  if (owner === 0 || owner === DAMAGED || mine.has(slab)) return false;
  return seemsDead(slab, owner);
}

const touch = (slab: number): void => {
  if (readdirSync(directory).includes('writers')) writeFileSync(beat(slab), '');
};
if (!isByNumber) setInterval(() => mine.forEach(touch), 100).unref();

Object.assign(LockOwnership.prototype, {
  isFree,
  claim: (slab: number, owner: number): boolean => owner === 0 || isFree(slab, owner),
  release(): void {},
  keep(slab: number): void {
    mine.add(slab);
    if (!isByNumber) touch(slab);
  },
  isKept: (slab: number): boolean => mine.has(slab),
} satisfies Partial<LockOwnership>);
