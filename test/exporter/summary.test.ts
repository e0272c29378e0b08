import { expect } from 'chai';
import { planOf, type ExporterOptions, summaryOf } from '../../src/exporter/options.ts';

const summary = (options: ExporterOptions, address: number | undefined = 1234): string =>
  summaryOf(
    planOf(options, 'options'),
    address === 0 ? undefined : { address: '127.0.0.1', family: 'IPv4', port: address },
  );

describe('the summary of an exporter', () => {
  it('says where it serves and pushes, and how often', () => {
    expect(
      summary({
        prometheus: { host: 'localhost', port: 0 },
        otlp: { url: 'http://collector:4318/v1/metrics', intervalMillis: 15_000 },
        console: { intervalMillis: 500 },
      }),
    ).to.equal(
      'seqlock-metrics: the exporter thread serves Prometheus at http://localhost:1234/metrics, pushes by OTLP (http/protobuf) to http://collector:4318/v1/metrics every 15 s, prints to standard output every 500 ms',
    );
    expect(summary({ prometheus: { host: '::1', endpoint: '/m' } })).to.include('http://[::1]:1234/m');
    expect(summary({ prometheus: { host: 'h', port: 80 } }, 0)).to.include(
      'waits for its port to serve Prometheus at http://h:80/metrics',
    );
  });

  it('shows no credentials', () => {
    const text = summary({ otlp: { url: 'https://user:secret@c:1/m?token=secret' } });
    expect(text).to.include('to https://c:1/m every').and.not.include('secret').and.not.include('user');
  });
});
