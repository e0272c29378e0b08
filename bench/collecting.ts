import { keysOf } from './attribute-columns.ts';
import { latencies, LATENCIES_A_SERIES } from './latencies.ts';
import { touchAll } from './record-loop.ts';
import { rowOf, type Contender, type Row, type Rounds } from './row.ts';
import { official, ours, promClient, type Kind, type Subject } from './subjects.ts';

/** Above this, prom-client's histograms are left out: 100,000 of them make it 2 million objects, and nobody waits for that. */
const MAX_PROM_HISTOGRAMS = 10_000;
/** Above this, the official SDK takes seconds each time. */
const MAX_EXPONENTIAL = 10_000;
const ATTRIBUTES = 3;
/** Collections per measurement, so that one takes a few milliseconds at least. */
const SERIES_PER_MEASUREMENT = 10_000;

interface Collection {
  readonly contender: Contender;
  readonly method: 'snapshot' | 'collect';
  readonly touch: () => void;
  readonly collect: () => unknown;
}

/**
 * Milliseconds to read all series as objects: `snapshot` and `collect` of ours, `collect` of the official reader,
 * `getMetricsAsJSON` of prom-client. Series of histograms have recorded 64 latencies before the first (latencies.ts); those of one row nothing
 * but ones, which all fall into one bucket. Before each measurement, and not as part of it, every series is recorded to once (the
 * official SDK has less to do for series that rest) and garbage is collected (one contender's is not charged to the next).
 */
export async function benchCollecting(seriesCounts: readonly number[], rounds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of ['counter', 'histogram', 'exponential'] as const)
    for (const series of seriesCounts)
      if (kind !== 'exponential' || series <= MAX_EXPONENTIAL)
        rows.push(...(await collectSeries(kind, series, rounds)));
  rows.push(...(await collectSeries('exponential', seriesCounts[1]!, rounds, true)));
  return rows;
}

async function collectSeries(kind: Kind, series: number, rounds: number, ones = false): Promise<Row[]> {
  const own = ours();
  const peers =
    kind === 'exponential' || (kind === 'histogram' && series > MAX_PROM_HISTOGRAMS)
      ? [official()]
      : [official(), promClient()];
  const spread = kind === 'counter' || ones ? undefined : latencies();
  const toucher = (subject: Subject): (() => void) => {
    const instrument = subject.create(kind, 'collected', keysOf(ATTRIBUTES));
    const touch = touchAll(subject, instrument, kind, ATTRIBUTES, series, series, spread);
    for (let i = 1; i < (spread === undefined ? 1 : LATENCIES_A_SERIES); i++) touch();
    return touch;
  };
  const touch = toucher(own);
  const works: Collection[] = [
    { contender: 'ours', method: 'snapshot', touch, collect: () => own.reader.snapshot() },
    { contender: 'ours', method: 'collect', touch, collect: () => own.reader.collect() },
    ...peers.map((peer): Collection => ({
      contender: peer.contender,
      method: 'collect',
      touch: toucher(peer),
      collect: () => peer.collect(),
    })),
  ];
  const measured = works.map((): number[] => []);
  const repeats = Math.max(1, Math.floor(SERIES_PER_MEASUREMENT / series));
  // The first round makes the series and warms up.
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < works.length; turn++) {
      const index = (round + 1 + turn) % works.length;
      const millis = await collectOften(works[index]!, repeats);
      if (round >= 0) measured[index]!.push(millis);
    }
  }
  for (const subject of [own, ...peers]) {
    await subject.expectSeries(kind, 'collected', series);
    await subject.close();
  }
  const [snapshot, collect, ...others] = measured;
  const peerRounds = Object.fromEntries(peers.map((peer, i) => [peer.contender, others[i]!])) as Rounds;
  const name = (method: string): string => `${method}, ${series} ${kind} series${ones ? ' of ones' : ''}`;
  return [
    rowOf('collect', name('snapshot'), 'ms', { ours: snapshot!, ...peerRounds }),
    rowOf('collect', name('collect'), 'ms', { ours: collect!, ...peerRounds }),
  ];
}

async function collectOften({ touch, collect }: Collection, repeats: number): Promise<number> {
  touch();
  globalThis.gc!();
  let spent = 0;
  for (let i = 0; i < repeats; i++) {
    if (i > 0) touch();
    const start = performance.now();
    await collect();
    spent += performance.now() - start;
  }
  return spent / repeats;
}
