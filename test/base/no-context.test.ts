import { expect } from 'chai';
import { AsyncLocalStorage } from 'node:async_hooks';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withoutContext } from '../../src/base/no-context.ts';
import { runWell } from '../support/program.ts';

describe('withoutContext', () => {
  const context = new AsyncLocalStorage<string>();

  it('works in no context, and gives the result back', () => {
    const seen = context.run('a request', () => withoutContext(() => [context.getStore()]));
    expect(seen).to.deep.equal([undefined]);
  });

  it('keeps what is begun in it out of the context', async () => {
    const seen = await context.run('a request', () =>
      withoutContext(() => Promise.resolve().then(() => context.getStore() ?? 'none')),
    );
    expect(seen).to.equal('none');
  });

  it('leaves the caller in its context, also when the work throws', () => {
    context.run('a request', () => {
      expect(() =>
        withoutContext(() => {
          throw new Error('x');
        }),
      ).to.throw('x');
      expect(context.getStore()).to.equal('a request');
    });
  });

  it('works in none where the package was loaded inside of a request', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-'));
    const url = String(new URL('../../src/base/no-context.js', import.meta.url));
    try {
      const program = join(folder, 'program.mjs');
      writeFileSync(
        program,
        `import { AsyncLocalStorage } from 'node:async_hooks';
         const context = new AsyncLocalStorage();
         await context.run('a request', async () => {
           const { withoutContext } = await import(${JSON.stringify(url)});
           console.log(withoutContext(() => context.getStore() ?? 'none'));
         });`,
      );
      const { stdout } = await runWell(process.execPath, [program]);
      expect(stdout).to.equal('none\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
