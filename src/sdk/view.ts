import type { Warnings } from '../base/warnings.ts';
import type { Scope } from '../state/records.ts';
import type { ViewDescription } from '../state/stream-choices.ts';
import { filterOfSteps, type AttributeFilter } from './attribute-filter.ts';
import type { InstrumentDescriptor } from './instrument-descriptor.ts';
import { namePattern } from './name-pattern.ts';
import { readViewOptions, type ExemplarReservoir } from './view-options.ts';

/** Selects instruments and says what streams they have (specification, view). */
export class View {
  readonly description: ViewDescription;
  /** What it does to attributes; undefined if nothing. */
  readonly filter: AttributeFilter | undefined;
  /** Makes a custom exemplar reservoir; undefined where it has none, or only another thread has its code. */
  readonly createReservoir: (() => ExemplarReservoir) | undefined;
  readonly #fits: (name: string) => boolean;
  #hasSelected = false;

  constructor(
    description: ViewDescription,
    filter: AttributeFilter | undefined,
    createReservoir?: () => ExemplarReservoir,
  ) {
    this.description = description;
    this.createReservoir = createReservoir;
    this.filter = filter;
    this.#fits = namePattern(description.instrumentName ?? '*');
  }

  /** All given criteria must hold. */
  selects(instrument: InstrumentDescriptor, scope: Scope): boolean {
    const { instrumentType, instrumentUnit, meterName, meterVersion, meterSchemaUrl } = this.description;
    const selects =
      this.#fits(instrument.name) &&
      agrees(instrumentType, instrument.kind) &&
      agrees(instrumentUnit, instrument.unit) &&
      agrees(meterName, scope.name) &&
      agrees(meterVersion, scope.version) &&
      agrees(meterSchemaUrl, scope.schemaUrl);
    this.#hasSelected ||= selects;
    return selects;
  }

  /** The criteria it selects by. */
  get selector(): Omit<ViewDescription, 'stream'> {
    return Object.fromEntries(Object.entries(this.description).filter(([key]) => key !== 'stream'));
  }

  /** Whether it has selected any instrument of this thread so far. */
  get hasSelected(): boolean {
    return this.#hasSelected;
  }
}

function agrees(wanted: string | undefined, is: string | undefined): boolean {
  return wanted === undefined || wanted === is;
}

/** The views of a provider's options. Throws an `OptionError` on the first wrong one. */
export function viewsOf(options: readonly unknown[]): View[] {
  return options.map((given, i) => {
    const { description, filter, createReservoir } = readViewOptions(given, `views[${i}]`);
    return new View(description, filter, createReservoir);
  });
}

/** The views of the thread that published the store, without their code. */
export function followedViews(descriptions: readonly ViewDescription[], warnings: Warnings): View[] {
  return descriptions.map((description) => {
    const { attributes, exemplarReservoir } = description.stream;
    const code = [
      ...(attributes.some(({ type }) => type === 'custom') ? ['custom attributes processor'] : []),
      ...(exemplarReservoir?.type === 'custom' ? ['custom exemplar reservoir'] : []),
    ];
    for (const what of code)
      warnings.loss(
        'view',
        `${what} ${JSON.stringify(description)}`,
        `the view of ${description.instrumentName ?? '*'} has a ${what}, which is code and cannot be passed to another thread; this thread records without it. Pass the views to the SeqlockMeterProvider of this thread too`,
      );
    return new View(description, filterOfSteps(attributes));
  });
}
