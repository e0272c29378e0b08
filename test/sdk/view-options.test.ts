import {
  createAllowListAttributesProcessor,
  createDenyListAttributesProcessor,
} from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { readViewOptions } from '../../src/sdk/view-options.ts';

const BOUNDS = { type: 4, options: { boundaries: [10, 1, Infinity] } };

describe('readViewOptions', () => {
  it('reads all options of the official SDK', () => {
    const { description } = readViewOptions(
      {
        instrumentName: 'a',
        instrumentType: 'HISTOGRAM',
        instrumentUnit: 's',
        meterName: 'm',
        meterVersion: '1',
        meterSchemaUrl: 'u',
        name: 'b',
        description: 'd',
        attributesProcessors: [
          createAllowListAttributesProcessor(['y', 'x']),
          createDenyListAttributesProcessor(['x']),
        ],
        aggregation: BOUNDS,
        aggregationCardinalityLimit: 7,
      },
      'views[0]',
    );
    expect(description).to.deep.equal({
      instrumentName: 'a',
      instrumentType: 'HISTOGRAM',
      instrumentUnit: 's',
      meterName: 'm',
      meterVersion: '1',
      meterSchemaUrl: 'u',
      stream: {
        name: 'b',
        description: 'd',
        attributes: [
          { type: 'keep', keys: ['x', 'y'] },
          { type: 'leave-out', keys: ['x'] },
        ],
        aggregation: { type: 'explicit-bucket-histogram', boundaries: [1, 10], recordMinMax: true },
        cardinalityLimit: 7,
      },
    });
  });

  it('takes null for left out, and any one selector', () => {
    for (const selector of [
      { instrumentName: '*' },
      { instrumentType: 'GAUGE' },
      { instrumentUnit: '' },
      { meterName: 'm' },
      { meterVersion: '1' },
      { meterSchemaUrl: 'u' },
    ])
      expect(
        readViewOptions({ ...selector, name: null, aggregation: null, attributesProcessors: null }, 'v')
          .description,
      ).to.deep.equal({ ...selector, stream: { attributes: [] } });
  });

  for (const [what, options, ...named] of [
    ['no object', 7, 'v is 7'],
    ['no selector', { description: 'd' }, 'v is ', 'instrumentName'],
    ['nothing', {}, 'v is {}'],
    ['an option that is none', { instrumentname: 'a' }, 'instrumentname', 'instrumentName'],
    ['a selector that is no string', { meterName: 3 }, 'v.meterName is 3'],
    ['a kind that is none', { instrumentType: 'TIMER' }, 'v.instrumentType is "TIMER"', 'HISTOGRAM'],
    [
      'a name for all instruments of a kind',
      { instrumentType: 'GAUGE', name: 'a' },
      'v.instrumentName',
      'several',
    ],
    ['a name for a pattern', { instrumentName: 'a*', name: 'b' }, 'v.instrumentName is "a*"'],
    ['a name for a pattern of one letter', { instrumentName: '?', name: 'b' }, 'v.instrumentName is "?"'],
    ['an aggregation that is none', { instrumentName: 'a', aggregation: { type: 9 } }, 'v.aggregation'],
    [
      'the boundaries of no bucket',
      { instrumentName: 'a', aggregation: { type: 4, options: { boundaries: [NaN] } } },
      'v.aggregation.options.boundaries',
    ],
    [
      'a limit of 0',
      { instrumentName: 'a', aggregationCardinalityLimit: 0 },
      'v.aggregationCardinalityLimit is 0',
    ],
    ['keys that are no strings', { instrumentName: 'a', attributeKeys: [1] }, 'v.attributeKeys[0] is 1'],
    [
      'processors that are no array',
      { instrumentName: 'a', attributesProcessors: {} },
      'v.attributesProcessors is {}',
    ],
    [
      'a processor that is none',
      { instrumentName: 'a', attributesProcessors: [{}] },
      'v.attributesProcessors[0]',
    ],
  ] as const)
    it(`refuses ${what}`, () => {
      expect(() => readViewOptions(options, 'v'))
        .to.throw()
        .that.satisfies((error: Error & { code?: string }) => {
          expect(error.code).to.equal('E_OPTION');
          for (const text of named) expect(error.message).to.include(text);
          return true;
        });
    });

  it('knows allow and deny lists by what they do, and takes anything else for code', () => {
    const steps = (processor: object): unknown =>
      readViewOptions({ instrumentName: '*', attributesProcessors: [processor] }, 'v').filter?.steps;
    const allow = createAllowListAttributesProcessor(['a']);
    expect(steps(allow)).to.deep.equal([{ type: 'keep', keys: ['a'] }]);
    expect(steps(createDenyListAttributesProcessor([]))).to.deep.equal([{ type: 'leave-out', keys: [] }]);
    expect(steps({ process: (attributes: object) => attributes })).to.deep.equal([{ type: 'custom' }]);
    // Holds what an allow list holds, and does something else.
    expect(steps({ _allowedAttributeNames: new Set(['a']), process: () => ({ b: 1 }) })).to.deep.equal([
      { type: 'custom' },
    ]);
    expect(
      steps(Object.assign(Object.create(allow) as object, { _allowedAttributeNames: new Set([1]) })),
    ).to.deep.equal([{ type: 'custom' }]);
  });
});
