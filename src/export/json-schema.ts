const number = { anyOf: [{ type: 'number' }, { enum: ['NaN', '+Inf', '-Inf'] }] };
const count = { type: 'number', minimum: 0 };
const millis = { type: 'integer', minimum: 0 };
const attributes = { type: 'object', additionalProperties: true };
const requiredPoint = { attributes, startTimeUnixMillis: millis, timeUnixMillis: millis };
const exemplar = {
  type: 'object',
  properties: {
    filteredAttributes: attributes,
    value: number,
    timeUnixMillis: millis,
    traceId: { type: 'string', pattern: '^[0-9a-f]{32}$' },
    spanId: { type: 'string', pattern: '^[0-9a-f]{16}$' },
  },
  required: ['filteredAttributes', 'value', 'timeUnixMillis'],
  dependentRequired: { traceId: ['spanId'], spanId: ['traceId'] },
};
const point = { ...requiredPoint, exemplars: { type: 'array', minItems: 1, items: exemplar } };
const distribution = { count, sum: number, min: number, max: number };
const exponentialBuckets = {
  type: 'object',
  properties: { offset: { type: 'integer' }, bucketCounts: { type: 'array', items: count } },
  required: ['offset', 'bucketCounts'],
};
const pointFields = Object.keys(requiredPoint);

function metric(
  types: readonly string[],
  fields: Readonly<Record<string, unknown>>,
  required: readonly string[],
): object {
  return {
    type: 'object',
    properties: {
      name: { type: 'string' },
      description: { type: 'string' },
      unit: { type: 'string' },
      type: { enum: types },
      points: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          properties: { ...point, ...fields },
          required: [...pointFields, ...required],
        },
      },
    },
    required: ['name', 'description', 'unit', 'type', 'points'],
  };
}

/**
 * JSON Schema (draft 2020-12) of what `exportJson` returns. Fields may be added to documents, so others are
 * allowed everywhere.
 */
export const metricsJsonSchema: Readonly<Record<string, unknown>> = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:seqlock-metrics:metrics:1',
  title: 'Metrics of a seqlock-metrics store',
  type: 'object',
  properties: {
    schemaVersion: { const: 1 },
    resource: { type: 'object', properties: { attributes }, required: ['attributes'] },
    scopes: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          version: { type: 'string' },
          schemaUrl: { type: 'string' },
          attributes,
          metrics: {
            type: 'array',
            minItems: 1,
            items: {
              oneOf: [
                metric(['counter', 'updowncounter', 'gauge'], { value: number }, ['value']),
                metric(
                  ['histogram'],
                  {
                    ...distribution,
                    buckets: {
                      type: 'array',
                      minItems: 1,
                      items: {
                        type: 'object',
                        properties: { upperBound: number, count },
                        required: ['upperBound', 'count'],
                      },
                    },
                  },
                  ['count', 'buckets'],
                ),
                metric(
                  ['exponentialhistogram'],
                  {
                    ...distribution,
                    scale: { type: 'integer' },
                    zeroCount: count,
                    positive: exponentialBuckets,
                    negative: exponentialBuckets,
                  },
                  ['count', 'scale', 'zeroCount', 'positive', 'negative'],
                ),
              ],
            },
          },
        },
        required: ['name', 'version', 'schemaUrl', 'metrics'],
      },
    },
  },
  required: ['schemaVersion', 'resource', 'scopes'],
};
