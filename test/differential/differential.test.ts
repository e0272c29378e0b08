import { diag } from '@opentelemetry/api';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { collectGarbage } from '../support/collect-garbage.ts';
import { anyProgram, materialize, type DescribedProgram } from './any-program.ts';
import type { Collection } from './collected.ts';
import { momentsOf } from './program.ts';
import type { AppliedRule } from './rule.ts';
import { RULES } from './rules.ts';
import { runOfficial, runSeqlock } from './run.ts';

const RUNS = Number(process.env['SEQLOCK_DIFFERENTIAL_RUNS'] ?? 2000);
const SEED = Number(process.env['SEQLOCK_DIFFERENTIAL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

let compared = 0;

async function compare(described: DescribedProgram): Promise<void> {
  // A program runs in one turn of the event loop, in which nothing is let go that a WeakRef was asked for: its store above all.
  if (++compared % 500 === 0) await collectGarbage();
  const applied: AppliedRule[] = [];
  let program = materialize(described);
  for (const rule of RULES) {
    const one = rule.apply(program);
    applied.push(one);
    ({ program } = one);
  }
  const official = await runOfficial(program);
  const ours = await runSeqlock(materialize(described));
  const moments = momentsOf(program);
  expect(ours.length).to.equal(official.length);
  ours.forEach(({ resourceMetrics, errors }, i) => {
    const got = resourceMetrics.scopeMetrics as unknown as Collection;
    let wanted = official[i]!.resourceMetrics.scopeMetrics as unknown as Collection;
    for (const { expected } of applied) wanted = expected?.(wanted, got, moments[i]!) ?? wanted;
    expect(got, `collection ${i}`).to.deep.equal(wanted);
    expect(orders(got), `order of keys in collection ${i}`).to.deep.equal(orders(wanted));
    // The official SDK orders them by meter.
    expect(errors.map(String).sort()).to.deep.equal(official[i]!.errors.map(String).sort());
    expect(resourceMetrics.resource).to.equal(official[i]!.resourceMetrics.resource);
  });
}

/** Attribute keys in the order in which they are exported. */
function orders(collection: Collection): string[][] {
  return collection.flatMap(({ metrics }) =>
    metrics.flatMap(({ dataPoints }) => dataPoints.map(({ attributes }) => Object.keys(attributes))),
  );
}

describe('differential test against the official SDK', () => {
  before(() => diag.disable());

  it(`collects the same from ${RUNS} random programs (seed: ${SEED})`, async function () {
    this.timeout(RUNS * 100 + 20_000);
    await fc.assert(fc.asyncProperty(anyProgram, compare), {
      numRuns: RUNS,
      seed: SEED,
      endOnFailure: false,
    });
  });

  it('has each rule described in docs/differences.md', () => {
    const headings = readFileSync(new URL('../../../docs/differences.md', import.meta.url), 'utf8').match(
      /^### .*/gm,
    );
    expect(
      RULES.map(({ name }) => `### ${name}`).filter((heading) => headings?.includes(heading) !== true),
    ).to.deep.equal([]);
  });
});
