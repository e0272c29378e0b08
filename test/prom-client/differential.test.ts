/** Random programs give what they give with prom-client: text, JSON, and the errors' words. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import * as theirs from 'prom-client';
import ours from '../../src/prom-client/prom-client.ts';
import { program } from './program.ts';
import { run } from './run.ts';
import { closeStore } from './close-store.ts';

const RUNS = Number(process.env['SEQLOCK_PROM_CLIENT_RUNS'] ?? 300);

after(closeStore);

describe('prom-client, by random programs', () => {
  it('is matched in text, JSON and errors', async () => {
    await fc.assert(
      fc.asyncProperty(program, async (one) => {
        expect((await run(ours as never, one)).join('\n\n')).to.equal((await run(theirs, one)).join('\n\n'));
      }),
      { numRuns: RUNS },
    );
  });
});
