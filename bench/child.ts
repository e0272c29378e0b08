/** A process for one measurement that wants a process of its own. Arguments: task, its options as JSON. Prints JSON. */
import { measureExemplars } from './exemplars.ts';
import { benchGarbage, type GarbageEffort } from './garbage.ts';
import { measureMemory, type MemoryTask } from './memory.ts';
import { measureMemoryOrder } from './memory-order.ts';
import type { Effort } from './rounds.ts';

const TASKS: Readonly<Record<string, (options: unknown) => Promise<unknown>>> = {
  exemplars: (options) => measureExemplars(options as Effort),
  garbage: (options) => benchGarbage(options as GarbageEffort),
  memory: (options) => measureMemory(options as MemoryTask),
  order: (options) => measureMemoryOrder(options as Effort),
};

const [task = '', options = '{}'] = process.argv.slice(2);
console.log(JSON.stringify(await TASKS[task]!(JSON.parse(options))));
