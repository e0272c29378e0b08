/**
 * The byte format, pinned. Builds a small region by a fixed program and prints it, or reads a printed one and prints its metrics.
 * Runs in the STRICT order, which every machine can, so that the bytes are the same everywhere:
 *
 *   npm run build
 *   SEQLOCK_METRICS_MEMORY_ORDER=strict node build/test/golden/region-image.js write > test/golden/region-v4.txt
 *
 * A change of the file is a change of the format: raise FORMAT_MINOR where old readers can skip it, else FORMAT_MAJOR.
 */
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { systemClock } from '../../src/base/platform.ts';
import * as layout from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import type { StoreConfiguration } from '../../src/state/records.ts';
import { noteReported } from '../../src/state/cells/carried.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { configuration, counter, exponentialHistogram, gauge, histogram } from '../support/descriptions.ts';
import { seriesOf } from '../support/region-contents.ts';
import { recordTo } from '../support/record-to.ts';

const LINE = 32;
/** Stands for what differs from run to run: the time and the thread's mark. */
const FIXED_MILLIS = 1_700_000_000_000;
const FIXED_MARK = 4242;

function build(): Region {
  systemClock.now = () => FIXED_MILLIS;
  const region = Region.create(2 ** 20);
  const writer = new StoreWriter(region);
  writer.configure(
    configuration({
      resource: { 'service.name': 'golden' },
      cardinalityLimits: { COUNTER: 3 } as StoreConfiguration['cardinalityLimits'],
    }),
  );
  const requests = writer.stream({ ...counter('requests'), unit: '{request}', description: 'short' }, 3);
  recordTo(requests, 1, undefined);
  recordTo(requests, 2.5, { method: 'GET', status: 200, ok: true });
  recordTo(requests, 1, {
    text: 'ü€\u{1f600}',
    lone: '\ud800',
    list: ['a', 1, null],
    nothing: null,
    no: false,
  });
  recordTo(requests, 7, { over: 'the limit' });
  writer.describe(requests, 'a longer text');
  const sizes = writer.stream(histogram('sizes', [0.5, 10]), 10);
  for (const value of [0.5, 3, 1000]) recordTo(sizes, value, { b: 1, a: 2 });
  const waits = writer.stream(histogram('waits', [1]), 10);
  const fine = { maxSize: 3, hasSum: true, negative: true };
  const spans = writer.stream(exponentialHistogram('spans', fine), 10);
  const gaps = writer.stream(exponentialHistogram('gaps', fine), 10);
  for (const stream of [waits, spans, gaps]) {
    recordTo(stream, 3, {});
    recordTo(stream, 0.5, {});
  }
  for (const { cell, stream } of seriesOf(region))
    if (stream.name !== 'spans') noteReported(region.words, cell, region.words[cell << 1]!);
  for (const stream of [waits, spans, gaps]) recordTo(stream, 2, {});
  const level = writer.stream(gauge('level'), 10);
  recordTo(level, 1, {});
  recordTo(level, -4, {});
  region.countLost();
  mask(region);
  return region;
}

function mask({ buffer, bytes, words }: Region): void {
  const header = new DataView(buffer);
  header.setFloat64(layout.CREATED_OFFSET, FIXED_MILLIS, true);
  header.setUint32(layout.MARK_KIND_OFFSET, 1, true);
  header.setUint32(layout.CRC_OFFSET, crc32(bytes.subarray(0, layout.IDENTITY_BYTES)), true);
  words[layout.SLAB_TABLE_OFFSET / 4 + layout.SLAB_OWNER_WORD] = FIXED_MARK;
  words[layout.SLAB_TABLE_OFFSET / 4 + layout.SLAB_AFFINITY_WORD] = 0; // the program's path is in it
}

/** Hex, line by line; lines of zeros are left out. */
function print({ bytes, usedBytes }: Region): string {
  const lines: string[] = [];
  for (let at = 0; at < usedBytes; at += LINE) {
    const line = Buffer.from(bytes.subarray(at, at + LINE));
    if (line.some((byte) => byte !== 0))
      lines.push(`${at.toString(16).padStart(6, '0')}: ${line.toString('hex')}`);
  }
  return [
    `# region format ${layout.FORMAT_MAJOR}, ${usedBytes} bytes; see region-image.ts`,
    ...lines,
    '',
  ].join('\n');
}

function parse(text: string): Region {
  const bytes = new Uint8Array(
    new SharedArrayBuffer(layout.INITIAL_REGION_BYTES, { maxByteLength: 2 ** 20 }),
  );
  for (const line of text.split('\n').filter((l) => l !== '' && !l.startsWith('#'))) {
    const [at, hex] = line.split(': ') as [string, string];
    bytes.set(Buffer.from(hex, 'hex'), Number.parseInt(at, 16));
  }
  return Region.attach(bytes.buffer);
}

function metrics(region: Region): object {
  return seriesOf(region).map(({ stream, attributes, overflow, live, values }) => ({
    metric: stream.name,
    unit: stream.unit,
    attributes: Object.fromEntries(attributes.keys.map((key, i) => [key, attributes.values[i] ?? null])),
    overflow,
    live,
    values,
  }));
}

const [, , action, file] = process.argv;
if (action === 'write') process.stdout.write(print(build()));
else process.stdout.write(JSON.stringify(metrics(parse(readFileSync(file!, 'utf8')))));
