/**
 * Several processes and one store, and all that may happen to them: killed, stopped, terminated, out of memory, robbed of their files.
 *
 *   npm run test:processes -- [--long] [--only <part of a name>]
 *
 * Without --long it takes some minutes. What a machine lacks (PID namespaces, mounts, another Node.js) is a skip, and with CI=true a
 * failure. Last line: N passed, M failed.
 */
import { parseArgs } from 'node:util';
import { removeFolders } from '../support/store-directories.ts';
import { checkBrokenOwnership, checkKills, checkStopped, checkTerminations } from './deaths.ts';
import { checkOtherStores, checkReplacedFiles, checkRobbedOwner } from './damage.ts';
import { checkFailpoints } from './failpoints.ts';
import { checkInARow, checkLease } from './crowd.ts';
import { checkCluster, checkHanging, checkNoWatches } from './hanging.ts';
import { conclude, skip } from './report.ts';
import { checkRoom } from './room.ts';
import { checkTornReads } from './torn.ts';

// Of this file as it is built.
const binaries = new URL('../../../scripts/node-binaries.mjs', import.meta.url).href;
const { nodeBinary } = (await import(binaries)) as { readonly nodeBinary: (line: number) => string };

const { values: options } = parseArgs({
  options: { long: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
const long = options.long;

const nodes: string[] = [20, 22, 24, 26].flatMap((line) => {
  try {
    return [nodeBinary(line)];
  } catch (error) {
    skip(`Node.js ${line}: ${String(error)}`);
    return [];
  }
});

const steps: Readonly<Record<string, () => Promise<void>>> = {
  kills: () => checkKills(long ? 2000 : 80, nodes),
  'broken ownership': () => checkBrokenOwnership(nodes),
  terminations: () => checkTerminations(long ? 1000 : 60, nodes),
  failpoints: () => checkFailpoints(long),
  cluster: () => checkCluster(long ? 50 : 3),
  hanging: checkHanging,
  'no watches': checkNoWatches,
  lease: () => (long ? checkLease(16, 20) : checkLease(4, 2)),
  'in a row': () => (long ? checkInARow(10_000, 3_600_000) : checkInARow(30, 60_000)),
  'torn reads': () => checkTornReads(long ? 60 : 2, nodes, long),
  room: () => checkRoom(long ? 60_000 : 12_000),
  'robbed owner': checkRobbedOwner,
  'replaced files': checkReplacedFiles,
  'other stores': checkOtherStores,
  stopped: () => checkStopped(long ? 60_000 : 2000, nodes),
};

for (const [name, step] of Object.entries(steps)) {
  if (!name.includes(options.only)) continue;
  const started = performance.now();
  await step();
  console.log(`    ${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}
removeFolders();
process.exit(conclude());
