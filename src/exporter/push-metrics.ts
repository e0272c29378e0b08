import type { Attributes } from '@opentelemetry/api';
import { performance } from '../base/platform.ts';
import type { SelfMetric, SelfPoint } from '../collect/self-metrics.ts';

/** Who pushes: a name of the semantic conventions, and where it pushes to. */
export interface PushComponent {
  readonly type: string;
  readonly server?: { readonly address: string; readonly port: number };
}

/** Sums by attributes. */
class Totals {
  readonly #points = new Map<string, { value: number; count: number; readonly attributes: Attributes }>();

  add(attributes: Attributes, value: number): void {
    const key = JSON.stringify(attributes);
    let point = this.#points.get(key);
    if (point === undefined) this.#points.set(key, (point = { value: 0, count: 0, attributes }));
    point.value += value;
    point.count++;
  }

  points(): readonly SelfPoint[] {
    return [...this.#points.values()].map((point) => ({ ...point }));
  }
}

/**
 * How pushes go, as metrics of the semantic conventions for SDKs: a push that fails can be alerted on. They
 * count from the start of the exporter.
 */
export class PushMetrics {
  /** For all readers of the exporter. */
  readonly metrics: readonly SelfMetric[];
  readonly #exported = new Totals();
  readonly #inflight = new Totals();
  readonly #durations = new Totals();
  readonly #collections = new Totals();
  readonly #components = new Map<string, number>();

  /** `start`: in milliseconds since the epoch. */
  constructor(start: number) {
    const metric = (
      name: string,
      description: string,
      unit: string,
      kind: SelfMetric['kind'],
      totals: Totals,
    ): SelfMetric => ({ name, description, unit, kind, start, read: () => totals.points() });
    this.metrics = [
      metric(
        'otel.sdk.exporter.metric_data_point.exported',
        'Data points whose push has ended, well or not (then error.type says why).',
        '{data_point}',
        'counter',
        this.#exported,
      ),
      metric(
        'otel.sdk.exporter.metric_data_point.inflight',
        'Data points whose push has begun and not ended.',
        '{data_point}',
        'level',
        this.#inflight,
      ),
      metric(
        'otel.sdk.exporter.operation.duration',
        'How long pushes took, with all their tries.',
        's',
        'histogram',
        this.#durations,
      ),
      metric(
        'otel.sdk.metric_reader.collection.duration',
        'How long collecting for a push took.',
        's',
        'histogram',
        this.#collections,
      ),
    ];
  }

  /** The account of one more component. */
  accountOf({ type, server }: PushComponent): PushAccount {
    const exporter = {
      ...this.#named(type),
      ...(server && { 'server.address': server.address, 'server.port': server.port }),
    };
    const reader = this.#named('periodic_metric_reader');
    return {
      collect: (work) =>
        timed(work, (seconds, error) => this.#collections.add({ ...reader, ...error }, seconds)),
      send: async (points, work) => {
        this.#inflight.add(exporter, points);
        let rejected = points;
        let failure: Attributes = {};
        try {
          rejected = await timed(work, (seconds, error) => {
            failure = error;
            this.#durations.add({ ...exporter, ...error, ...statusOf(error) }, seconds);
          });
          failure = { 'error.type': 'rejected' };
        } finally {
          this.#inflight.add(exporter, -points);
          if (points > rejected) this.#exported.add(exporter, points - rejected);
          if (rejected > 0) this.#exported.add({ ...exporter, ...failure }, rejected);
        }
      },
    };
  }

  #named(type: string): Attributes {
    const number = this.#components.get(type) ?? 0;
    this.#components.set(type, number + 1);
    return { 'otel.component.name': `${type}/${number}`, 'otel.component.type': type };
  }
}

/** Runs the work of a push, and keeps account of it. Both reject as the work does. */
export interface PushAccount {
  collect<T>(work: () => Promise<T>): Promise<T>;
  /** `work` resolves to the number of data points that were refused. */
  send(points: number, work: () => Promise<number>): Promise<void>;
}

/** Where nobody wants to know. */
export const NO_ACCOUNT: PushAccount = {
  collect: (work) => work(),
  send: async (_, work) => void (await work()),
};

async function timed<T>(
  work: () => Promise<T>,
  end: (seconds: number, error: Attributes) => void,
): Promise<T> {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    const result = await work();
    end(seconds(), {});
    return result;
  } catch (error) {
    end(seconds(), { 'error.type': typeOf(error) });
    throw error;
  }
}

/** A status of HTTP, a code of the system, `timeout`, or the name of the error. */
function typeOf(error: unknown): string {
  const { type, code, name } = Object(error) as Record<string, unknown>;
  for (const one of [type, code, name]) if (typeof one === 'string' && one !== '') return one;
  return '_OTHER';
}

function statusOf({ 'error.type': type = '' }: Attributes): Attributes {
  return /^[1-5]\d\d$/.test(String(type)) ? { 'http.response.status_code': Number(type) } : {};
}
