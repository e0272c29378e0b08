/**
 * Builds the programs that no package manager has:
 *
 *   npm run e2e:programs
 *
 * Takes 10 to 20 minutes on two cores the first time, and nothing afterwards. Fails where CI=true and they cannot be built; elsewhere the
 * tests that need them are skipped, and say so.
 */
import { buildGoPrograms, goPrograms, hasGo } from './go-programs.ts';
import { missing } from './programs.ts';

if (missing(['collector', 'prometheus']) !== undefined) {
  if (hasGo()) {
    try {
      buildGoPrograms((line) => console.log(line));
    } catch (error) {
      console.error(`The Collector and Prometheus 3 could not be built: ${String(error)}`);
    }
  } else console.error('The Collector and Prometheus 3 are built from Go modules, and there is no Go here.');
}
const lacks = missing(['collector', 'prometheus']);
console.log(lacks ?? goPrograms());
process.exitCode = lacks !== undefined && process.env['CI'] === 'true' ? 1 : 0;
