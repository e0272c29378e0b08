/** What the app of the end-to-end tests records, thread by thread, each measurement booked in an account of its own. */
import { metrics, type Attributes } from '@opentelemetry/api';
import { isMainThread, threadId } from 'node:worker_threads';
import { Account, type Labels } from './account.ts';

export const SCOPE = { name: 'shop', version: '1.2.3' };
export const BOUNDS: readonly number[] = [0.125, 0.5, 1, 2.5, 5];

/**
 * By OpenTelemetry name, the names in Prometheus: of this package's endpoint, of the official exporter's (which adds no unit), and as Prometheus and
 * the Collector translate OTLP (they add no unit whose word is anywhere in the name; the specification wants it at the end).
 */
export const PROMETHEUS_NAMES: Readonly<Record<string, { ours: string; official: string; otlp: string }>> = {
  orders: named('orders_total'),
  'bytes.sent': named('bytes_sent_bytes_total', 'bytes_sent_total', 'bytes_sent_total'),
  'queue.length': named('queue_length'),
  temperature: named('temperature_celsius', 'temperature'),
  'order.duration': named('order_duration_seconds', 'order_duration'),
  'rounds.done': named('rounds_done_total'),
  'rounds.open': named('rounds_open'),
  'rounds.last': named('rounds_last'),
};

function named(ours: string, official = ours, otlp = ours): { ours: string; official: string; otlp: string } {
  return { ours, official, otlp };
}

/** Below the limit of 2,000 series a stream. */
const SERIES_OF_ONE = 1900;
const PAYMENTS = ['card', 'cash', 'invoice'];
const REGIONS = ['eu', 'us', 'ap "quoted"\\'];

export class Recorder {
  readonly #account = new Account();
  readonly #thread = `thread-${threadId}`;
  readonly #meter = metrics.getMeter(SCOPE.name, SCOPE.version);
  readonly #orders = this.#meter.createCounter('orders', { description: 'Orders taken' });
  readonly #sent = this.#meter.createCounter('bytes.sent', { unit: 'By' });
  readonly #queue = this.#meter.createUpDownCounter('queue.length', { unit: '{order}' });
  readonly #temperature = this.#meter.createGauge('temperature', { unit: 'Cel' });
  readonly #duration = this.#meter.createHistogram('order.duration', {
    unit: 's',
    advice: { explicitBucketBoundaries: [...BOUNDS] },
  });
  #rounds = 0;

  constructor() {
    const own: Attributes = { thread: this.#thread };
    const observe = (name: string, value: () => number): void => {
      const make = {
        'rounds.done': () => this.#meter.createObservableCounter(name),
        'rounds.open': () => this.#meter.createObservableUpDownCounter(name),
        'rounds.last': () => this.#meter.createObservableGauge(name),
      }[name]!;
      make().addCallback((result) => result.observe(value(), own));
    };
    observe('rounds.done', () => this.#rounds);
    observe('rounds.open', () => 1000 - this.#rounds);
    observe('rounds.last', () => this.#rounds / 8);
  }

  /** One round is some measurements of every synchronous instrument. */
  record(rounds: number): void {
    for (let i = 0; i < rounds; i++) this.#recordOne(this.#rounds++);
  }

  /** Makes this many series of counters that are not recorded to again. */
  widen(series: number): void {
    for (let i = 0; i < series; i++) {
      const name = `wide.${Math.floor(i / SERIES_OF_ONE)}`;
      const attributes = { customer: `customer-${i}` };
      this.#meter.createCounter(name).add(1, attributes);
      this.#account.add(name, attributes, 1);
    }
  }

  get books(): Account['books'] {
    const own: Labels = { thread: this.#thread };
    this.#account.set('rounds.done', own, this.#rounds);
    this.#account.set('rounds.open', own, 1000 - this.#rounds);
    this.#account.set('rounds.last', own, this.#rounds / 8);
    return this.#account.books;
  }

  get values(): Account['values'] {
    return this.#account.values;
  }

  #recordOne(i: number): void {
    const account = this.#account;
    const order = { payment: PAYMENTS[i % 3]!, region: REGIONS[(i >> 2) % 3]!, vip: i % 7 === 0 };
    this.#orders.add(1 + (i % 5), order);
    account.add('orders', order, 1 + (i % 5));
    const to = { to: `host-${i % 11}` };
    this.#sent.add((i % 1000) / 8, to);
    account.add('bytes.sent', to, (i % 1000) / 8);
    const change = i % 4 === 3 ? -2 : 1;
    this.#queue.add(change, { queue: 'main' });
    account.add('queue.length', { queue: 'main' }, change);
    const seconds = ((i * 37) % 1000) / 128;
    this.#duration.record(seconds, { payment: order.payment });
    account.observe('order.duration', { payment: order.payment }, seconds, BOUNDS);
    if (!isMainThread) return; // of a gauge the last value counts, and threads have no common last
    const celsius = 20 - (i % 64) / 4;
    this.#temperature.record(celsius, { room: `room-${i % 2}` });
    account.set('temperature', { room: `room-${i % 2}` }, celsius);
  }
}
