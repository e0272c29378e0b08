import type { AggregationOption, AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';
import { Warnings } from '../base/warnings.ts';
import { DELTA_KINDS, type Temporality } from '../exporter/otlp-options.ts';
import { selectedAggregation } from '../facade/reader-requirements.ts';
import type { RemoteReader } from '../facade/readers.ts';
import { selectionKey, type InstrumentKind } from '../state/stream-choices.ts';

// Numbers of the enums of `@opentelemetry/sdk-metrics`.
const DELTA = 0;
const CUMULATIVE = 1;
const DEFAULT_AGGREGATION = 0;
const EXPONENTIAL_HISTOGRAM = 5;

const DEFAULT_LIMIT = 2000;

/** What a reader in the exporter thread wants. */
export interface ReaderWishes {
  readonly temporality: Temporality;
  readonly exponentialHistograms: boolean;
  /** Cardinality limits by kind of instrument. Default 2,000 each. */
  readonly limits?: Readonly<Partial<Record<InstrumentKind, number>>>;
}

/** Stands for a reader in the exporter thread, for the provider of this thread. */
export class ExporterReader implements RemoteReader {
  readonly readsElsewhere = true;
  readonly #wishes: ReaderWishes;

  constructor(wishes: ReaderWishes) {
    this.#wishes = wishes;
  }

  selectAggregation(kind: InstrumentType): AggregationOption {
    const isExponential = this.#wishes.exponentialHistograms && (kind as string) === 'HISTOGRAM';
    return { type: isExponential ? EXPONENTIAL_HISTOGRAM : DEFAULT_AGGREGATION };
  }

  selectAggregationTemporality(kind: InstrumentType): AggregationTemporality {
    const kinds: readonly string[] = DELTA_KINDS[this.#wishes.temporality];
    return kinds.includes(kind) ? DELTA : CUMULATIVE;
  }

  selectCardinalityLimit(kind: InstrumentType): number {
    return this.#wishes.limits?.[kind as InstrumentKind] ?? DEFAULT_LIMIT;
  }

  /** The mark of the streams that the store has of histograms for this reader. */
  histogramSelection(): string {
    return selectionKey(selectedAggregation(this, 'HISTOGRAM', new Warnings()));
  }

  /** It reads in its own thread. */
  setMetricProducer(): void {}

  collect(): Promise<never> {
    return Promise.reject(new Error('this reader cannot collect: the exporter thread does'));
  }

  /** The provider asks the exporter thread directly. */
  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
