import { expect } from 'chai';
import * as fc from 'fast-check';
import { refusalIn } from '../../src/exporter/otlp-response.ts';
import { encodedResponse } from '../support/otlp-schema.ts';

describe('refusalIn', () => {
  const inBoth = (rejectedDataPoints: number, errorMessage: string) => {
    const { partial_success } = {
      partial_success: { rejected_data_points: rejectedDataPoints, error_message: errorMessage },
    };
    const json = JSON.stringify({
      partialSuccess: { rejectedDataPoints: String(rejectedDataPoints), errorMessage },
    });
    return [refusalIn(encodedResponse({ partial_success }), false), refusalIn(Buffer.from(json), true)];
  };

  it('reads what a collector refused, in both forms', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.string({ unit: 'grapheme' }), (points, reason) => {
        const expected =
          points === 0 && reason === '' ? undefined : { points, reason: reason || 'no reason given' };
        expect(inBoth(points, reason)).to.deep.equal([expected, expected]);
      }),
    );
  });

  it('reads nothing of an empty response, and of one without a partial success', () => {
    expect(refusalIn(new Uint8Array(), false)).to.equal(undefined);
    expect(refusalIn(encodedResponse({}), false)).to.equal(undefined);
    expect(refusalIn(Buffer.from('{}'), true)).to.equal(undefined);
  });

  it('never throws, whatever comes, and skips fields it does not know', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.boolean(), (bytes, isJson) => {
        refusalIn(bytes, isJson);
      }),
    );
    const known = encodedResponse({ partial_success: { rejected_data_points: 3, error_message: 'full' } });
    const unknown = [0x7d, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x70, 0x81, 0x01];
    expect(refusalIn(Uint8Array.from([...unknown, ...known]), false)).to.deep.equal({
      points: 3,
      reason: 'full',
    });
    expect(refusalIn(known.subarray(0, known.length - 1), false)).to.equal(undefined);
  });
});
