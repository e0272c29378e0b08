import { context, ROOT_CONTEXT, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { expect } from 'chai';
import { SpanGate } from '../../src/sdk/exemplar-filter.ts';
import { LookBudget } from '../../src/sdk/look-budget.ts';
import type { ExemplarSpan } from '../../src/state/cells/exemplar-cell.ts';

const SPAN = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const sampled = trace.setSpanContext(ROOT_CONTEXT, { ...SPAN, traceFlags: TraceFlags.SAMPLED });
const unsampled = trace.setSpanContext(ROOT_CONTEXT, { ...SPAN, traceFlags: TraceFlags.NONE });

/** A gate, asked as the record calls ask: not before its pause is over, unless they are given a context. */
class AskedGate {
  readonly #gate: SpanGate;
  #untilNextOffer = 0;

  constructor(filter: 'trace_based' | 'always_on', budget = new LookBudget()) {
    this.#gate = new SpanGate(filter, () => (this.#untilNextOffer = 0), budget);
  }

  spanOf(given: unknown): ExemplarSpan | undefined {
    if (given === undefined && --this.#untilNextOffer >= 0) return undefined;
    const span = this.#gate.spanOf(given);
    this.#untilNextOffer = this.#gate.untilNextOffer;
    return span;
  }
}

/** How many of so many measurements are let through. */
const through = (gate: AskedGate, measurements: number, given?: Context): number =>
  Array.from({ length: measurements }, () => gate.spanOf(given)).filter((span) => span !== undefined).length;

describe('SpanGate', () => {
  before(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  after(() => context.disable());

  it('lets through every measurement inside of a sampled span, and says which span', () => {
    const gate = new AskedGate('trace_based');
    context.with(sampled, () => {
      for (let i = 0; i < 100; i++) expect(gate.spanOf(undefined)).to.deep.include(SPAN);
    });
  });

  it('lets through none outside of a span, and none in a span that is not sampled', () => {
    const gate = new AskedGate('trace_based');
    expect(through(gate, 1000)).to.equal(0);
    expect(context.with(unsampled, () => through(gate, 1000))).to.equal(0);
  });

  it('goes by the context that is given, whatever is active', () => {
    const gate = new AskedGate('trace_based');
    through(gate, 1000);
    expect(gate.spanOf(sampled)).to.deep.include(SPAN);
    through(gate, 1000);
    expect(through(gate, 100, sampled)).to.equal(100);
    context.with(sampled, () => expect(through(gate, 100, unsampled)).to.equal(0));
  });

  it('misses none as long as looks are within the budget of the thread', () => {
    const gate = new AskedGate('trace_based');
    for (let round = 0; round < 50; round++) {
      through(gate, 20);
      expect(context.with(sampled, () => through(gate, 3))).to.equal(3);
    }
  });

  it('beyond it looks at one of 24 on the average, at random distances, until one is inside', () => {
    const firsts: number[] = [];
    const spent = { spend: () => false, await: () => {} } as unknown as LookBudget;
    for (let round = 0; round < 400; round++) {
      const gate = new AskedGate('trace_based', spent);
      through(gate, 1000);
      context.with(sampled, () => {
        let first = 1;
        while (gate.spanOf(undefined) === undefined) first++;
        expect(first).to.be.at.most(47);
        expect(through(gate, 20)).to.equal(20);
        firsts.push(first);
      });
    }
    // The distance is uniform from 1 to 47; what is left of it when the span begins is 16 on the average.
    const mean = firsts.reduce((sum, first) => sum + first) / firsts.length;
    expect(mean).to.be.within(13.5, 19);
    expect(new Set(firsts).size).to.be.greaterThan(8);
  });

  it('misses none again once the event loop has turned and the budget is renewed', async () => {
    let renew = (): void => {};
    const spent = {
      spend: () => false,
      await: (renewed: () => void) => (renew = renewed),
    } as unknown as LookBudget;
    const gate = new AskedGate('trace_based', spent);
    for (let round = 0; round < 50; round++) {
      through(gate, 1000);
      renew();
      expect(context.with(sampled, () => through(gate, 3))).to.equal(3);
    }
    const real = new LookBudget();
    await new Promise<void>((resolve) => {
      while (real.spend());
      real.await(resolve);
    });
    expect(real.spend()).to.equal(true);
  });

  it('lets through all with always_on, with the span where there is one, sampled or not', () => {
    const gate = new AskedGate('always_on');
    expect(through(gate, 100)).to.equal(100);
    expect(gate.spanOf(undefined)).to.deep.equal({ traceId: '', spanId: '' });
    expect(gate.spanOf(unsampled)).to.deep.include(SPAN);
    expect(gate.spanOf(sampled)).to.deep.include(SPAN);
  });

  it('never throws, whatever it is given', () => {
    const gate = new AskedGate('trace_based');
    const throwing = {
      getValue: () => ({
        spanContext(): never {
          throw new Error('no');
        },
      }),
    };
    for (const given of [null, 1, 'x', {}, { getValue: 1 }, { getValue: () => ({}) }, throwing])
      expect(gate.spanOf(given)).to.equal(undefined);
  });
});

describe('SpanGate without a context manager', () => {
  it('lets through what is given a context, and nothing else', () => {
    const gate = new AskedGate('trace_based');
    expect(through(gate, 100)).to.equal(0);
    expect(gate.spanOf(sampled)).to.deep.include(SPAN);
  });
});
