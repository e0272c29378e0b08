import { type MeterOptions, type MeterProvider } from '@opentelemetry/api';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { withoutContext } from '../base/no-context.ts';
import { OptionError, shortText } from '../base/errors.ts';
import { checkDeadline, type Deadline } from '../base/deadline.ts';
import { anything, flag, listOf, oneOf, rule, table, unknownKey, type Check } from '../base/options.ts';
import { queueMicrotask } from '../base/platform.ts';
import { deltaKindsOf, MetricSource } from '../collect/metric-source.ts';
import { readerOf } from '../collect/directory/store-reader.ts';
import { SeqlockMetricProducer } from '../export/metric-producer.ts';
import { idleMeter, type SeqlockMeter } from '../sdk/meter.ts';
import { MeterRegistry } from '../sdk/meter-registry.ts';
import type { SeqlockViewOptions } from '../sdk/view-options.ts';
import { followedViews, viewsOf, type View } from '../sdk/view.ts';
import { DEFAULT_VALUE_LENGTH } from '../state/attributes.ts';
import { selectionKey, type InstrumentKind } from '../state/stream-choices.ts';
import type { ExemplarFilter, StoreConfiguration } from '../state/records.ts';
import { isStore, MetricStore } from '../state/store.ts';
import { exportersOfStore } from '../state/store-exporters.ts';
import { writerOf, type StoreWriter } from '../state/store-writer.ts';
import { EXEMPLAR_FILTERS, exemplarFilterOfEnvironment } from '../sdk/exemplar-filter.ts';
import { observeOfficially } from './observation.ts';
import { selectedAggregation, storeConfiguration, warnOfUnrecorded } from './reader-requirements.ts';
import { measureCollections } from './reader-metrics.ts';
import { checkReaders, isRemote, Readers } from './readers.ts';
import { findings, lookLater } from './second-look.ts';
import { checkResource, defaultResource, withoutProcess, type ProviderResource } from './resource.ts';

const INSTANCE_ATTRIBUTE = 'service.instance.id';

/** A superset of the options of the official `MeterProvider`. */
export interface SeqlockMeterProviderOptions {
  /** What the metrics are about. Default: `service.name` and `telemetry.sdk.*`. */
  readonly resource?: ProviderResource;
  /** Readers, each of which sees the metrics of all threads. Attach readers in one thread only. */
  readonly readers?: readonly IMetricReader[];
  /**
   * Views: the official `ViewOptions`, with the effect that the specification gives them. Default: the views
   * of the thread that published the store, without custom attributes processors (docs/operations.md).
   */
  readonly views?: readonly SeqlockViewOptions[];
  /**
   * Records how long collections take, as `otel.sdk.metric_reader.collection.duration` (semantic
   * conventions). Default false.
   */
  readonly sdkMetricsEnabled?: boolean;
  /** Reports the `seqlock.*` metrics of the store and of each reader (docs/operations.md). Default false. */
  readonly selfMetrics?: boolean;
  /**
   * Which measurements may become exemplars: those inside a sampled span (`trace_based`), all (`always_on`)
   * or none (`always_off`). Default: the publisher's choice if the store has a publisher, else
   * `OTEL_METRICS_EXEMPLAR_FILTER`, else `trace_based`.
   */
  readonly exemplarFilter?: ExemplarFilter;
  /**
   * At what length values of attributes are cut: texts in UTF-16 code units, and bytes. A warning names the
   * attribute. 4,096 by default; from 1, or `Infinity` for no limit. The provider that makes the store
   * decides. The specification exempts metrics from its attribute limits, and so
   * `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` has no effect here.
   */
  readonly attributeValueLengthLimit?: number;
  /** The store to record into. Default: see `SeqlockMeterProvider`. */
  readonly store?: MetricStore;
}

/**
 * An OpenTelemetry `MeterProvider` whose instruments record into shared memory.
 *
 * Which store: the option `store`, if given. Otherwise a worker joins the store that its parent thread had
 * published when it made the worker, if that is open. Otherwise the provider makes a store of its own, so
 * that two providers never mix. The first store that a thread makes is published to the workers it creates
 * later. A provider closes the store it made when it is shut down.
 *
 * A provider belongs to the thread that made it; each thread makes its own.
 */
