import type { HrTime } from '@opentelemetry/api';
import type { Region } from '../../memory/region.ts';
import { isEarlier } from '../hr-time.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import type { Exemplar } from '../metric-data.ts';

/**
 * The exemplars of a series over all writers: of each place of the reservoir the newest, so that there are as many at most as one writer may
 * keep. `since`: only those not made before. Undefined where there are none.
 */
export function exemplarsOf(
  stream: MergedStream,
  series: number,
  region: Region,
  since?: HrTime,
): readonly Exemplar[] | undefined {
  const blocks = stream.exemplars;
  if (blocks === undefined) return undefined;
  let newest: Exemplar[] | undefined; // by place, with holes
  for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
    const block = blocks.get(stream.cellOf(node));
    if (block === undefined) continue;
    for (let place = 0; place < block.places; place++) {
      const exemplar = block.read(place, region);
      if (exemplar === undefined || (since !== undefined && isEarlier(exemplar.timestamp, since))) continue;
      newest ??= [];
      const other = newest[place];
      if (other === undefined || !isEarlier(exemplar.timestamp, other.timestamp)) newest[place] = exemplar;
    }
  }
  return newest?.filter(() => true);
}
