/** Row 4: a cell in a file that two processes have mapped, one writing and one reading as fast as they can. */
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { BROKEN_CELLS } from '../support/broken-cells.ts';
import { newFolder } from '../support/store-directories.ts';
import { Child } from './children.ts';
import { CELL_FILE_BYTES, type CellJob, type CellReport } from './jobs.ts';
import { check } from './report.ts';

interface Side {
  readonly node: string;
  readonly cell: string;
}

async function stress(
  writer: Side,
  reader: Side,
  seconds: number,
  endsWhenTorn = false,
): Promise<CellReport> {
  const file = join(newFolder(), 'cell');
  const fd = openSync(file, 'w');
  ftruncateSync(fd, CELL_FILE_BYTES);
  closeSync(fd);
  const start = ({ node, cell }: Side, writes: boolean): Child =>
    new Child('cell-user', { file, cell, writes, seconds, endsWhenTorn } satisfies CellJob, { node });
  const sides = [start(writer, true), start(reader, false)];
  const [written, read] = await Promise.all(sides.map((side) => side.message<CellReport>()));
  for (const side of sides) await side.end();
  return { ...read!, writes: written!.writes };
}

const millions = (count: number): string => `${(count / 1e6).toFixed(1)} M`;

/** Each process chooses its memory order by its V8, so on x64 both forms may meet in one store. */
const FORMS = [
  ['fast', 'fast'],
  ['strict', 'fast'],
  ['fast', 'strict'],
  ['strict', 'strict'],
] as const;

export async function checkTornReads(
  seconds: number,
  nodes: readonly string[],
  isLong: boolean,
): Promise<void> {
  const broken = { node: nodes[0]!, cell: BROKEN_CELLS[0]!.name };
  const caught = await stress(broken, broken, 20, true);
  check(caught.torn > 0, `a reader that does not look twice is caught after ${caught.reads} reads`);
  for (const cell of isLong ? ['sum', 'histogram', 'last value', 'exemplar'] : ['histogram', 'sum'])
    for (const [i, [writing, reading]] of FORMS.entries()) {
      if (process.arch !== 'x64' && (writing === 'fast' || reading === 'fast')) continue;
      const writer = { node: nodes[i % nodes.length]!, cell: `${cell} ${writing}` };
      const reader = { node: nodes[(i + 2) % nodes.length]!, cell: `${cell} ${reading}` };
      const { reads, writes, torn, backwards } = await stress(writer, reader, seconds);
      check(
        torn === 0 && backwards === 0 && reads > 0,
        `${cell}, written ${writing}, read ${reading}, Node.js ${lineOf(writer)} and ${lineOf(reader)}: ` +
          `${millions(reads)} reads, ${millions(writes)} writes, ${torn} torn, ${backwards} backwards`,
      );
    }
}

function lineOf({ node }: Side): string {
  return /seqlock-metrics-node\/(\d+)/.exec(node)?.[1] ?? process.versions.node.split('.')[0]!;
}