export class SeqlockMeterProvider implements MeterProvider {
  /** The store that the instruments record into. */
  readonly store: MetricStore;
  readonly #ownsStore: boolean;
  readonly #writer: StoreWriter;
  readonly #meters: MeterRegistry;
  readonly #readers: Readers;
  readonly #ownViews: readonly View[];
  #isShutdown = false;

  /**
   * @throws OptionError on a wrong option: it names the option, its value and what is allowed. RegionError
   * where there is no shared memory, or the store cannot be used.
   */
  constructor(options: SeqlockMeterProviderOptions = {}) {
    checkOptions(options, 'options of SeqlockMeterProvider');
    const { readers = [], store } = options;
    const given = store && MetricStore.of(store); // it may belong to another copy of this package
    const joined = given ?? MetricStore.inherited();
    this.store = joined ?? MetricStore.create();
    this.#ownsStore = joined === undefined;
    const { region } = this.store;
    this.#readers = new Readers(readers, () => exportersOfStore(region.buffer));
    this.#writer = writerOf(region);
    try {
      const ownViews = options.views && viewsOf(options.views);
      this.#ownViews = ownViews ?? [];
      const configuration = withoutContext(() => this.#configure(options, ownViews));
      const views =
        ownViews !== undefined && this.#mayUse(ownViews, configuration)
          ? ownViews
          : followedViews(configuration.views, this.#writer.warnings);
      const { selections, maxValueLength = DEFAULT_VALUE_LENGTH } = configuration;
      this.#writer.maxValueLength = maxValueLength ?? Infinity;
      this.#meters = new MeterRegistry({ writer: this.#writer, configuration, rules: { views, selections } });
      this.#compareResources(options);
      const here = readers.filter((reader) => !isRemote(reader));
      warnOfUnrecorded(here, selections, this.#writer.warnings);
      // Readers start timers and listeners that last as long as they do. These must not hold a request that
      // happened to make the provider.
      if (here.length > 0) withoutContext(() => this.#attach(here, options));
    } catch (error) {
      if (this.#ownsStore) this.store.close(); // otherwise it would stay published, with no reader
      throw error;
    }
    // A thread without instruments belongs to the store too: readers can see whether its event loop turns.
    queueMicrotask(() => this.#writer.acquire());
    lookLater(this, (provider) => provider.#look());
  }

  /** Warns about what can only be seen some time after the provider was made. */
  #look(): void {
    if (this.#isShutdown || this.store.closed) return;
    const { warnings } = this.#writer;
    if (this.#ownsStore)
      for (const message of findings(this, this.#writer)) warnings.loss('no effect', message, message);
    this.#tellOfIdleViews();
  }

  #tellOfIdleViews(): void {
    this.#ownViews.forEach(({ hasSelected, selector }, i) => {
      if (!hasSelected)
        this.#writer.warnings.once(
          'idle view',
          JSON.stringify(selector),
          `seqlock-metrics: views[${i}] matches no instrument of this thread, so it has no effect: ${shortText(selector)}. Check the names of the instrument and its meter; an instrument must meet all criteria`,
        );
    });
  }

  /**
   * Writes the store's configuration if it has none. Returns the configuration that this provider follows.
   */
  #configure(options: SeqlockMeterProviderOptions, views: readonly View[] = []): StoreConfiguration {
    const { readers = [], resource = defaultResource(), exemplarFilter: ownFilter } = options;
    const { attributeValueLengthLimit: maxLength = DEFAULT_VALUE_LENGTH } = options;
    const { warnings } = this.#writer;
    const store = readerOf(this.store.region);
    store.refreshConfiguration();
    let published = store.configuration;
    const exemplarFilter =
      ownFilter ?? published?.exemplarFilter ?? exemplarFilterOfEnvironment(process.env, warnings);
    const wanting = (): StoreConfiguration => {
      const configuration = {
        ...storeConfiguration(readers, resource, views, exemplarFilter, warnings),
        maxValueLength: Number.isFinite(maxLength) ? maxLength : null,
      };
      return this.#isShared
        ? { ...configuration, resource: withoutProcess(configuration.resource) }
        : configuration;
    };
    const wanted = wanting();
    // The first configuration stays. Workers, further providers of the store and other processes follow the
    // publisher's.
    if (published === undefined) {
      this.#writer.configure(wanted);
      store.refreshConfiguration();
      published = store.configuration ?? wanted; // perhaps another process was faster
      if (resource.asyncAttributesPending === true)
        void resource.waitForAsyncAttributes?.().then(
          () => this.#writer.configure(wanting()),
          () => {}, // whoever made the resource gets the error
        );
      if (!this.#isShared) return wanted;
    }
    if (this.#isShared) {
      this.#nameConflicts(wanted, published, options);
      return published;
    }
    if (readers.length === 0) return { ...published, exemplarFilter };
    const { selections, views: publishedViews, maxValueLength = DEFAULT_VALUE_LENGTH } = published;
    return { ...wanted, selections, views: publishedViews, maxValueLength };
  }

  get #isShared(): boolean {
    return this.store.directory !== undefined;
  }

  /**
   * In a store of several processes, all have the views of the process that made it. Own views are used only
   * if they are the same.
   */
  #mayUse(own: readonly View[], { views }: StoreConfiguration): boolean {
    return (
      !this.#isShared || JSON.stringify(own.map(({ description }) => description)) === JSON.stringify(views)
    );
  }

  /** Warns if this process wants another configuration than the process that made the store. */
  #nameConflicts(
    wanted: StoreConfiguration,
    published: StoreConfiguration,
    { exemplarFilter, attributeValueLengthLimit }: SeqlockMeterProviderOptions,
  ): void {
    const settings = [
      ...(['views', 'cardinalityLimits', 'selections'] as const),
      ...(exemplarFilter === undefined ? [] : (['exemplarFilter'] as const)),
      ...(attributeValueLengthLimit === undefined ? [] : (['maxValueLength'] as const)),
    ];
    const others = settings.filter(
      (name) => JSON.stringify(JSON.parse(JSON.stringify(wanted[name]))) !== JSON.stringify(published[name]),
    );
    if (others.length > 0)
      this.#writer.warnings.once(
        'provider',
        'configuration',
        `seqlock-metrics: the options of this process differ (${others.join(', ')}) from those of the process that made the store in ${this.store.directory}, whose options are used. Give all processes of a store the same views and readers`,
      );
  }

  /** Warns if this provider has a resource that nobody will see. */
  #compareResources({ readers = [], resource }: SeqlockMeterProviderOptions): void {
    const published = readerOf(this.store.region).configuration?.resource;
    if (resource === undefined || published === undefined) return;
    if (readers.length > 0 && !this.#isShared) return;
    if (resource.asyncAttributesPending === true || this.#ownsStore) return;
    const sorted = (attributes: Readonly<Record<string, unknown>>): string => {
      const told = this.#isShared ? withoutProcess(attributes) : attributes;
      return JSON.stringify(
        Object.entries(told)
          // detectors make another one in each process
          .filter(([key]) => !(this.#isShared && key === INSTANCE_ATTRIBUTE))
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      );
    };
    if (sorted(resource.attributes) === sorted(published)) return;
    this.#writer.warnings.once(
      'provider',
      'resource',
      `seqlock-metrics: the resource of this provider (${shortText(resource.attributes)}) is not used: a store has one resource, that of the provider that made it (${shortText(published)}). Give the resource to that provider, and none to others`,
    );
  }

  #attach(readers: readonly IMetricReader[], options: SeqlockMeterProviderOptions): void {
    const { warnings } = this.#writer;
    // Any process of a shared store may be scraped, and answers for all.
    if (!this.#isShared && !this.store.region.lease.take())
      warnings.loss(
        'provider',
        'readers',
        'seqlock-metrics: another thread already reads this store. Every reader sees the metrics of all threads, so they are exported twice. Attach readers in one thread only',
      );
    const joinsPublisher = this.#isShared || (options.resource === undefined && !this.#ownsStore);
    const resource = joinsPublisher ? undefined : (options.resource ?? defaultResource());
    const { selfMetrics = false } = options;
    for (const reader of readers) {
      const selection = (kind: InstrumentKind): string =>
        selectionKey(selectedAggregation(reader, kind, warnings));
      const deltaKinds = deltaKindsOf(reader.selectAggregationTemporality?.bind(reader));
      const producer = new SeqlockMetricProducer(
        new MetricSource(this.store, {
          resource,
          deltaKinds,
          selection,
          selfMetrics,
          observe: observeOfficially,
        }),
      );
      reader.setMetricProducer(producer);
      if (options.sdkMetricsEnabled === true) measureCollections(reader, producer, this);
    }
  }

  /**
   * The meter of a scope. The same arguments always give the same meter. After `shutdown` it is a meter that
   * does nothing.
   */
  getMeter(name: string, version?: string, options?: MeterOptions): SeqlockMeter {
    if (this.#isShutdown) {
      this.#writer.warnings.loss('provider', 'shutdown', 'A shutdown MeterProvider cannot provide a Meter');
      return idleMeter();
    }
    return this.#meters.meter(name, version, options);
  }

  /**
   * Asks every reader, and every exporter thread that this thread started for the store, to export now, and
   * waits for all. Rejects when an export failed, or when `timeoutMillis` milliseconds are over (no limit by
   * default).
   */
  async forceFlush(options?: Deadline): Promise<void> {
    if (this.#isShutdown) {
      this.#writer.warnings.once(
        'provider',
        'flush',
        'invalid attempt to force flush after MeterProvider shutdown',
      );
      return;
    }
    if (options !== undefined) checkDeadline(options, 'options of forceFlush');
    await this.#readers.forceFlush(options);
  }

  /**
   * Shuts down every reader; push readers export once more everything that was recorded. If the provider made
   * the store, this also stops the exporter threads that this thread started for it, after a last push, and
   * closes the store. Rejects when a reader could not be shut down, or when `timeoutMillis` milliseconds are
   * over (no limit by default); a failed export is only a warning. The provider is shut down in any case.
   */
  async shutdown(options?: Deadline): Promise<void> {
    if (this.#isShutdown) {
      this.#writer.warnings.once('provider', 'twice', 'shutdown may only be called once per MeterProvider');
      return;
    }
    // Only a warning: the provider is shut down whatever else is wrong.
    const unknown = unknownKey('shutdown', options, ['timeoutMillis']);
    if (unknown !== undefined) this.#writer.warnings.once('unknown option', 'shutdown', unknown);
    this.#tellOfIdleViews();
    this.#isShutdown = true;
    try {
      await this.#readers.shutdown(options, this.#ownsStore);
    } finally {
      this.#writer.warnings.end();
      if (this.#ownsStore) this.store.close();
    }
  }
}

const checkOptions: Check = table<SeqlockMeterProviderOptions>(
  {
    resource: checkResource,
    readers: checkReaders,
    // `viewsOf` checks each view.
    views: listOf(anything, "an array of views such as { instrumentName: 'jobs', name: 'tasks' }"),
    store: (value, option) => {
      if (!isStore(value)) throw new OptionError(option, value, 'a MetricStore: use MetricStore.open()');
      if (MetricStore.of(value).closed)
        throw new OptionError(option, 'a closed MetricStore', 'open: use MetricStore.open()');
    },
    sdkMetricsEnabled: flag,
    selfMetrics: flag,
    exemplarFilter: oneOf(EXEMPLAR_FILTERS),
    attributeValueLengthLimit: rule(
      'a whole number of characters from 1, or Infinity',
      (value) => value === Infinity || (Number.isInteger(value) && (value as number) >= 1),
    ),
  },
  { example: 'an object such as { readers: [reader] }', prefix: '' },
);
