import type { RecordedStream } from '../../src/state/stream-writer.ts';

/** Records to a stream by all attributes, as an instrument without views does. */
export function recordTo(
  stream: RecordedStream,
  value: number,
  attributes?: unknown,
  context?: unknown,
): void {
  stream.record(value, attributes, context, stream.cells);
}
