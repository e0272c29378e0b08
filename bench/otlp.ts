/**
 * What a push is made of, without HTTP: the request of ours from the store, and of the official SDK by `collect` and the official serializer.
 * CPU time of the process. What is recorded in between is not counted.
 */
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { MetricSink } from '../src/collect/metric-source.ts';
import { sourceOf } from '../src/export/metric-producer.ts';
import { OtlpJson } from '../src/export/otlp-json.ts';
import { OtlpProtobuf } from '../src/export/otlp-protobuf.ts';
import { keysOf } from './attribute-columns.ts';
import { touchAll } from './record-loop.ts';
import { rowOf, type Row } from './row.ts';
import { official, ours, type Kind } from './subjects.ts';

/** Kinds and numbers of series, and how often their request is made. */
export type OtlpEffort = readonly { readonly kind: Kind; readonly series: number; readonly rounds: number }[];

const ATTRIBUTES = 3;
const FORMS: Readonly<
  Record<
    string,
    {
      readonly newSink: () => MetricSink<Uint8Array>;
      readonly serialize: (metrics: ResourceMetrics) => unknown;
    }
  >
> = {
  protobuf: {
    newSink: () => new OtlpProtobuf(),
    serialize: (metrics) => ProtobufMetricsSerializer.serializeRequest(metrics),
  },
  JSON: {
    newSink: () => new OtlpJson(),
    serialize: (metrics) => JsonMetricsSerializer.serializeRequest(metrics),
  },
};

export async function benchOtlp(effort: OtlpEffort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { kind, series, rounds } of effort)
    for (const [form, { newSink, serialize }] of Object.entries(FORMS)) {
      const own = ours();
      const other = official();
      const sink = newSink();
      const makers = {
        ours: () => sourceOf(own.reader.producer)!.collect(undefined, sink),
        official: async () => {
          const { resourceMetrics } = (await other.collect()) as { resourceMetrics: ResourceMetrics };
          return serialize(resourceMetrics);
        },
      };
      const touches = [own, other].map((subject) =>
        touchAll(
          subject,
          subject.create(kind, 'pushed', keysOf(ATTRIBUTES)),
          kind,
          ATTRIBUTES,
          series,
          series,
        ),
      );
      const measured = { ours: [] as number[], official: [] as number[] };
      // The first round makes the series, and what is kept of them.
      for (let round = -1; round < rounds; round++) {
        for (const touch of touches) touch();
        for (const [contender, make] of Object.entries(makers)) {
          globalThis.gc!();
          const before = process.cpuUsage();
          await make();
          const { user, system } = process.cpuUsage(before);
          if (round >= 0) measured[contender as keyof typeof makers].push((user + system) / 1000);
        }
      }
      rows.push(rowOf('otlp', `${form}, ${series} ${kind} series`, 'ms', measured));
      await own.close();
      await other.close();
    }
  return rows;
}
