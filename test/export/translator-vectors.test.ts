/**
 * What Prometheus' own translator of OTLP names makes of names, units and label keys: the cases of its tests
 * (github.com/prometheus/otlptranslator, 51da773). Left out: its namespaces, which do not exist here.
 */
import { expect } from 'chai';
import type { ColumnKind } from '../../src/collect/rows/column.ts';
import { labelName, metricName, type TranslationStrategy } from '../../src/export/prometheus-name.ts';

/** Name, unit, kind, Prometheus name, unit in words (of strategies with suffixes). No name: it is refused. */
type Case = readonly [string, string, ColumnKind, string, string];

const NAMES: Readonly<Record<TranslationStrategy, readonly Case[]>> = {
  UnderscoreEscapingWithoutSuffixes: [
    ['simple_metric', '', 'gauge', 'simple_metric', ''],
    ['metric@with#special$chars', '', 'gauge', 'metric_with_special_chars', ''],
    ['123metric', '', 'gauge', '_123metric', ''],
    ['', '', 'gauge', '', ''],
    ['metric@@##$$name', '', 'gauge', 'metric_name', ''],
    ['@#$%', '', 'gauge', '', ''],
    ['@_#_$_%', '', 'gauge', '', ''],
  ],
  UnderscoreEscapingWithSuffixes: [
    ['requests', '', 'counter', 'requests_total', ''],
    ['cpu_usage', '1', 'gauge', 'cpu_usage_ratio', ''],
    ['items', '1', 'counter', 'items_total', ''],
    ['response_time', 'ms', 'gauge', 'response_time_milliseconds', 'milliseconds'],
    ['memory_usage', 'By', 'gauge', 'memory_usage_bytes', 'bytes'],
    ['requests', '1/s', 'gauge', 'requests_per_second', 'per_second'],
    ['throughput', 'By/s', 'gauge', 'throughput_bytes_per_second', 'bytes_per_second'],
    ['custom_metric', 'custom_unit', 'gauge', 'custom_metric_custom_unit', 'custom_unit'],
    ['custom_metric', '{custom}', 'gauge', 'custom_metric', ''],
    ['custom_metric', 'By/{custom}', 'gauge', 'custom_metric_bytes', 'bytes'],
    ['requests_total', '', 'counter', 'requests_total', ''],
    ['cpu_usage_ratio', '1', 'gauge', 'cpu_usage_ratio', ''],
    ['response_time_seconds', 's', 'gauge', 'response_time_seconds', 'seconds'],
    [
      'metric__with__multiple__underscores',
      'unit__multiple__underscores',
      'gauge',
      'metric_with_multiple_underscores_unit_multiple_underscores',
      'unit_multiple_underscores',
    ],
    [
      'custom_metric',
      'unit@with#special/chars',
      'gauge',
      'custom_metric_unit_with_special_per_chars',
      'unit_with_special_per_chars',
    ],
    ['@#$%', '', 'gauge', '', ''],
    ['request_duration', 's', 'histogram', 'request_duration_seconds', 'seconds'],
    ['request_size', 'By', 'exponential-histogram', 'request_size_bytes', 'bytes'],
    ['active_connections', '', 'up-down-counter', 'active_connections', ''],
    ['uptime', 'd', 'gauge', 'uptime_days', 'days'],
    ['duration', 'h', 'gauge', 'duration_hours', 'hours'],
    ['timeout', 'min', 'gauge', 'timeout_minutes', 'minutes'],
    ['latency', 'us', 'gauge', 'latency_microseconds', 'microseconds'],
    ['precision_time', 'ns', 'gauge', 'precision_time_nanoseconds', 'nanoseconds'],
    ['cache_size', 'KiBy', 'gauge', 'cache_size_kibibytes', 'kibibytes'],
    ['memory', 'MiBy', 'gauge', 'memory_mebibytes', 'mebibytes'],
    ['storage', 'GiBy', 'gauge', 'storage_gibibytes', 'gibibytes'],
    ['capacity', 'TiBy', 'gauge', 'capacity_tibibytes', 'tibibytes'],
    ['transfer', 'KBy', 'gauge', 'transfer_kilobytes', 'kilobytes'],
    ['download', 'MBy', 'gauge', 'download_megabytes', 'megabytes'],
    ['backup', 'GBy', 'gauge', 'backup_gigabytes', 'gigabytes'],
    ['archive', 'TBy', 'gauge', 'archive_terabytes', 'terabytes'],
    ['distance', 'm', 'gauge', 'distance_meters', 'meters'],
    ['voltage', 'V', 'gauge', 'voltage_volts', 'volts'],
    ['current', 'A', 'gauge', 'current_amperes', 'amperes'],
    ['energy', 'J', 'gauge', 'energy_joules', 'joules'],
    ['power', 'W', 'gauge', 'power_watts', 'watts'],
    ['weight', 'g', 'gauge', 'weight_grams', 'grams'],
    ['temperature', 'Cel', 'gauge', 'temperature_celsius', 'celsius'],
    ['frequency', 'Hz', 'gauge', 'frequency_hertz', 'hertz'],
    ['cpu_usage', '%', 'gauge', 'cpu_usage_percent', 'percent'],
    ['requests', '1/m', 'gauge', 'requests_per_minute', 'per_minute'],
    ['events', '1/h', 'gauge', 'events_per_hour', 'per_hour'],
    ['transactions', '1/d', 'gauge', 'transactions_per_day', 'per_day'],
    ['reports', '1/w', 'gauge', 'reports_per_week', 'per_week'],
    ['invoices', '1/mo', 'gauge', 'invoices_per_month', 'per_month'],
    ['renewals', '1/y', 'gauge', 'renewals_per_year', 'per_year'],
    ['custom', '1/custom_unit', 'gauge', 'custom_per_custom_unit', 'per_custom_unit'],
    ['metric', 'By/', 'gauge', 'metric_bytes', 'bytes'],
    ['metric', ' By / s ', 'gauge', 'metric_bytes_per_second', 'bytes_per_second'],
    ['metric', '/', 'gauge', 'metric', ''],
    ['http.request.duration', 'ms', 'histogram', 'http_request_duration_milliseconds', 'milliseconds'],
    ['http.requests', '1', 'counter', 'http_requests_total', ''],
  ],
  NoUTF8EscapingWithSuffixes: [
    ['requests_total', '', 'counter', 'requests_total', ''],
    ['cpu_usage_ratio', '1', 'gauge', 'cpu_usage_ratio', ''],
    ['response_time_seconds', 's', 'gauge', 'response_time_seconds', 'seconds'],
    ['cpu_seconds_total', 's', 'counter', 'cpu_seconds_total', 'seconds'],
    ['otelcol_process_cpu_seconds', 's', 'counter', 'otelcol_process_cpu_seconds_total', 'seconds'],
    ['requêsts', '', 'counter', 'requêsts_total', ''],
    ['cpu_usagé', '1', 'gauge', 'cpu_usagé_ratio', ''],
    ['respønse_time', 'ms', 'gauge', 'respønse_time_milliseconds', 'milliseconds'],
    ['requêsts', '1/s', 'gauge', 'requêsts_per_second', 'per_second'],
    ['@#$%', '', 'counter', '@#$%_total', ''],
  ],
  NoTranslation: [
    ['___', '', 'gauge', '___', ''],
    ['métric_with_ñ_chars', '', 'gauge', 'métric_with_ñ_chars', ''],
    ['http.request.duration', 'ms', 'histogram', 'http.request.duration', ''],
    ['http.requests', '1', 'counter', 'http.requests', ''],
  ],
};

