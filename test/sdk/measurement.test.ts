import { ValueType } from '@opentelemetry/api';
import { expect } from 'chai';
import { hostileValues } from '../support/hostile-values.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';
import { collectWarnings } from '../support/warnings.ts';

type Kind = 'counter' | 'upDown' | 'gauge' | 'histogram';

/** What is exported after `value` was recorded, and how many warnings there were. */
function record(kind: Kind, value: unknown, valueType: ValueType, times = 3): { exported: unknown; warnings: string[] } {
  const collected = collectWarnings();
  try {
    const { meter, points } = makeProvider();
    const given = value as number;
    for (let i = 0; i < times; i++) {
      if (kind === 'counter') meter.createCounter('m', { valueType }).add(given);
      else if (kind === 'upDown') meter.createUpDownCounter('m', { valueType }).add(given);
      else if (kind === 'gauge') meter.createGauge('m', { valueType }).record(given);
      else meter.createHistogram('m', { valueType }).record(given);
    }
    const exported = points('m')[0]?.value;
    const isHistogram = typeof exported === 'object' && exported !== null;
    return { exported: isHistogram ? (exported as { sum: number }).sum : exported, warnings: collected.warnings };
  } finally {
    collected.stop();
  }
}

const NOTHING = undefined;

describe('measurement', () => {
  afterEach(shutDownProviders);

  // [kind, value, exported after three calls as DOUBLE, as INT]; undefined: no point.
  const table: readonly (readonly [Kind, number, number | undefined, number | undefined])[] = [
    ['counter', 2, 6, 6],
    ['counter', 0, 0, 0],
    ['counter', -1, NOTHING, NOTHING],
    ['counter', -0.5, NOTHING, NOTHING],
    ['counter', 0.5, 1.5, 0],
    ['counter', 1.9, 5.699999999999999, 3],
    ['counter', NaN, NOTHING, NOTHING],
    ['counter', Infinity, NOTHING, NOTHING],
    ['counter', -Infinity, NOTHING, NOTHING],
    ['upDown', -1.9, -5.699999999999999, -3],
    ['upDown', -0.5, -1.5, 0],
    ['upDown', NaN, NOTHING, NOTHING],
    ['upDown', Infinity, NOTHING, NOTHING],
    ['upDown', -Infinity, NOTHING, NOTHING],
    ['gauge', -1.9, -1.9, -1],
    ['gauge', NaN, NaN, NOTHING],
    ['gauge', Infinity, Infinity, NOTHING],
    ['gauge', -Infinity, -Infinity, NOTHING],
    ['histogram', 1.9, 5.699999999999999, 3],
    ['histogram', 0, 0, 0],
    ['histogram', -1, NOTHING, NOTHING],
    ['histogram', NaN, NOTHING, NOTHING],
    ['histogram', Infinity, Infinity, NOTHING],
    ['histogram', -Infinity, NOTHING, NOTHING],
  ];

  for (const [kind, value, asDouble, asInt] of table) {
    it(`${kind} of ${value}: ${asDouble} as DOUBLE, ${asInt} as INT, at most one warning`, () => {
      const double = record(kind, value, ValueType.DOUBLE);
      const int = record(kind, value, ValueType.INT);
      expect(double.exported).to.deep.equal(asDouble);
      expect(int.exported).to.deep.equal(asInt);
      expect(double.warnings).to.have.length(asDouble === NOTHING ? 1 : 0);
      expect(int.warnings).to.have.length(Number.isInteger(value) && asInt !== NOTHING ? 0 : 1);
      for (const warning of [...double.warnings, ...int.warnings]) expect(warning).to.include('m').and.to.include(`${value}`);
    });
  }

  for (const kind of ['counter', 'upDown', 'gauge', 'histogram'] as const) {
    it(`${kind} refuses whatever is no number, with one warning, and never throws`, () => {
      const makers = { ...hostileValues, 'a string of digits': () => '5', 'a negative string': () => '-5', 'minus bigint': () => -5n };
      for (const [what, make] of Object.entries(makers)) {
        if (typeof make() === 'number') continue;
        const { exported, warnings } = record(kind, make(), ValueType.DOUBLE);
        expect(exported, what).to.equal(undefined);
        expect(warnings, what).to.have.length(1);
        expect(warnings[0]!.length, what).to.be.below(400);
      }
    });
  }

  it('warns once for each cause, of all instruments of a metric together', () => {
    const { warnings, stop } = collectWarnings();
    const { meter } = makeProvider();
    const [one, two] = [meter.createCounter('m'), meter.createCounter('m')];
    for (let i = 0; i < 5; i++) {
      one.add(-1);
      two.add(-2);
      two.bind({}).add(-3);
      one.add(NaN);
      meter.createCounter('other').add(-1);
    }
    stop();
    expect(warnings.map((warning) => /negative|NaN/.exec(warning)?.[0])).to.deep.equal(['negative', 'NaN', 'negative']);
  });

  it('survives a logger that throws', () => {
    const { meter } = makeProvider();
    const { stop, warnings } = collectWarnings();
    Object.defineProperty(warnings, 'push', { value: () => { throw new Error('logger'); } });
    expect(() => meter.createCounter('m').add(-1)).to.not.throw();
    stop();
  });
});
