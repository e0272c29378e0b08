import { shortText } from '../base/errors.ts';
import { systemClock } from '../base/platform.ts';
import { MetricSource } from '../collect/metric-source.ts';
import { HISTOGRAM_ROW_BUCKETS, HISTOGRAM_ROW_COUNT } from '../collect/rows/histogram.ts';
import { readRecord } from '../memory/directory-log.ts';
import { DAMAGED, FORMAT_MAJOR, FORMAT_MINOR, SIGN_OF_LIFE_DOUBLE, SLAB_CAPACITY } from '../memory/layout.ts';
import { Region } from '../memory/region.ts';
import { seesAllLocks } from '../memory/seen-locks.ts';
import { slabOwner } from '../memory/slab.ts';
import { decodeConfiguration } from '../state/directory-checks.ts';
import { DirectoryReader } from '../state/directory-reader.ts';
import { choice, EXIT, type Command } from './command.ts';
import { bytesText, extentsOf, writersOf, type Writer } from './writers.ts';

/** A store is said to be nearly full from this share on. */
const NEARLY_FULL = 0.9;

interface Part {
  bytes: number;
  series: number;
}

interface Report {
  readonly directory: string;
  readonly storeId: string | undefined;
  readonly format: string;
  readonly createdUnixMillis: number;
  /** When a process that has the store said last that it lives. */
  readonly lastSignOfLifeUnixMillis: number;
  readonly maxBytes: number;
  readonly usedBytes: number;
  readonly lostMeasurements: number;
  readonly streams: number;
  readonly series: number;
  readonly staleCells: number;
  readonly writers: readonly (Writer & Part)[];
  /** What is damaged, lost or about to be. */
  readonly problems: readonly string[];
}

export const check: Command = {
  name: 'check',
  summary: 'says what is wrong with a store, how large it is, and who writes to it',
  synopsis: '[--format text|json] <directory>',
  description:
    'Reads and checks all that a store has: header, extents, the directories of all writers, the configuration, and the counts of histograms. A writer is alive if its lock is shown in /proc/locks. It is dead if it is not shown there and all locks are shown. In a namespace of process ids of its own (a container) the kernel leaves out the locks of other containers: such a writer is not known to be either.',
  options: { format: { type: 'string', short: 'f', value: 'format', help: 'text (the default) or json.' } },
  exits: '0 nothing is wrong; 1 something is wrong; 2 a wrong command line; 3 no store that can be read',
  examples: ['check /dev/shm/shop', 'check --format json /dev/shm/shop | jq .problems'],
  run(directory, values) {
    const format = choice(values, 'format', ['text', 'json'] as const);
    const report = reportOf(Region.copyOf(directory));
    process.stdout.write(format === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : textOf(report));
    return Promise.resolve(report.problems.length === 0 ? EXIT.ok : EXIT.wrong);
  },
};

