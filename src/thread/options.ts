import { constants } from 'node:os';
import { OptionError } from '../base/errors.ts';
import { anything, listOf, milliseconds, oneOf, table, type Check } from '../base/options.ts';
import { EXPORTER_CHECKS, type ExporterOptions } from '../exporter/options.ts';
import { isStore, MetricStore } from '../state/store.ts';

/** What is done when the app ends. */
export interface LastExportOptions {
  /** How long the end of the app may wait for it, in milliseconds. Default 3,000. */
  readonly timeoutMillis?: number;
  /**
   * Signals that end the app and before which metrics are exported once more. The app's own listeners are
   * called as usual; if they end the app, the last export happens then. Default
   * `['SIGTERM', 'SIGINT', 'SIGHUP']`.
   */
  readonly signals?: readonly NodeJS.Signals[];
}

/** What an exporter thread exports, how, and what it does when the app ends. */
export interface ExporterThreadOptions extends ExporterOptions {
  /** The store to export. Default: the published store of this process. */
  readonly store?: MetricStore;
  /** The last push when the app ends, with all that was recorded until then. False for none. */
  readonly lastExport?: LastExportOptions | false;
}

const DEFAULT_LAST_EXPORT: Required<LastExportOptions> = {
  timeoutMillis: 3000,
  signals: ['SIGTERM', 'SIGINT', 'SIGHUP'],
};

/** The store that is exported. */
export function storeOf({ store = MetricStore.published() }: ExporterThreadOptions): MetricStore {
  if (!isStore(store))
    throw new OptionError(
      'store',
      store,
      'a MetricStore; without it, make the SeqlockMeterProvider before startExporterThread is called',
    );
  const own = MetricStore.of(store); // it may belong to another copy of this package
  if (own.closed) throw new OptionError('store', 'a closed MetricStore', 'open');
  return own;
}

/** The first two cannot be heard. The others are faults of the process, after which it must not go on. */
const UNHEARD: readonly string[] = ['SIGKILL', 'SIGSTOP', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL'];
/** Those that may end the app, and can be heard before. */
export const SIGNALS: readonly NodeJS.Signals[] = (Object.keys(constants.signals) as NodeJS.Signals[]).filter(
  (signal) => !UNHEARD.includes(signal),
);

const CHECK_LAST_EXPORT = table<LastExportOptions>({
  timeoutMillis: milliseconds,
  signals: listOf(oneOf(SIGNALS), "an array of signals such as ['SIGTERM']"),
});

/** Checks the options of an exporter thread. */
export const checkThreadOptions: Check = table<ExporterThreadOptions>(
  {
    ...EXPORTER_CHECKS,
    store: anything, // see `storeOf`
    lastExport: (value, option) => {
      if (value !== false) CHECK_LAST_EXPORT(value, option);
    },
  },
  { prefix: '' },
);

/** Undefined if there is no last export, or nothing that could be pushed. */
export function lastExportOf({
  lastExport = {},
  otlp,
  console,
}: ExporterThreadOptions): Required<LastExportOptions> | undefined {
  if (lastExport === false) return undefined;
  const { timeoutMillis = DEFAULT_LAST_EXPORT.timeoutMillis, signals = DEFAULT_LAST_EXPORT.signals } =
    lastExport;
  return otlp === undefined && console === undefined ? undefined : { timeoutMillis, signals };
}
