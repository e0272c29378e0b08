import { Warnings } from '../../base/warnings.ts';
import { streamKey } from '../../state/records.ts';
import type { DeltaState } from './delta-state.ts';
import { DeltaStream } from './delta-stream.ts';
import type { MergedStream } from '../directory/merged-stream.ts';

/** What one reader was told, stream by stream. */
export class Deltas {
  readonly #warnings = new Warnings();
  readonly #streams = new Map<MergedStream, DeltaStream>();
  readonly #before = new Map<string, DeltaState>();

  /** Goes on from what a reader of another thread was told of the same store. Call it before the first collection. */
  resume(states: readonly DeltaState[]): void {
    for (const state of states) this.#before.set(state.stream, state);
  }

  /** `beginAnew`: is to report the stream once, to nobody; where it is not to be known what was told of it. */
  of(stream: MergedStream, beginAnew: (delta: DeltaStream) => void): DeltaStream {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    const delta = new DeltaStream(stream);
    this.#streams.set(stream, delta);
    const key = streamKey(stream.description);
    const state = this.#before.get(key);
    this.#before.delete(key);
    if (state !== undefined && !delta.resume(state)) {
      this.#warnings.loss(
        'deltas begin anew',
        key,
        `seqlock-metrics: the deltas of metric ${stream.description.name} begin anew: what was recorded since the last push of the exporter thread that died is left out, since other series than there are within the cardinality limit`,
      );
      beginAnew(delta);
    }
    return delta;
  }

  /** For `resume` in another thread. */
  states(): DeltaState[] {
    return [...this.#before.values(), ...[...this.#streams.values()].map((delta) => delta.state())];
  }
}