function reportOf(region: Region): Report {
  const problems: string[] = [];
  const attempt = (what: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      problems.push(`${what}: ${shortText(error)}`);
    }
  };
  const parts = new Map<number, Part>();
  const readers = new Map<number, DirectoryReader>();
  attempt('extents', () => {
    for (const extent of extentsOf(region)) {
      const part = parts.get(extent.slab) ?? { bytes: 0, series: 0 };
      part.bytes += extent.bytes;
      parts.set(extent.slab, part);
      const reader = readers.get(extent.slab) ?? new DirectoryReader(region);
      reader.add(extent);
      readers.set(extent.slab, reader);
      if (extent.slab < 0 || extent.slab >= SLAB_CAPACITY)
        problems.push(`the extent at ${extent.offset} belongs to a writer ${extent.slab} that cannot be`);
    }
  });
  for (const [slab, reader] of readers)
    attempt(`directory of writer ${slab}`, () => {
      const part = parts.get(slab)!;
      reader.read({
        stream() {},
        description() {},
        series: ({ isOverflow }) => void (isOverflow || part.series++),
        exemplars() {},
        block() {},
      });
    });
  const offset = region.configurationOffset;
  if (offset !== 0)
    attempt('configuration', () => decodeConfiguration(readRecord(region, offset, Infinity).payload));
  const isWhole = problems.length === 0;
  const source = new MetricSource({ region });
  const { columns } = isWhole ? source.columns() : { columns: [] };
  for (const { description, values, stride, rows } of columns)
    for (let row = 0; description.kind === 'histogram' && row < rows; row++) {
      const at = row * stride;
      let sum = 0;
      for (let i = HISTOGRAM_ROW_BUCKETS; i < stride; i++) sum += values[at + i]!;
      const count = values[at + HISTOGRAM_ROW_COUNT]!;
      if (sum !== count)
        problems.push(`a series of ${description.name} has count ${count}, and ${sum} in its buckets`);
    }
  const writers = writersOf(region);
  for (const { slab } of writers)
    if (slabOwner(region, slab) === DAMAGED)
      problems.push(`writer ${slab} gave its part of the store up, because it was damaged`);
  if (region.lostMeasurements > 0)
    problems.push(
      `${region.lostMeasurements} measurements were lost: the store had no memory for their metric`,
    );
  if (region.usedBytes > NEARLY_FULL * region.maxBytes)
    problems.push(
      `${bytesText(region.usedBytes)} of ${bytesText(region.maxBytes)} are used: new series will go to the overflow series. Raise maxBytes, or record fewer attributes`,
    );
  return {
    directory: region.directory!,
    storeId: region.storeId,
    format: `${FORMAT_MAJOR}.${FORMAT_MINOR}`,
    createdUnixMillis: Math.floor(region.created),
    lastSignOfLifeUnixMillis: Math.floor(region.doubles[SIGN_OF_LIFE_DOUBLE]!),
    maxBytes: region.maxBytes,
    usedBytes: region.usedBytes,
    lostMeasurements: region.lostMeasurements,
    streams: columns.length,
    series: columns.reduce((sum, { rows }) => sum + rows, 0),
    staleCells: source.readStats().staleReads,
    writers: writers.map((writer) => ({ ...writer, ...(parts.get(writer.slab) ?? { bytes: 0, series: 0 }) })),
    problems,
  };
}

const STATES = { alive: 'alive', dead: 'dead', unknown: 'not known' } as const;

function textOf(report: Report): string {
  const { writers, problems, lastSignOfLifeUnixMillis, createdUnixMillis } = report;
  const count = (state: Writer['state']): number => writers.filter((writer) => writer.state === state).length;
  const share = ((100 * report.usedBytes) / report.maxBytes).toFixed(1);
  const lines = [
    `store       ${report.directory}, format ${report.format}, id ${report.storeId}`,
    `made        ${ageText(createdUnixMillis)}; last sign of life ${ageText(lastSignOfLifeUnixMillis)}`,
    `bytes       ${bytesText(report.usedBytes)} of ${bytesText(report.maxBytes)} (${share} %)`,
    `metrics     ${report.streams} metrics, ${report.series} series, ${report.staleCells} cells not copied whole`,
    `lost        ${report.lostMeasurements} measurements`,
    `writers     ${count('alive')} alive, ${count('dead')} dead, ${count('unknown')} not known`,
    ...(count('unknown') > 0 && !seesAllLocks()
      ? ['            this process does not see the locks of processes in other containers']
      : []),
    '',
    '  writer  process  thread  state      owners       bytes   series',
    ...writers.map(
      ({ slab, process: id, thread, state, owners, bytes, series }) =>
        `${String(slab).padStart(8)}${String(id ?? '-').padStart(9)}${String(thread ?? '-').padStart(8)}  ${STATES[state].padEnd(9)}${String(owners).padStart(8)}${bytesText(bytes).padStart(12)}${String(series).padStart(9)}`,
    ),
    '',
    ...(problems.length === 0 ? ['nothing is wrong'] : problems.map((problem) => `WRONG: ${problem}`)),
  ];
  return `${lines.join('\n')}\n`;
}

function ageText(millis: number): string {
  return Number.isFinite(millis)
    ? `${Math.round((systemClock.now() - millis) / 1000)} s ago`
    : 'at an unknown time';
}
