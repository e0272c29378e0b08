import type { Attributes } from '@opentelemetry/api';
import type { Region } from '../../memory/region.ts';
import {
  exemplarCellWords,
  exemplarCopyWords,
  readExemplar,
  type StoredExemplar,
} from '../../state/cells/exemplar-cell.ts';
import type { ExemplarsRecord } from '../../state/exemplar-record.ts';
import { hrTimeOf } from '../hr-time.ts';
import type { Exemplar } from '../metric-data.ts';

let copy: Float64Array = new Float64Array(64);

/** The exemplars that one writer has kept of one series. Reads a place again only after it was written. */
export class ExemplarBlock {
  readonly places: number;
  readonly #block: number;
  readonly #textWords: number;
  readonly #versions: Int32Array;
  readonly #exemplars: (Exemplar | undefined)[];

  constructor({ block, places, textWords }: ExemplarsRecord) {
    this.places = places;
    this.#block = block;
    this.#textWords = textWords;
    this.#versions = new Int32Array(places);
    this.#exemplars = Array.from({ length: places }, () => undefined);
  }

  /**
   * The exemplar in a place; undefined while it is empty. It is the same object until the place is written.
   * If the place is written without pause, it is the one that was read last.
   */
  read(place: number, { words, doubles, copy: copied }: Region): Exemplar | undefined {
    const at = this.#block + place * exemplarCellWords(this.#textWords);
    const version = Atomics.load(words, at << 1);
    if (version === this.#versions[place] || copied?.isWhole(at) === false) return this.#exemplars[place];
    if (copy.length < exemplarCopyWords(this.#textWords))
      copy = new Float64Array(2 * exemplarCopyWords(this.#textWords));
    const stored = readExemplar(words, doubles, at, this.#textWords, copy);
    if (stored === undefined) return this.#exemplars[place];
    this.#versions[place] = version; // perhaps older than what is read: then it is read once more
    return (this.#exemplars[place] = exemplarOf(stored));
  }
}

function exemplarOf({ value, time, span, text }: StoredExemplar): Exemplar {
  return {
    filteredAttributes: text === '' ? {} : attributesIn(text),
    value,
    timestamp: hrTimeOf(time),
    ...(span !== undefined && { traceId: span.traceId, spanId: span.spanId }),
  };
}

/** No CRC protects a cell: a damaged text is not shown. */
function attributesIn(text: string): Attributes {
  try {
    return JSON.parse(text) as Attributes;
  } catch {
    return {};
  }
}
