import { DEFAULT_SELECTION, shownSelection, type InstrumentKind } from '../../state/stream-choices.ts';
import type { StoreConfiguration } from '../../state/records.ts';
import type { MergedStream } from './merged-stream.ts';

/**
 * Which streams one reader shows. If no view sets the aggregation of an instrument, it has a stream for each
 * aggregation that readers want, and a reader shows one of them.
 */
export class StreamSelection {
  readonly #store: { readonly configuration: StoreConfiguration | undefined };
  readonly #wanted: (kind: InstrumentKind) => string;
  readonly #shown = new Map<InstrumentKind, string>();
  #configuration: StoreConfiguration | undefined;

  /** `wanted`: the key of the aggregation the reader wants of a kind of instruments. */
  constructor(
    store: { readonly configuration: StoreConfiguration | undefined },
    wanted: (kind: InstrumentKind) => string = () => DEFAULT_SELECTION,
  ) {
    this.#store = store;
    this.#wanted = wanted;
  }

  of(streams: readonly MergedStream[]): MergedStream[] {
    return streams.filter(
      ({ description: { selection, kind } }) =>
        selection === undefined || selection === this.#selectionFor(kind),
    );
  }

  #selectionFor(kind: InstrumentKind): string {
    const { configuration } = this.#store;
    if (configuration !== this.#configuration) this.#shown.clear();
    this.#configuration = configuration;
    let shown = this.#shown.get(kind);
    if (shown === undefined)
      this.#shown.set(kind, (shown = shownSelection(configuration?.selections, kind, this.#wanted(kind))));
    return shown;
  }
}
