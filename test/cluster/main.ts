/**
 * Several processes that export one store, and all that may happen to them: clusters, PM2, storms of kills.
 *
 *   npm run test:cluster -- [--long] [--only <part of a name>]
 *
 * Without --long it takes two minutes. PM2 comes from npm, into a temporary folder. What a machine lacks is a skip, and with CI=true
 * a failure. Last line: N passed, M failed.
 */
import { parseArgs } from 'node:util';
import { conclude } from '../processes/report.ts';
import { removeFolders } from '../support/store-directories.ts';
import { checkCluster } from './cluster.ts';
import { checkCost, checkTakenPort, checkTroubledLeaders } from './followers.ts';
import { checkPm2 } from './pm2.ts';
import { checkDeltas, checkStorm } from './storm.ts';

const {
  values: { long, only },
} = parseArgs({
  options: { long: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});

const steps: Readonly<Record<string, () => Promise<void>>> = {
  'cluster, the primary leads': () => checkCluster(true, long ? 20 : 1, long ? 20 : 1),
  'cluster, workers lead': () => checkCluster(false, long ? 20 : 1, long ? 20 : 1),
  'pm2 cluster': () => checkPm2('cluster', long ? 20 : 2, long ? 10 : 1),
  'pm2 fork': () => checkPm2('fork', long ? 20 : 0, long ? 10 : 1),
  storm: () => checkStorm(4, long ? 100 : 5, long ? 1000 : 200),
  deltas: () => checkDeltas(3, long ? 60 : 3),
  'broken lease': () => checkDeltas(3, 1, true),
  cost: () => checkCost(long ? 16 : 4, long ? 60_000 : 1000),
  'troubled leaders': checkTroubledLeaders,
  'taken port': checkTakenPort,
};

for (const [name, step] of Object.entries(steps)) {
  if (!name.includes(only)) continue;
  const started = performance.now();
  await step();
  console.log(`    ${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}
removeFolders();
process.exit(conclude());
