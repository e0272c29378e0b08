import { ValueType } from '@opentelemetry/api';
import { expect } from 'chai';
import { Warnings } from '../../src/base/warnings.ts';
import { aggregationOf, DEFAULT_BOUNDARIES } from '../../src/sdk/aggregation.ts';
import { describeInstrument, type InstrumentDescriptor } from '../../src/sdk/instrument-descriptor.ts';
import { DEFAULT_CHOICE } from '../../src/state/stream-choices.ts';
import { hostileValues } from '../support/hostile-values.ts';
import { collectWarnings } from '../support/warnings.ts';

function described(
  name: unknown,
  options?: unknown,
): { descriptor: InstrumentDescriptor; warnings: string[] } {
  const collected = collectWarnings();
  const known = new Warnings();
  try {
    for (let i = 0; i < 3; i++) describeInstrument(name, 'HISTOGRAM', options as never, known);
    return {
      descriptor: describeInstrument(name, 'HISTOGRAM', options as never, known),
      warnings: collected.warnings,
    };
  } finally {
    collected.stop();
  }
}

describe('instrument descriptor', () => {
  it('has empty texts and DOUBLE by default', () => {
    for (const options of [undefined, null, {}, { description: undefined, unit: null }])
      expect(described('m', options)).to.deep.equal({
        descriptor: {
          name: 'm',
          kind: 'HISTOGRAM',
          description: '',
          unit: '',
          valueType: ValueType.DOUBLE,
          boundaries: undefined,
          merge: undefined,
        },
        warnings: [],
      });
  });

  for (const name of ['a', 'A1', 'http.server.duration', 'a_b-c/d', `a${'b'.repeat(254)}`])
    it(`takes the name ${name.slice(0, 30)}`, () => expect(described(name).warnings).to.deep.equal([]));

  for (const name of ['', '1a', '_a', 'a b', 'zähler', 'a\n', `a${'b'.repeat(255)}`])
    it(`warns once of the name ${JSON.stringify(name.slice(0, 30))} and uses it`, () => {
      const { descriptor, warnings } = described(name);
      expect(descriptor.name).to.equal(name);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/^Invalid metric name/);
    });

  it('comes out whatever is passed as name, options, texts and advice', () => {
    for (const [what, make] of Object.entries(hostileValues)) {
      const { descriptor, warnings } = described(make(), make());
      expect(descriptor.name, what).to.be.a('string');
      expect(warnings.length, what).to.be.below(4);
      const texts = described('m', {
        description: make(),
        unit: make(),
        valueType: make(),
        advice: make(),
      }).descriptor;
      expect(texts.description + texts.unit, what).to.be.a('string');
      expect(described('m', { advice: { explicitBucketBoundaries: make() } }).descriptor.name, what).to.equal(
        'm',
      );
    }
    const get = (): never => {
      throw new Error('on purpose');
    };
    expect(described('m', Object.defineProperty({}, 'unit', { get })).warnings).to.have.length(1);
  });

  for (const [given, used] of [
    [
      [3, 1, 2],
      [1, 2, 3],
    ],
    [[], []],
    [[1, Infinity, -Infinity], [1]],
    [
      [-5, 0.5],
      [-5, 0.5],
    ],
    [
      [10, 9, 100],
      [9, 10, 100],
    ],
  ] as const)
    it(`uses the boundaries [${used.join()}] for [${given.join()}]`, () => {
      const { descriptor, warnings } = described('m', { advice: { explicitBucketBoundaries: given } });
      expect(descriptor.boundaries).to.deep.equal(used);
      expect(warnings).to.deep.equal([]);
    });

  it('gives a histogram in seconds the bounds of the semantic conventions, where nobody gave it any', () => {
    const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    const boundaries = (options: object): unknown => described('m', options).descriptor.boundaries;
    expect(boundaries({ unit: 's' })).to.deep.equal(seconds);
    for (const unit of ['ms', 'S', '', undefined]) expect(boundaries({ unit })).to.equal(undefined);
    expect(boundaries({ unit: 's', advice: { explicitBucketBoundaries: [1, 2] } })).to.deep.equal([1, 2]);
    expect(boundaries({ unit: 's', advice: { explicitBucketBoundaries: [] } })).to.deep.equal([]);
  });

  it('warns once of boundaries that repeat, and uses each once', () => {
    const { descriptor, warnings } = described('m', {
      advice: { explicitBucketBoundaries: [1, 1, 2, 0, -0] },
    });
    expect(descriptor.boundaries!.map((bound) => bound + 0)).to.deep.equal([0, 1, 2]);
    expect(warnings).to.have.length(1);
  });

  it('warns once of boundaries that are no numbers, and uses the default', () => {
    for (const wrong of [[1, NaN], ['1'], 5, 'text', {}, [null], [1n]]) {
      const { descriptor, warnings } = described('m', { advice: { explicitBucketBoundaries: wrong } });
      expect(descriptor.boundaries).to.equal(undefined);
      expect(aggregationOf(descriptor, DEFAULT_CHOICE)).to.have.property('boundaries', DEFAULT_BOUNDARIES);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/must be an array of numbers/);
    }
  });

  it('warns once of a value type that is none, and uses DOUBLE', () => {
    const { descriptor, warnings } = described('m', { valueType: 7 });
    expect(descriptor.valueType).to.equal(ValueType.DOUBLE);
    expect(warnings).to.have.length(1);
  });
});
