/** What is measured in processes of its own: exemplars, memory, garbage, and the other form of the cell protocol. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MEMORY_ORDER_VARIABLE } from '../src/memory/memory-order.ts';
import type { ExemplarFigures } from './exemplars.ts';
import { GARBAGE_FLAGS, type GarbageEffort } from './garbage.ts';
import type { MemoryTask } from './memory.ts';
import type { OrderFigures } from './memory-order.ts';
import { rowOf, type Row } from './row.ts';
import type { Effort } from './rounds.ts';

function run(task: string, options: object, flags: readonly string[], env: NodeJS.ProcessEnv = {}): unknown {
  const entry = fileURLToPath(new URL('./child.js', import.meta.url));
  const text = execFileSync(process.execPath, [...flags, entry, task, JSON.stringify(options)], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(text);
}

export function benchGarbageApart(effort: GarbageEffort): Row[] {
  return run('garbage', effort, GARBAGE_FLAGS) as Row[];
}

export function benchExemplars(effort: Effort): Row[] {
  const figures = run('exemplars', effort, ['--expose-gc']) as ExemplarFigures[];
  return figures.map(({ name, rounds }) => rowOf('exemplars', name, 'ns', rounds));
}

export function benchMemory(seriesCounts: readonly number[]): Row[] {
  const measure = (task: MemoryTask): number => run('memory', task, ['--expose-gc']) as number;
  const rows = (['counter', 'histogram'] as const).flatMap((kind) =>
    seriesCounts.map((series) =>
      rowOf('memory', `${kind}, ${series} series`, 'B', {
        ours: [measure({ contender: 'ours', kind, series })],
        official: [measure({ contender: 'official', kind, series })],
        prom: [measure({ contender: 'prom', kind, series })],
      }),
    ),
  );
  const kind = 'exponential';
  const series = seriesCounts[0]!;
  const exponential = [false, true].map((ones) =>
    rowOf('memory', `${kind}, ${series} series${ones ? ' of ones' : ''}`, 'B', {
      ours: [measure({ contender: 'ours', kind, series, ones })],
      official: [measure({ contender: 'official', kind, series, ones })],
    }),
  );
  return [...rows, ...exponential];
}

/** Figures of the FAST form (where this machine has it) and of the STRICT form, in turns of one process each. */
export function benchMemoryOrder(turns: number, effort: Effort): OrderFigures[] {
  return Array.from({ length: turns }, () => [
    run('order', effort, ['--expose-gc']) as OrderFigures,
    run('order', effort, ['--expose-gc'], { [MEMORY_ORDER_VARIABLE]: 'strict' }) as OrderFigures,
  ]).flat();
}
