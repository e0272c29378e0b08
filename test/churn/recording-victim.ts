/** Records without end, an acknowledgement after each measurement, until it is terminated. */
import { workerData } from 'node:worker_threads';
import { Region } from '../../src/memory/region.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { counter, histogram } from '../support/descriptions.ts';
import { recordTo } from '../support/record-to.ts';

const { buffer, acknowledged } = workerData as { buffer: SharedArrayBuffer; acknowledged: Int32Array };
const writer = new StoreWriter(Region.attach(buffer));
const counted = writer.stream(counter('c'), 10);
const measured = writer.stream(histogram('h', [1, 2, 5]), 10);
for (let i = 0; ; i++) {
  recordTo(counted, 1, { i: i % 3 });
  Atomics.add(acknowledged, 0, 1);
  for (let n = 0; n < 5; n++) {
    recordTo(measured, (i + n) % 8, undefined);
    Atomics.add(acknowledged, 0, 1);
  }
}
