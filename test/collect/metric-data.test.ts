import { ValueType } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, InstrumentType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import * as metricData from '../../src/collect/metric-data.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';

describe('metric data', () => {
  afterEach(shutDownProviders);

  it('has the numbers of the official enums', () => {
    expect(metricData.DATA_POINT_HISTOGRAM).to.equal(DataPointType.HISTOGRAM);
    expect(metricData.DATA_POINT_EXPONENTIAL_HISTOGRAM).to.equal(DataPointType.EXPONENTIAL_HISTOGRAM);
    expect(metricData.DATA_POINT_GAUGE).to.equal(DataPointType.GAUGE);
    expect(metricData.DATA_POINT_SUM).to.equal(DataPointType.SUM);
    expect(metricData.TEMPORALITY_CUMULATIVE).to.equal(AggregationTemporality.CUMULATIVE);
  });

  it('has the official names and numbers for instruments and value types', () => {
    const { meter, metrics } = makeProvider();
    for (const valueType of [ValueType.INT, ValueType.DOUBLE]) {
      meter.createCounter('c', { valueType }).add(1);
      meter.createUpDownCounter('u', { valueType }).add(1);
      meter.createGauge('g', { valueType }).record(1);
      meter.createHistogram('h', { valueType }).record(1);
    }
    const of = (type: InstrumentType): number[][] =>
      metrics()
        .filter(({ descriptor }) => descriptor.type === type)
        .map(({ descriptor, dataPointType }) => [descriptor.valueType, dataPointType]);
    const both = (dataPointType: DataPointType): number[][] =>
      [ValueType.INT, ValueType.DOUBLE].map((valueType) => [valueType, dataPointType]);
    expect(of(InstrumentType.COUNTER)).to.deep.equal(both(DataPointType.SUM));
    expect(of(InstrumentType.UP_DOWN_COUNTER)).to.deep.equal(both(DataPointType.SUM));
    expect(of(InstrumentType.GAUGE)).to.deep.equal(both(DataPointType.GAUGE));
    expect(of(InstrumentType.HISTOGRAM)).to.deep.equal(both(DataPointType.HISTOGRAM));
    const monotonic = metrics().flatMap((metric) =>
      metric.dataPointType === metricData.DATA_POINT_SUM
        ? [[metric.descriptor.name, metric.isMonotonic]]
        : [],
    );
    expect(Object.fromEntries(monotonic)).to.deep.equal({ c: true, u: false });
  });
});
