import { expect } from 'chai';
import { Region } from '../../src/memory/region.ts';
import type { ExemplarGate } from '../../src/state/exemplar-reservoirs.ts';
import type { StreamDescription } from '../../src/state/records.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { counter, exponentialHistogram, gauge, histogram } from '../support/descriptions.ts';
import { recordTo } from '../support/record-to.ts';

const PAUSE = 3;

/** Lets nothing through, and is not to be asked about the three measurements after one. */
class CountingGate implements ExemplarGate {
  readonly untilNextOffer = PAUSE;
  asked = 0;

  spanOf(): undefined {
    this.asked++;
  }
}

const STREAMS: Readonly<Record<string, StreamDescription>> = {
  sum: counter('sum'),
  'last-value': gauge('last-value'),
  histogram: histogram('histogram', [1]),
  'exponential histogram': exponentialHistogram('exponential histogram'),
};

describe('record calls and exemplars', () => {
  for (const [name, description] of Object.entries(STREAMS)) {
    for (const isBound of [false, true])
      it(`${name}${isBound ? ', bound' : ''}: ask no more often than the gate says, but always with a context`, () => {
        const stream = new StoreWriter(Region.create(2 ** 20)).stream(description, 10);
        const gate = new CountingGate();
        stream.keepExemplars(gate, { type: 'fixed-size', size: 1 }, false);
        const bound = isBound ? stream.bind({ a: 1 }) : undefined;
        const record = (context?: object): void => {
          if (bound === undefined) recordTo(stream, 1, { a: 1 }, context);
          else bound.record(1, context);
        };
        for (let i = 0; i < 10 * (PAUSE + 1); i++) record();
        expect(gate.asked).to.equal(10);
        for (let i = 0; i < 5; i++) record({});
        expect(gate.asked).to.equal(15);
      });
  }

  it('ask nobody where no exemplars are kept, however much is recorded', () => {
    const stream = new StoreWriter(Region.create(2 ** 20)).stream(counter('c'), 10);
    stream.untilNextOffer = 0;
    for (let i = 0; i < 3; i++) recordTo(stream, 1, {}, i === 1 ? {} : undefined);
    expect(stream.untilNextOffer).to.be.greaterThan(2 ** 29);
  });
});