/** Empty: it is refused. */
const LABELS: Readonly<Record<string, string>> = {
  'label:with:colons': 'label_with_colons',
  LabelWithCapitalLetters: 'LabelWithCapitalLetters',
  'label!with&special$chars)': 'label_with_special_chars_',
  label_with_foreign_characters_字符: 'label_with_foreign_characters_',
  'label.with.dots': 'label_with_dots',
  '.foo': '_foo',
  '123label': 'key_123label',
  _label_starting_with_underscore: '_label_starting_with_underscore',
  __label_starting_with_2underscores: '_label_starting_with_2underscores',
  ようこそ: '',
  label__with__double__underscores: 'label_with_double_underscores',
  'label.name__with&&special##chars': 'label_name_with_special_chars',
  __reserved__label__name__: '_reserved_label_name_',
  trailing_underscores___: 'trailing_underscores_',
  '': '',
  __: '',
};

/** Where the specification says otherwise, or nothing may be lost. */
const DIFFERENT: Readonly<Record<string, string>> = {
  // It keeps two leading and two trailing underscores here; the specification has one in place of several.
  __reserved__label__name__: '_reserved_label_name_',
  // A label without a name: the whole metric is an error there.
  ようこそ: '_',
  '': '_',
  __: '_',
};

describe("Prometheus' translator", () => {
  for (const [strategy, cases] of Object.entries(NAMES))
    for (const [name, unit, kind, expected, words] of cases)
      it(`gives metrics the name they have here: ${kind} ${JSON.stringify(name)} in ${JSON.stringify(unit)} by ${strategy}`, () => {
        const translated = metricName(name, unit, kind, strategy as TranslationStrategy);
        expect(translated.base + translated.typeSuffix).to.equal(expected);
        expect(translated.unit).to.equal(words);
      });

  for (const [key, expected] of Object.entries(LABELS))
    it(`gives labels the name they have here: ${JSON.stringify(key)}`, () => {
      expect(labelName(key, 'UnderscoreEscapingWithSuffixes')).to.equal(DIFFERENT[key] ?? expected);
      expect(labelName(key, 'NoUTF8EscapingWithSuffixes')).to.equal(key === '' ? '_' : key);
    });

  it('keeps a name of underscores alone; here several become one, as the specification has it', () => {
    expect(metricName('___', '', 'gauge', 'UnderscoreEscapingWithoutSuffixes').base).to.equal('_');
  });
});
