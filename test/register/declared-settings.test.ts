import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Environment } from '../../src/base/environment.ts';
import { SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { parseConfiguration } from '../../src/register/configuration-file.ts';
import { declaredSettings, settingsOf } from '../../src/register/declared-settings.ts';

function read(yaml: string, variables: Record<string, string> = {}) {
  const warnings: string[] = [];
  const settings = settingsOf(parseConfiguration(yaml, variables), variables, (message) =>
    warnings.push(message),
  );
  return { ...settings, warnings };
}

const withReaders = (readers: string, more = ''): string =>
  `file_format: "1.1"\nmeter_provider:\n  readers:\n${readers}\n${more}`;
const OTLP = '    - periodic: { exporter: { otlp_http: } }';
const exporter = (text: string): string => withReaders(`    - periodic: { exporter: { ${text} } }`);

describe('a configuration file', () => {
  const VARIABLES = {
    STRING_VALUE: 'value',
    BOOL_VALUE: 'true',
    INT_VALUE: '1',
    FLOAT_VALUE: '1.1',
    HEX_VALUE: '0xdeadbeef',
    INVALID_MAP_VALUE: 'value\nkey:value',
    DO_NOT_REPLACE_ME: 'Never use this value',
    REPLACE_ME: '${DO_NOT_REPLACE_ME}',
    VALUE_WITH_ESCAPE: 'value$$',
    EMPTY: '',
  };
  // The table of the specification, configuration data model.
  const SUBSTITUTIONS: readonly [string, unknown][] = [
    ['${STRING_VALUE}', 'value'],
    ['${BOOL_VALUE}', true],
    ['${INT_VALUE}', 1],
    ['${FLOAT_VALUE}', 1.1],
    ['${HEX_VALUE}', 0xdeadbeef],
    ['"${STRING_VALUE}"', 'value'],
    ['"${BOOL_VALUE}"', 'true'],
    ['"${INT_VALUE}"', '1'],
    ['"${FLOAT_VALUE}"', '1.1'],
    ['"${HEX_VALUE}"', '0xdeadbeef'],
    ['${env:STRING_VALUE}', 'value'],
    ['${INVALID_MAP_VALUE}', 'value\nkey:value'],
    ['foo ${STRING_VALUE} ${FLOAT_VALUE}', 'foo value 1.1'],
    ['${UNDEFINED_KEY}', null],
    ['${EMPTY}', null],
    ['${EMPTY:-fallback}', 'fallback'],
    ['${UNDEFINED_KEY:-fallback}', 'fallback'],
    ['${REPLACE_ME}', '${DO_NOT_REPLACE_ME}'],
    ['${UNDEFINED_KEY:-${STRING_VALUE}}', '${STRING_VALUE}'],
    ['$${STRING_VALUE}', '${STRING_VALUE}'],
    ['$$${STRING_VALUE}', '$value'],
    ['$$$${STRING_VALUE}', '$${STRING_VALUE}'],
    ['$${STRING_VALUE:-fallback}', '${STRING_VALUE:-fallback}'],
    ['$${STRING_VALUE:-${STRING_VALUE}}', '${STRING_VALUE:-value}'],
    ['${UNDEFINED_KEY:-$${UNDEFINED_KEY}}', '${UNDEFINED_KEY:-${UNDEFINED_KEY}}'],
    ['${VALUE_WITH_ESCAPE}', 'value$$'],
    ['a $$ b', 'a $ b'],
    ["'${STRING_VALUE}'", 'value'],
    ['-.inf', -Infinity],
  ];
  for (const [given, expected] of SUBSTITUTIONS)
    it(`has variables in its scalars: ${given}`, () =>
      expect(parseConfiguration(`key: ${given}`, VARIABLES)).to.deep.equal({ key: expected }));

  it('has none in its keys, and refuses references that are none', () => {
    expect(parseConfiguration('${STRING_VALUE}: ${INT_VALUE}', VARIABLES)).to.deep.equal({
      '${STRING_VALUE}': 1,
    });
    for (const wrong of ['${STRING_VALUE:?error}', '${1API_KEY}', '${sys:x}'])
      expect(() => parseConfiguration(`key: ${wrong}`, VARIABLES)).to.throw('is no reference to a variable');
    expect(() => parseConfiguration('a: [', {})).to.throw('it is no YAML');
  });

  it('of the least has the defaults of the schema', () => {
    const { declared, ...settings } = read(withReaders(OTLP));
    expect(settings).to.deep.equal({
      disabled: false,
      exporterThread: {
        otlp: {
          url: 'http://localhost:4318/v1/metrics',
          protocol: 'http/protobuf',
          headers: {},
          tls: {},
          compression: 'none',
          intervalMillis: 60_000,
          timeoutMillis: 10_000,
          temporality: 'cumulative',
        },
      },
      readers: [{ temporality: 'cumulative', exponentialHistograms: false }],
      warnings: [],
    });
    expect(declared).to.include({ logLevel: 'info', exemplarFilter: 'trace_based' });
    expect(declared!.resource().attributes).to.include({ 'telemetry.sdk.name': 'seqlock-metrics' });
  });

  it('as the schema recommends it to those who had variables takes them', () => {
    const yaml = `
file_format: "1.1"
disabled: \${OTEL_SDK_DISABLED:-false}
log_level: warn2
resource:
  attributes:
    - { name: service.name, value: "\${OTEL_SERVICE_NAME:-unknown_service}" }
  attributes_list: \${OTEL_RESOURCE_ATTRIBUTES}
tracer_provider: { whatever: [it, says] }
meter_provider:
  readers:
    - periodic:
        interval: \${OTEL_METRIC_EXPORT_INTERVAL:-60000}
        timeout: \${OTEL_METRIC_EXPORT_TIMEOUT:-30000}
        exporter:
          otlp_http:
            endpoint: \${OTEL_EXPORTER_OTLP_ENDPOINT:-http://localhost:4318}/v1/metrics
            tls:
              ca_file: \${OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE}
              key_file:
            compression: \${OTEL_EXPORTER_OTLP_METRICS_COMPRESSION:-gzip}
            timeout: \${OTEL_EXPORTER_OTLP_METRICS_TIMEOUT:-10000}
            headers_list: \${OTEL_EXPORTER_OTLP_METRICS_HEADERS}
            headers: [{ name: b, value: "2" }, { name: c, value: }]
            temporality_preference: \${OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE:-cumulative}
            default_histogram_aggregation: base2_exponential_bucket_histogram
            encoding: json
  exemplar_filter: \${OTEL_METRICS_EXEMPLAR_FILTER:-trace_based}
`;
    const { declared, ...settings } = read(yaml, {
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_METRIC_EXPORT_TIMEOUT: '0',
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '0',
      OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE: '/ca.pem',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'a=1,b=1',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'low_memory',
      OTEL_METRICS_EXEMPLAR_FILTER: 'always_off',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,x=%31',
    });
    expect(settings).to.deep.equal({
      disabled: false,
      exporterThread: {
        otlp: {
          url: 'http://localhost:4318/v1/metrics',
          protocol: 'http/json',
          headers: { a: '1', b: '2' },
          tls: { caFile: '/ca.pem' },
          compression: 'gzip',
          intervalMillis: 5000,
          timeoutMillis: 2 ** 31 - 1,
          temporality: 'lowmemory',
        },
      },
      readers: [{ temporality: 'lowmemory', exponentialHistograms: true }],
      warnings: [],
    });
    expect(declared).to.include({ logLevel: 'warn', exemplarFilter: 'always_off' });
    expect(declared!.resource().attributes).to.include({ 'service.name': 'unknown_service', x: '1' });
  });

  it('has readers of each kind, and their cardinality limits', () => {
    const { exporterThread, readers } = read(
      withReaders(`
    - periodic: { interval: 7, exporter: { console: { temporality_preference: cumulative } } }
    - pull:
        cardinality_limits: { default: 10, counter: 20 }
        exporter:
          prometheus/development:
            host: 0.0.0.0
            port: 1234
            scope_info_enabled: false
            target_info_enabled/development: false
            resource_constant_labels: { included: ["service*", "a?c"], excluded: [service.attr1] }
            translation_strategy: no_utf8_escaping_with_suffixes/development`),
    );
    const { resourceConstantLabels, ...prometheus } = exporterThread!.prometheus!;
    expect({ ...exporterThread, prometheus }).to.deep.equal({
      console: { intervalMillis: 7 },
      prometheus: {
        host: '0.0.0.0',
        port: 1234,
        scopeInfoEnabled: false,
        targetInfoEnabled: false,
        translationStrategy: 'NoUTF8EscapingWithSuffixes',
      },
    });
    const keys = ['service.name', 'service.attr1', 'serviceXattr1', 'abc', 'ac', 'my.service'];
    expect(keys.filter((key) => (resourceConstantLabels as RegExp).test(key))).to.deep.equal([
      'service.name',
      'serviceXattr1',
      'abc',
    ]);
    expect(readers.map(({ limits }) => [limits?.COUNTER, limits?.GAUGE])).to.deep.equal([
      [20, 10],
      [undefined, undefined],
    ]);
  });

  it('has views, which select and keep as it says', () => {
    const { declared } = read(
      withReaders(
        OTLP,
        `  views:
    - selector: { instrument_name: "took*", instrument_type: histogram, unit: ms, meter_name: m }
      stream:
        aggregation: { explicit_bucket_histogram: { boundaries: [1, 10.5], record_min_max: false } }
        aggregation_cardinality_limit: 5
        attribute_keys: { included: ["http.*", user], excluded: [http.url] }
    - selector: { instrument_name: gone }
      stream: { aggregation: { drop: } }
    - selector: { instrument_name: old }
      stream: { name: new, description: said, aggregation: { base2_exponential_bucket_histogram: { max_size: 4 } } }
`,
      ),
    );
    const reader = new SeqlockMetricReader();
    const provider = new SeqlockMeterProvider({ readers: [reader], views: declared!.views });
    const meter = provider.getMeter('m');
    const attributes = { 'http.route': 'r', 'http.url': 'u', user: 'x', other: 'o' };
    meter.createHistogram('took.all', { unit: 'ms' }).record(3, attributes);
    meter.createHistogram('took.seconds', { unit: 's' }).record(3, { other: 'o' });
    meter.createCounter('gone').add(1);
    meter.createHistogram('old').record(2);
    const found = reader.snapshot().scopeMetrics[0]!.metrics;
    void provider.shutdown();
    expect(found.map(({ descriptor }) => descriptor.name)).to.deep.equal(['took.all', 'took.seconds', 'new']);
    expect(found[0]!.dataPoints[0]!.attributes).to.deep.equal({ 'http.route': 'r', user: 'x' });
    const { value } = found[0]!.dataPoints[0]!;
    expect(value).to.deep.include({ buckets: { boundaries: [1, 10.5], counts: [0, 1, 0] } });
    expect((value as { min?: number }).min).to.equal(undefined);
    expect(found[1]!.dataPoints[0]!.attributes).to.deep.equal({ other: 'o' });
    expect(found[2]!.descriptor.description).to.equal('said');
    expect(found[2]!.dataPointType).to.equal(1);
  });

  it('has attributes of the resource of every type, and detectors', () => {
    const { declared, warnings } = read(
      `file_format: "1.0"
resource:
  schema_url: https://opentelemetry.io/schemas/1.16.0
  attributes_list: "list=1,string=no"
  attributes:
    - { name: string, value: "x" }
    - { name: bool, value: true, type: bool }
    - { name: int, value: 2, type: int }
    - { name: double, value: 1.5, type: double }
    - { name: ints, value: [1, 2], type: int_array }
    - { name: none, value: }
  detection/development:
    attributes: { included: [process.*, service.*], excluded: [process.command*] }
    detectors: [container: , host: , process: , service: ]
`,
      { OTEL_SERVICE_NAME: 'shop' },
    );
    const { attributes, schemaUrl } = declared!.resource();
    expect(attributes).to.deep.include({
      string: 'x',
      bool: true,
      int: 2,
      double: 1.5,
      ints: [1, 2],
      list: '1',
      'service.name': 'shop',
      'process.pid': process.pid,
    });
    expect(attributes)
      .to.include.keys('service.instance.id')
      .and.not.to.have.any.keys('host.name', 'process.command', 'none');
    expect(schemaUrl).to.equal('https://opentelemetry.io/schemas/1.16.0');
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('no detector for containers');
  });

  const wrong: readonly [string, string, string][] = [
    ['no version', 'a: 1', 'file_format is undefined'],
    ['another major version', 'file_format: "2.0"', 'file_format is "2.0"'],
    ['no reader', 'file_format: "1.1"\nmeter_provider: {}', 'meter_provider.readers is undefined'],
    [
      'gRPC',
      exporter('otlp_grpc: '),
      'readers[0].periodic.exporter is "otlp_grpc"; it must be one of otlp_http, console',
    ],
    ['files', exporter('otlp_file/development: '), 'exporter is "otlp_file/development"'],
    ['a misspelt key', exporter('otlp_http: { endpont: x }'), 'Did you mean endpoint?'],
    ['a limit of requests', exporter('otlp_http: { max_request_size: 1 }'), 'is "max_request_size"'],
    ['a wrong time', exporter('otlp_http: { timeout: -1 }'), 'otlp_http.timeout is -1'],
    [
      'a wrong URL',
      exporter('otlp_http: { endpoint: "collector:x" }'),
      'otlp_http.endpoint is "collector:x"',
    ],
    [
      'deltas on the console',
      exporter('console: { temporality_preference: delta }'),
      'it must be cumulative',
    ],
    [
      'producers',
      withReaders('    - periodic: { exporter: { console: }, producers: [opencensus: ] }'),
      'is "producers"',
    ],
    ['two of a kind', withReaders(`${OTLP}\n${OTLP}`), 'meter_provider.readers[1] is "otlp"'],
    [
      'meters',
      withReaders(OTLP, '  meter_configurator/development: { }'),
      'is "meter_configurator/development"',
    ],
    [
      "a type that is not the value's",
      'file_format: "1.1"\nresource: { attributes: [{ name: a, value: x, type: int }] }',
      'resource.attributes[0].value is "x"',
    ],
    [
      'an unknown detector',
      'file_format: "1.1"\nresource: { detection/development: { detectors: [gcp: ] } }',
      'detectors[0] is "gcp"',
    ],
  ];
  for (const [what, yaml, message] of wrong)
    it(`is refused with an error that names ${what}`, () => expect(() => read(yaml)).to.throw(message));

  it('never shows a header', () => {
    for (const headers of [
      'headers: [{ name: key, value: 12345 }]',
      'headers_list: 12345',
      'headers_list: "a=1,12345"',
    ])
      expect(() => read(exporter(`otlp_http: { ${headers} }`)))
        .to.throw('(not shown)')
        .with.property('message')
        .that.does.not.include('12345');
  });

  it('warns of a later minor version, and registers nothing without meter_provider, or where it is disabled', () => {
    const { disabled, exporterThread, warnings } = read('file_format: "1.9"');
    expect([disabled, exporterThread]).to.deep.equal([true, undefined]);
    expect(warnings).to.have.length(1);
    expect(read(`disabled: true\n${withReaders(OTLP)}`).disabled).to.equal(true);
  });

  it('is that of OTEL_CONFIG_FILE, and then no other variable of OpenTelemetry counts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'seqlock-config-'));
    const path = join(folder, 'otel.yaml');
    try {
      writeFileSync(path, withReaders('    - pull: { exporter: { prometheus/development: { port: 7 } } }'));
      for (const name of ['OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE']) {
        const variables = {
          [name]: path,
          OTEL_METRICS_EXPORTER: 'console',
          OTEL_SDK_DISABLED: 'true',
          OTEL_EXPORTER_PROMETHEUS_HOST: 'elsewhere',
          SEQLOCK_METRICS_BLOCKED_THREADS: 'false',
        };
        const { disabled, exporterThread } = declaredSettings(
          new Environment(variables, () => {}),
          variables,
        )!;
        expect(disabled).to.equal(false);
        expect(exporterThread).to.have.all.keys('prometheus', 'blockedThreads');
        expect(exporterThread!.prometheus).to.include({ host: 'localhost', port: 7 });
      }
      const none = { OTEL_CONFIG_FILE: join(folder, 'none.yaml') };
      expect(() => declaredSettings(new Environment(none, () => {}), none)).to.throw(
        /^OTEL_CONFIG_FILE is .*none\.yaml: the file cannot be read/,
      );
      expect(declaredSettings(new Environment({}, () => {}), {})).to.equal(undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
