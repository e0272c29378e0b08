/** The messages of opentelemetry-proto 1.x that pushes of metrics have, by their published field numbers. */
import protobuf from 'protobufjs';

const SCHEMA = `
  syntax = "proto3";
  message ExportMetricsServiceRequest { repeated ResourceMetrics resource_metrics = 1; }
  message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; string schema_url = 3; }
  message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
  message ScopeMetrics { InstrumentationScope scope = 1; repeated Metric metrics = 2; string schema_url = 3; }
  message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
  message Metric { string name = 1; string description = 2; string unit = 3; oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; ExponentialHistogram exponential_histogram = 10; } }
  message Gauge { repeated NumberDataPoint data_points = 1; }
  message Sum { repeated NumberDataPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
  message Histogram { repeated HistogramDataPoint data_points = 1; int32 aggregation_temporality = 2; }
  message ExponentialHistogram { repeated ExponentialHistogramDataPoint data_points = 1; int32 aggregation_temporality = 2; }
  message NumberDataPoint { fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; oneof value { double as_double = 4; sfixed64 as_int = 6; } repeated Exemplar exemplars = 5; repeated KeyValue attributes = 7; uint32 flags = 8; }
  message HistogramDataPoint { fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4; optional double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; repeated Exemplar exemplars = 8; repeated KeyValue attributes = 9; uint32 flags = 10; optional double min = 11; optional double max = 12; }
  message ExponentialHistogramDataPoint { repeated KeyValue attributes = 1; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4; optional double sum = 5; sint32 scale = 6; fixed64 zero_count = 7; Buckets positive = 8; Buckets negative = 9; uint32 flags = 10; repeated Exemplar exemplars = 11; optional double min = 12; optional double max = 13; double zero_threshold = 14; }
  message Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2; }
  message Exemplar { fixed64 time_unix_nano = 2; oneof value { double as_double = 3; sfixed64 as_int = 6; } bytes span_id = 4; bytes trace_id = 5; repeated KeyValue filtered_attributes = 7; }
  message ExportMetricsServiceResponse { ExportMetricsPartialSuccess partial_success = 1; }
  message ExportMetricsPartialSuccess { int64 rejected_data_points = 1; string error_message = 2; }
`;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });
/** With the names that JSON has. */
const REQUEST_AS_JSON = protobuf.parse(SCHEMA).root.lookupType('ExportMetricsServiceRequest');

const REQUEST = root.lookupType('ExportMetricsServiceRequest');
const RESPONSE = root.lookupType('ExportMetricsServiceResponse');

/** A request as a plain object: 64-bit numbers as texts, bytes in hexadecimal, every field that has a value. */
export function decodedRequest(bytes: Uint8Array): unknown {
  return REQUEST.toObject(REQUEST.decode(bytes), {
    longs: String,
    bytes: String,
    defaults: true,
    oneofs: true,
  });
}

/** A request of JSON as `decodedRequest` has those of protobuf. */
export function decodedJson(bytes: Uint8Array): unknown {
  const request = JSON.parse(Buffer.from(bytes).toString(), (key, value: unknown) =>
    // The protocol has ids in hexadecimal where ProtoJSON has base64.
    (key === 'traceId' || key === 'spanId') && typeof value === 'string'
      ? Buffer.from(value, 'hex').toString('base64')
      : value,
  ) as object;
  return decodedRequest(REQUEST_AS_JSON.encode(REQUEST_AS_JSON.fromObject(request)).finish());
}

export function encodedResponse(response: object): Uint8Array {
  return RESPONSE.encode(RESPONSE.fromObject(response)).finish();
}
