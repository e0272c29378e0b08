import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { SeqlockMetricProducer } from '../../src/export/metric-producer.ts';
import { SMALLEST_MAX_BYTES } from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import { areDeltasRequested, requestDeltas } from '../../src/state/delta-requests.ts';
import { INSTRUMENT_KINDS } from '../../src/state/instrument-kind.ts';

describe('wishes for deltas', () => {
  const wished = (region: Region): string[] =>
    INSTRUMENT_KINDS.filter((kind) => areDeltasRequested(region, kind));

  it('are kept for each kind by itself, and for good', () => {
    const region = Region.create(SMALLEST_MAX_BYTES);
    expect(wished(region)).to.deep.equal([]);
    for (const [i, kind] of INSTRUMENT_KINDS.entries()) {
      requestDeltas(region, [kind]);
      requestDeltas(region, []);
      expect(wished(Region.attach(region.buffer))).to.deep.equal(INSTRUMENT_KINDS.slice(0, i + 1));
    }
  });

  it('are those of every producer', () => {
    const region = Region.create(SMALLEST_MAX_BYTES);
    for (const wanted of ['HISTOGRAM', 'COUNTER'])
      void new SeqlockMetricProducer(
        { region },
        {
          aggregationTemporalitySelector: (kind) =>
            (kind as string) === wanted ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
        },
      );
    expect(wished(region)).to.deep.equal(['COUNTER', 'HISTOGRAM']);
  });
});
