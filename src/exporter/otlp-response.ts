/** What a collector says it has refused of a push (`ExportMetricsPartialSuccess`). */
export interface Refusal {
  readonly points: number;
  readonly reason: string;
}

/** Undefined where all was taken. A response that cannot be read says nothing. */
export function refusalIn(response: Uint8Array, isJson: boolean): Refusal | undefined {
  if (response.length === 0) return undefined;
  try {
    const { points, reason } = isJson ? refusalInJson(response) : refusalInProtobuf(response);
    if (points === 0 && reason === '') return undefined;
    return { points, reason: reason || 'no reason given' };
  } catch {
    return undefined;
  }
}

function refusalInJson(response: Uint8Array): Refusal {
  const { partialSuccess } = JSON.parse(Buffer.from(response).toString()) as {
    partialSuccess?: { rejectedDataPoints?: number | string; errorMessage?: string };
  };
  const { rejectedDataPoints = 0, errorMessage = '' } = partialSuccess ?? {};
  return { points: Number(rejectedDataPoints), reason: errorMessage };
}

const PARTIAL_SUCCESS = 1;
const REJECTED_DATA_POINTS = 1;
const ERROR_MESSAGE = 2;

function refusalInProtobuf(response: Uint8Array): Refusal {
  let points = 0;
  let reason = '';
  for (const [field, value] of fieldsOf(response))
    if (field === PARTIAL_SUCCESS && typeof value !== 'number')
      for (const [inner, of] of fieldsOf(value))
        if (inner === REJECTED_DATA_POINTS && typeof of === 'number') points = of;
        else if (inner === ERROR_MESSAGE && typeof of !== 'number') reason = Buffer.from(of).toString();
  return { points, reason };
}

/** Fields of a protobuf message: varints as numbers, the others as bytes. Throws where it ends too early. */
function* fieldsOf(message: Uint8Array): Generator<[field: number, value: number | Uint8Array]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined || factor > 2 ** 63) throw new RangeError('the message ends in a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType === 0) {
      yield [Math.floor(tag / 8), varint()];
      continue;
    }
    const length = wireType === 1 ? 8 : wireType === 5 ? 4 : wireType === 2 ? varint() : NaN;
    const end = at + length;
    if (!(end <= message.length)) throw new RangeError('the message ends in a field');
    yield [Math.floor(tag / 8), message.subarray(at, end)];
    at = end;
  }
}
