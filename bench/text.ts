/**
 * The Prometheus text of all series, without HTTP: snapshot and text of ours, `collect` and serializer of the official SDK, `metrics()` of prom-client.
 * Ours keeps the text and rewrites its numbers; the others put it together anew. What is recorded in between is not timed.
 */
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { sourceOf } from '../src/export/metric-producer.ts';
import { PrometheusText } from '../src/export/prometheus-text.ts';
import { keysOf } from './attribute-columns.ts';
import { touchAll } from './record-loop.ts';
import { rowOf, type Contender, type Row, type Rounds } from './row.ts';
import { official, ours, promClient, type Kind, type Subject } from './subjects.ts';

/** Kinds and numbers of series, and how often their text is made. */
export type TextEffort = readonly { readonly kind: Kind; readonly series: number; readonly rounds: number }[];

const ATTRIBUTES = 3;
const CHANGED = { 'every value changed': 1, 'a tenth changed': 10 } as const;

interface TextWork {
  readonly contender: Contender;
  readonly subject: Subject;
  readonly make: () => unknown;
}

export async function benchText(effort: TextEffort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { kind, series, rounds } of effort) {
    const works = [ourText(), officialText(), promText()];
    const instruments = works.map(({ subject }) => subject.create(kind, 'shown', keysOf(ATTRIBUTES)));
    for (const [what, part] of Object.entries(CHANGED)) {
      const touches = works.map(({ subject }, i) =>
        touchAll(subject, instruments[i]!, kind, ATTRIBUTES, series, series / part),
      );
      const measured: Partial<Record<Contender, number[]>> = {};
      // The first round makes the series and the text.
      for (let round = -1; round < rounds; round++)
        for (let turn = 0; turn < works.length; turn++) {
          const index = (round + 1 + turn) % works.length;
          const { contender, make } = works[index]!;
          touches[index]!();
          globalThis.gc!();
          const start = performance.now();
          await make();
          if (round >= 0) (measured[contender] ??= []).push(performance.now() - start);
        }
      rows.push(rowOf('text', `${what}, ${series} ${kind} series`, 'ms', measured satisfies Rounds));
    }
    for (const { subject } of works) await subject.close();
  }
  return rows;
}

function ourText(): TextWork {
  const subject = ours();
  const text = new PrometheusText({ openMetrics: false, escaping: 'underscores' });
  const make = (): void => {
    text.update(sourceOf(subject.reader.producer)!.columns());
    text.body().release();
  };
  return { contender: 'ours', subject, make };
}

function officialText(): TextWork {
  const subject = official();
  const serializer = new PrometheusSerializer();
  const make = async (): Promise<string> =>
    serializer.serialize(((await subject.collect()) as { resourceMetrics: ResourceMetrics }).resourceMetrics);
  return { contender: 'official', subject, make };
}

function promText(): TextWork {
  const subject = promClient();
  return { contender: 'prom', subject, make: () => subject.registry.metrics() };
}
