import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { metricsJsonSchema, SeqlockMetricReader } from '../../src/index.ts';
import { metricsDocument } from '../../src/export/json.ts';
import { randomMetrics, randomOf } from './random-metrics.ts';
import { opened, shutDownOpened } from '../support/opened.ts';

const isValid = new Ajv2020({ strict: true, strictTypes: false }).compile(metricsJsonSchema);

function validated(document: unknown): void {
  if (!isValid(document)) throw new Error(JSON.stringify(isValid.errors));
}

describe('exportJson', () => {
  afterEach(shutDownOpened);

  it('says what was recorded, by the schema', () => {
    const reader = new SeqlockMetricReader();
    const meter = opened({ readers: [reader], resource: { attributes: { a: 1 } } }).getMeter('s', '1');
    meter.createCounter('c', { description: 'd', unit: 'By' }).add(2, { k: 'v', list: ['x', 1] as never });
    meter.createUpDownCounter('u').add(-1);
    meter.createGauge('g').record(NaN);
    meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1] } }).record(3);
    const document = reader.exportJson();
    validated(document);
    expect(JSON.parse(JSON.stringify(document))).to.deep.equal(document);
    expect(document.resource).to.deep.equal({ attributes: { a: 1 } });
    const { metrics, ...scope } = document.scopes[0]!;
    expect(scope).to.deep.equal({ name: 's', version: '1', schemaUrl: '' });
    const points = metrics.map(({ points: of }) => {
      const { startTimeUnixMillis, timeUnixMillis, ...point } = of[0]!;
      expect(timeUnixMillis).to.be.at.least(startTimeUnixMillis);
      return point;
    });
    expect(metrics.map(({ name, type, unit, description }) => [name, type, unit, description])).to.deep.equal(
      [
        ['c', 'counter', 'By', 'd'],
        ['u', 'updowncounter', '', ''],
        ['g', 'gauge', '', ''],
        ['h', 'histogram', '', ''],
      ],
    );
    expect(points).to.deep.equal([
      { attributes: { k: 'v', list: ['x', 1] }, value: 2 },
      { attributes: {}, value: -1 },
      { attributes: {}, value: 'NaN' },
      {
        attributes: {},
        count: 1,
        sum: 3,
        min: 3,
        max: 3,
        buckets: [
          { upperBound: 1, count: 0 },
          { upperBound: '+Inf', count: 1 },
        ],
      },
    ]);
  });

  it('is a valid document when there is nothing', () => {
    const reader = new SeqlockMetricReader();
    opened({ readers: [reader] });
    validated(reader.exportJson());
  });

  it('keeps to the schema whatever it is given', () => {
    const random = randomOf(3);
    for (let i = 0; i < 500; i++) {
      const metrics = randomMetrics(random);
      // A snapshot has no metric without points.
      const document = metricsDocument({
        ...metrics,
        scopeMetrics: metrics.scopeMetrics
          .map((scope) => ({
            ...scope,
            metrics: scope.metrics.filter(({ dataPoints }) => dataPoints.length > 0),
          }))
          .filter((scope) => scope.metrics.length > 0),
      });
      validated(document);
      expect(JSON.parse(JSON.stringify(document))).to.deep.equal(document);
    }
  });

  it('has a schema that refuses what is none', () => {
    const reader = new SeqlockMetricReader();
    opened({ readers: [reader] })
      .getMeter('s')
      .createHistogram('h')
      .record(1);
    const document = JSON.parse(JSON.stringify(reader.exportJson())) as {
      scopes: { metrics: { points: Record<string, unknown>[] }[] }[];
    };
    delete document.scopes[0]!.metrics[0]!.points[0]!['count'];
    expect(isValid(document)).to.equal(false);
    expect(isValid({ schemaVersion: 2, resource: { attributes: {} }, scopes: [] })).to.equal(false);
  });
});
