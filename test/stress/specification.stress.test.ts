/** The test plan of the founding specification ("Testing Strategy", "Security Considerations"), under its names. */
import { expect } from 'chai';
import { readerOf } from '../../src/collect/directory/store-reader.ts';
import { NONE } from '../../src/collect/directory/merged-stream.ts';
import { EXTENTS_OFFSET } from '../../src/memory/layout.ts';
import type { MetricsCounter, MetricsGauge, MetricsHistogram } from '../../src/index.ts';
import { SeqlockMetricsProvider } from '../../src/facade/metrics/seqlock-metrics-provider.ts';
import { Seqlock } from '../../src/memory/seqlock.ts';
import { slabsUsed } from '../../src/memory/slab.ts';
import { collectWarnings } from '../support/warnings.ts';
import { BUCKETS, IDLE, MIXED, OBSERVED, READ, SpecificationCrew } from './specification-crew.ts';
import { endWorkers } from './stress-job.ts';

const READERS = 64;

/** Cells of a metric of a provider, of all threads: float64 indices. */
function cellsOf(metrics: SeqlockMetricsProvider, name: string): number[] {
  const reader = readerOf(metrics.meterProvider.store.region);
  reader.refresh();
  const stream = reader.scopes
    .flatMap(({ streams }) => streams)
    .find(({ description }) => description.name === name)!;
  const cells: number[] = [];
  const series = stream.attributes.findIndex((attributes) => Object.keys(attributes).length === 0);
  for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node))
    cells.push(stream.cellOf(node));
  return cells;
}

describe('founding specification', function () {
  this.timeout(180_000);
  const crew = new SpecificationCrew(READERS);
  let metrics: SeqlockMetricsProvider;
  let counter: MetricsCounter;
  let gauge: MetricsGauge;
  let histogram: MetricsHistogram;
  let [written, byOthers] = [0, 0];

  before(async () => {
    metrics = new SeqlockMetricsProvider();
    counter = metrics.counter('c', '');
    gauge = metrics.gauge('g', '');
    histogram = metrics.histogram('h', '', BUCKETS);
    await crew.start();
  });
  after(async () => {
    await endWorkers();
    await metrics.shutdown();
  });

  function write(times: number): void {
    for (let i = 0; i < times; i++) {
      counter.inc();
      gauge.inc();
      histogram.observe(OBSERVED[written % OBSERVED.length]!);
      written++;
    }
  }

  function expectTotals(): void {
    const total = written + byOthers;
    expect(counter.value()).to.equal(total);
    expect(gauge.value()).to.equal(total);
    expect(histogram.stats().count).to.equal(total);
  }

  describe('correctness tests', () => {
    it('single writer, multiple readers', async () => {
      const { reads, faults } = await crew.run(READ, 4, 100, () => write(20_000));
      expect(faults).to.equal(0);
      expect(reads).to.be.at.least(400);
      expectTotals();
    });

    for (const wrap of [2 ** 31, 2 ** 32])
      it(`version rollover handling: past ${wrap}`, async () => {
        const { words } = metrics.meterProvider.store.region;
        for (const name of ['c', 'g', 'h']) {
          const [own] = cellsOf(metrics, name);
          const version = words[own! << 1]!;
          // Just below the wrap, and as even or odd as before: that says which slot is the whole one.
          words[own! << 1] = (wrap - 1000 + (version & 1)) | 0;
        }
        expectTotals();
        const { faults } = await crew.run(READ, 4, 50, () => write(2000));
        expect(faults).to.equal(0);
        const [own] = cellsOf(metrics, 'c');
        expect(words[own! << 1]! - (wrap | 0), 'version').to.be.above(0);
        expectTotals();
      });

    it('concurrent write serialization', async () => {
      const { writes, faults } = await crew.run(MIXED, 4, 200, () => write(2000));
      byOthers += writes;
      expect(faults).to.equal(0);
      expectTotals();
      const counted = new Float64Array(1);
      expect(new Seqlock(crew.lock, 0, 1).read(counted)).to.equal(true);
      expect(counted[0], 'updates of one Seqlock by all of them').to.equal(byOthers);
    });
  });

  describe('stress tests', () => {
    it('64 concurrent readers', async () => {
      const { reads, faults } = await crew.run(READ, READERS, 20, () => write(20_000));
      expect(faults).to.equal(0);
      expect(reads).to.be.at.least(20 * READERS);
      expectTotals();
    });

    it('rapid write bursts', async () => {
      let bursts = 0;
      const { faults } = await crew.run(READ, 8, 50, async () => {
        write(10_000);
        expectTotals();
        bursts++;
        await new Promise((resolve) => setTimeout(resolve, 5));
      });
      expect(faults).to.equal(0);
      expect(bursts).to.be.above(0);
    });

    it('mixed read/write workloads', async () => {
      const { writes, faults } = await crew.run(MIXED, 16, 50, () => write(500));
      byOthers += writes;
      expect(faults).to.equal(0);
      expect(writes).to.be.at.least(16 * 50);
      expectTotals();
    });
  });

  describe('security considerations', () => {
    it('no information leakage: a version tells the number of updates and nothing of the data', () => {
      const versions = [0, 1e-9, 12_345].map((secret) => {
        const own = new SeqlockMetricsProvider();
        own.counter('c', '').incBy(secret);
        own.gauge('g', '').set(-secret);
        own.histogram('h', '', BUCKETS).observe(secret);
        const { words } = own.meterProvider.store.region;
        const found = ['c', 'g', 'h'].map((name) => words[cellsOf(own, name)[0]! << 1]!);
        void own.shutdown();
        return found;
      });
      expect(versions).to.deep.equal([
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
      ]);
    });

    it('DoS resistance: 64 hostile readers, some stopped in the middle of a read, hold up no write and change nothing', async () => {
      const { words } = metrics.meterProvider.store.region;
      const [own] = cellsOf(metrics, 'c');
      const version = words[own! << 1]!;
      const before = written;
      crew.enter(READ, READERS);
      write(2000);
      crew.enter(READ, 8); // 56 fewer, or it takes long until the others get to end
      await crew.terminate(4); // wherever they are, in the middle of a read most likely
      write(5000);
      expectTotals();
      crew.enter(IDLE, READERS);
      expect((words[own! << 1]! - version) | 0, 'publishes').to.equal(written - before);
    });

    it('memory safety: a thread that writes into the memory spoils values, but nobody throws, hangs or leaves the memory', () => {
      const { stop } = collectWarnings();
      const own = new SeqlockMetricsProvider();
      const scribbled = own.counter('c', '');
      const level = own.gauge('g', '');
      const sizes = own.histogram('h', '', BUCKETS);
      scribbled.inc();
      level.set(1);
      sizes.observe(1);
      const { region } = own.meterProvider.store;
      for (let round = 0; round < 200; round++) {
        // From the first round on cells and directories, from the hundredth on the whole region with its header.
        const first = round < 100 ? EXTENTS_OFFSET >> 2 : 0;
        for (let i = 0; i < 2000; i++)
          region.words[first + Math.floor(Math.random() * (region.words.length - first))] = Math.floor(
            Math.random() * 2 ** 32,
          );
        for (const read of [
          () => scribbled.value(),
          () => level.value(),
          () => sizes.stats(),
          () => own.exportPrometheus(),
          () => own.exportJson(),
          () => scribbled.inc(),
          () => level.inc(),
          () => sizes.observe(1),
          () => scribbled.labels({ round }).inc(),
          () => slabsUsed(region),
        ])
          read();
      }
      void own.shutdown();
      stop();
    });
  });
});
