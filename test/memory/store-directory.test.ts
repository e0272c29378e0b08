import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RegionError } from '../../src/base/errors.ts';
import * as layout from '../../src/memory/layout.ts';
import { MappedFile, REGION_FILE } from '../../src/memory/mapped-file.ts';
import { CONTINUED_MILLIS, openStoreDirectory } from '../../src/memory/store-directory.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

const MAX_BYTES = 2 ** 20;
const PROGRAM = fileURLToPath(new URL('../support/open-directory.js', import.meta.url));

/** Opens it as a process of its own would: without what this one has mapped before. */
function open(directory: string, maxBytes = MAX_BYTES): { file: MappedFile; warnings: readonly string[] } {
  return openStoreDirectory(directory, maxBytes, () => undefined);
}

/** By a process that ends then. */
function openOnce(directory: string): { identity: string; warnings: readonly string[] } {
  const said = execFileSync(process.execPath, [PROGRAM, directory, String(MAX_BYTES)], { encoding: 'utf8' });
  return JSON.parse(said) as { identity: string; warnings: readonly string[] };
}

function errorOf(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    const { code, message } = error as RegionError;
    return { code, message };
  }
  return { code: 'none', message: '' };
}

describe('a store directory', function () {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  after(removeFolders);

  let directory: string;
  beforeEach(() => (directory = join(newFolder(), 'store')));

  const region = (): string => join(directory, REGION_FILE);
  const change = (edit: (bytes: Buffer) => void): void => {
    const bytes = readFileSync(region());
    edit(bytes);
    writeFileSync(region(), bytes);
  };

  describe('opened', () => {
    it('is made for its user alone, sparse, and with nothing left over', () => {
      openOnce(directory);
      expect(readdirSync(directory).sort()).to.deep.equal([
        'bell',
        'exporters',
        'leader',
        REGION_FILE,
        'starter',
        'writers',
      ]);
      expect(statSync(directory).mode & 0o777).to.equal(0o700);
      expect(statSync(region()).mode & 0o777).to.equal(0o600);
      expect(statSync(region()).size).to.equal(MAX_BYTES);
      expect(statSync(region()).blocks * 512).to.equal(Math.ceil(layout.EXTENTS_OFFSET / 4096) * 4096);
    });

    it('is the same memory to all who open it', () => {
      const [first, second] = [open(directory).file, open(directory).file];
      expect(second.identity).to.equal(first.identity);
      new Uint8Array(first.buffer)[layout.EXTENTS_OFFSET - 1] = 7;
      expect(new Uint8Array(second.buffer)[layout.EXTENTS_OFFSET - 1]).to.equal(7);
    });

    it('takes rights away from others, and a slash at the end', () => {
      mkdirSync(directory);
      chmodSync(directory, 0o777);
      openOnce(`${directory}/`);
      expect(statSync(directory).mode & 0o777).to.equal(0o700);
    });

    it('keeps the size that its maker chose, and names another', () => {
      const first = open(directory).file;
      const { file, warnings } = open(directory, 2 * MAX_BYTES);
      expect(file.buffer.byteLength).to.equal(MAX_BYTES);
      expect(warnings.join())
        .to.include(`made with maxBytes ${MAX_BYTES}`)
        .and.include(`asks for ${2 * MAX_BYTES}`);
      first.close();
    });

    it('leaves one that another died over where it is', () => {
      mkdirSync(directory);
      writeFileSync(join(directory, `${REGION_FILE}.new`), 'half made');
      openOnce(directory);
      expect(existsSync(join(directory, `${REGION_FILE}.new`))).to.equal(false);
    });
  });

  describe('in which nobody lives any more', () => {
    const identityAfter = (edit: (bytes: Buffer) => void): { before: string; after: string } => {
      const before = openOnce(directory).identity;
      change(edit);
      return { before, after: openOnce(directory).identity };
    };
    const lastSign = (ageMillis: number) => (bytes: Buffer) =>
      void bytes.writeDoubleLE(Date.now() - ageMillis, layout.SIGN_OF_LIFE_DOUBLE * 8);

    it('is continued when somebody lived a short time ago', () => {
      const { before, after } = identityAfter(lastSign(CONTINUED_MILLIS - 10_000));
      expect(after).to.equal(before);
    });

    it('is made anew when that was long ago, or in the future', () => {
      for (const age of [CONTINUED_MILLIS + 10_000, -CONTINUED_MILLIS - 10_000, NaN]) {
        const { before, after } = identityAfter(lastSign(age));
        expect(after, `after ${age} ms`).to.not.equal(before);
      }
    });

    it('is made anew after a start of the machine', () => {
      const { before, after } = identityAfter((bytes) => void bytes.write('0', layout.BOOT_OFFSET));
      expect(after).to.not.equal(before);
    });

    it('is continued however old while somebody lives', () => {
      const { file } = open(directory);
      new Float64Array(file.buffer)[layout.SIGN_OF_LIFE_DOUBLE] = 0;
      expect(open(directory).file.identity).to.equal(file.identity);
    });
  });

  describe('that is broken', () => {
    it('is made anew, and said so, when nobody has it', () => {
      const damages: Record<string, () => void> = {
        'cut off': () => truncateSync(region(), layout.HEADER_BYTES + 1),
        empty: () => truncateSync(region(), 0),
        longer: () => truncateSync(region(), 2 * MAX_BYTES),
        overwritten: () => change((bytes) => bytes.fill(0xff)),
        'a header byte': () => change((bytes) => void (bytes[layout.CREATED_OFFSET]! ^= 1)),
      };
      for (const [name, damage] of Object.entries(damages)) {
        const { identity } = openOnce(directory);
        damage();
        const { identity: anew, warnings } = openOnce(directory);
        expect(anew, name).to.not.equal(identity);
        expect(warnings.join(), name).to.include('is damaged').and.include('replaced by a new one');
      }
    });

    it('is refused, and nothing is put in its place, while somebody has it', () => {
      const { file } = open(directory);
      change((bytes) => void (bytes[layout.CREATED_OFFSET]! ^= 1));
      expect(errorOf(() => open(directory)).code).to.equal('E_CRC');
      expect(file.isInPlace()).to.equal(true);
    });

    it('is refused when it is of another version', () => {
      openOnce(directory);
      change((bytes) => void bytes.writeUInt32LE(99, layout.MAJOR_OFFSET));
      expect(errorOf(() => open(directory)).code).to.equal('E_VERSION');
    });

    it('has memory as far as somebody has claimed or provided it, and nobody looks beyond', () => {
      const { file } = open(directory);
      expect(file.length).to.equal(layout.EXTENTS_OFFSET);
      file.provide(layout.EXTENTS_OFFSET, layout.EXTENTS_OFFSET + layout.UNIT_BYTES);
      expect(file.length, 'provided here').to.equal(layout.EXTENTS_OFFSET + layout.UNIT_BYTES);
      const end = layout.EXTENTS_OFFSET / layout.UNIT_BYTES + 5;
      Atomics.store(new Int32Array(file.buffer), layout.EXTENTS_END_INDEX, end);
      expect(file.length, 'claimed by another').to.equal(end * layout.UNIT_BYTES);
      Atomics.store(new Int32Array(file.buffer), layout.EXTENTS_END_INDEX, 2 ** 30);
      expect(file.length, 'damaged').to.equal(file.buffer.byteLength);
    });

    it('is noticed by who has it, when another file is there', () => {
      const { file } = open(directory);
      expect(file.isInPlace()).to.equal(true);
      rmSync(directory, { recursive: true });
      expect(file.isInPlace()).to.equal(false);
      openOnce(directory);
      expect(file.isInPlace()).to.equal(false);
      expect(file.provide(0, layout.EXTENTS_OFFSET), 'the descriptor is still its file').to.equal(undefined);
    });
  });

  describe('is refused', () => {
    const refusals: Record<string, { code: string; prepare: () => void }> = {
      'when it is a file': { code: 'E_TYPE', prepare: () => writeFileSync(directory, '') },
      'when it is a link': {
        code: 'E_TYPE',
        prepare: () => {
          mkdirSync(`${directory}-target`);
          symlinkSync(`${directory}-target`, directory);
        },
      },
      'when its region is a link': {
        code: 'E_TYPE',
        prepare: () => {
          mkdirSync(directory);
          symlinkSync('/dev/null', region());
        },
      },
      'when its region is a FIFO': {
        code: 'E_TYPE',
        prepare: () => {
          mkdirSync(directory);
          execFileSync('mkfifo', [region()]);
        },
      },
      'when its region is a directory': {
        code: 'E_TYPE',
        prepare: () => mkdirSync(region(), { recursive: true }),
      },
      'when its bell is a FIFO': {
        code: 'E_TYPE',
        prepare: () => {
          mkdirSync(directory);
          execFileSync('mkfifo', [join(directory, 'bell')]);
        },
      },
      'when its lock files are in a linked directory': {
        code: 'E_TYPE',
        prepare: () => {
          mkdirSync(directory);
          symlinkSync('/tmp', join(directory, 'writers'));
        },
      },
      'where there is no directory to make it in': {
        code: 'E_TYPE',
        prepare: () => (directory = join(directory, 'a', 'b')),
      },
      'when others may enter it and it has other files': {
        code: 'E_PERM',
        prepare: () => {
          mkdirSync(directory);
          chmodSync(directory, 0o755);
          writeFileSync(join(directory, 'notes'), '');
        },
      },
      'on a file system that is none for this': {
        code: 'E_FILESYSTEM',
        prepare: () => (directory = '/sys/kernel'),
      },
    };
    for (const [when, { code, prepare }] of Object.entries(refusals))
      it(`${when}: ${code}`, function () {
        if (code === 'E_FILESYSTEM' && (process.platform !== 'linux' || process.getuid!() !== 0)) this.skip();
        prepare();
        const error = errorOf(() => open(directory));
        expect(error.code, error.message).to.equal(code);
        expect(error.message).to.include(directory);
      });

    it("when it is another user's: E_PERM", function () {
      if (process.getuid!() !== 0) this.skip();
      mkdirSync(directory);
      execFileSync('chown', ['12345', directory]);
      const { code, message } = errorOf(() => open(directory));
      expect(code).to.equal('E_PERM');
      expect(message).to.include('belongs to user 12345');
    });
  });
});
