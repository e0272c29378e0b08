/** Does what its job says to a region and stops for ever at the given step, for the thread that made it to terminate it there. */
import { workerData } from 'node:worker_threads';
import { Region } from '../../src/memory/region.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { AT_STEP, DONE, EARLIER, recordOnce, type DyingJob } from './dying-job.ts';
import { everyStep } from './every-step.ts';

const { phase, step, buffer, state } = workerData as DyingJob;
const region = Region.attach(buffer);
const { store, notify, wait } = Atomics; // as they are: everyStep watches them

function dieHere(at: number): void {
  if (at !== step) return;
  store(state, 0, AT_STEP);
  notify(state, 0);
  wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

const writer = new StoreWriter(region);
switch (phase) {
  case 'taking a new slab':
  case 'taking over a slab':
    everyStep(region, () => recordOnce(writer, { own: true }), dieHere);
    break;
  case 'making a series':
    for (let i = 0; i < EARLIER; i++) recordOnce(writer, { i });
    everyStep(region, () => recordOnce(writer, { new: 'series', text: 'some text' }), dieHere);
    break;
  case 'taking a new extent':
    for (let i = 0; i < EARLIER; i++) recordOnce(writer, { i });
    everyStep(
      region,
      () => recordOnce(writer, { large: 'x'.repeat(20_000) }),
      (at) => {
        if (at < 20 || at % 500 === 0) dieHere(at < 20 ? at : 20 + at / 500);
      },
    );
}
store(state, 0, DONE);
notify(state, 0);
