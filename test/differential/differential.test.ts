import { diag } from '@opentelemetry/api';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { collectGarbage } from '../support/collect-garbage.ts';
import { anyProgram, materialize, type DescribedProgram } from './any-program.ts';
import type { Collection } from './collected.ts';
import { FeatureCounts } from './features.ts';
import { createSteps, momentsOf } from './program.ts';
import type { AppliedRule } from './rule.ts';
import { RULES } from './rules.ts';
import { PRODUCED, runOfficial, runSeqlock } from './run.ts';
import { isEnabled } from './streams.ts';

const RUNS = Number(process.env['SEQLOCK_DIFFERENTIAL_RUNS'] ?? 1000);
const SEED = Number(process.env['SEQLOCK_DIFFERENTIAL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** The path that a failure shortText, with its seed: that program alone is run. */
const PATH = process.env['SEQLOCK_DIFFERENTIAL_PATH'];

let compared = 0;

async function compare(described: DescribedProgram): Promise<void> {
  // A program runs in one turn of the event loop, in which nothing is let go that a WeakRef was asked for: its store above all.
  if (++compared % 500 === 0) await collectGarbage();
  const applied: AppliedRule[] = [];
  const given = materialize(described);
  let program = given;
  for (const rule of RULES) {
    const one = rule.apply(program);
    applied.push(one);
    ({ program } = one);
  }
  const official = await runOfficial(program);
  const { collected: ours, enabled } = await runSeqlock(materialize(described));
  expect(enabled, 'enabled').to.deep.equal(createSteps(given).map((create) => isEnabled(given, create)));
  const moments = momentsOf(program);
  expect(ours.length).to.equal(official.length);
  ours.forEach((one, i) => {
    const other = official[i]!;
    if ('rejected' in one || 'rejected' in other) {
      expect(one, `collection ${i}`).to.deep.equal(other);
      return;
    }
    const [got, gotOfProducers] = split(one.resourceMetrics.scopeMetrics as unknown as Collection);
    let [wanted, wantedOfProducers] = split(other.resourceMetrics.scopeMetrics as unknown as Collection);
    for (const { expected } of applied) wanted = expected?.(wanted, got, moments[i]!) ?? wanted;
    expect(got, `collection ${i}`).to.deep.equal(wanted);
    expect(orders(got), `order of keys in collection ${i}`).to.deep.equal(orders(wanted));
    expect(gotOfProducers).to.deep.equal(wantedOfProducers);
    expect(messages(one.errors), `errors of collection ${i}`).to.deep.equal(messages(other.errors));
    expect(one.resourceMetrics.resource).to.equal(other.resourceMetrics.resource);
  });
}

/** What the SDK collected, and what metric producers did. */
function split(collection: Collection): [Collection, Collection] {
  return [
    collection.filter(({ scope }) => scope.name !== PRODUCED),
    collection.filter(({ scope }) => scope.name === PRODUCED),
  ];
}

/** In any order: the official SDK orders them by meter. */
function messages(errors: readonly unknown[]): string[] {
  return errors
    .map((error) => (/timed out|end within/.test(String(error)) ? 'timed out' : String(error)))
    .sort();
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
      includeErrorInReport: true, // the cause of an error does not get to the report of a parallel run
      ...(PATH !== undefined && { path: PATH, numRuns: 1, endOnFailure: true }),
    });
  });

  if (RUNS > 1000)
    it('tries every feature in the programs it makes, and ordinary ones most', () => {
      const counts = new FeatureCounts();
      for (const described of fc.sample(anyProgram, { numRuns: 2000, seed: SEED }))
        counts.add(materialize(described));
      console.log(String(counts));
      expect(counts.rarerThan(0.5), 'hardly tried').to.deep.equal([]);
      expect(counts.rarerThan(60), 'ordinary').not.to.include('no views');
    });

  it('has a rule for each difference of what is collected in docs/differences.md, and no other', () => {
    const page = readFileSync(new URL('../../../docs/differences.md', import.meta.url), 'utf8');
    const [, collected] = page.split(/^## .*/m);
    const headings = [...collected!.matchAll(/^### (.*)/gm)].map(([, heading]) => heading!);
    expect(headings.sort()).to.deep.equal([...new Set(RULES.map(({ name }) => name))].sort());
  });
});
