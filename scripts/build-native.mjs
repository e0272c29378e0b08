/**
 * Compiles native/shared_memory.c.
 *
 *   node scripts/build-native.mjs <directory ...>         for this machine, by `cc` (or $CC), into each directory
 *   node scripts/build-native.mjs --all <directory>       for all platforms, by zig (`pip install ziglang`), with checksums
 *
 * Without a compiler both say so and succeed, the second with the addon of this machine at most, unless CI=true: koffi
 * takes an addon's place. `npm publish` needs zig.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { include_dir as headers } from 'node-api-headers';

const SOURCE = fileURLToPath(new URL('../native/shared_memory.c', import.meta.url));
const FLAGS = [
  '-std=c11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-fPIC',
  '-fvisibility=hidden',
  `-I${headers}`,
];
/** No library is named on Linux: what the addon calls, Node.js has loaded. So one file is right for glibc and musl. */
const LINK = {
  linux: ['-shared', '-nostdlib', '-s'],
  darwin: ['-shared', '-Wl,-undefined,dynamic_lookup', '-Wl,-s'],
};
const ZIG = ['python3', '-m', 'ziglang', 'cc'];
/** 2.28 and 11.0 are what Node.js 20 needs itself; nothing in the addon depends on them. */
const TARGETS = {
  'linux-x64': 'x86_64-linux-gnu.2.28',
  'linux-arm64': 'aarch64-linux-gnu.2.28',
  'darwin-x64': 'x86_64-macos.11.0',
  'darwin-arm64': 'aarch64-macos.11.0',
};

/**
 * In two steps, because zig gives no C headers to one that is linked without the C library; and under fixed names in a
 * folder of its own, because a Mach-O file has its own name in it: the same source must give the same checksum.
 */
function compile(compiler, platform, into) {
  const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-native-'));
  const [command, ...first] = compiler;
  try {
    for (const args of [
      [...FLAGS, '-c', SOURCE, '-o', 'shared_memory.o'],
      [...LINK[platform], 'shared_memory.o', '-o', 'addon.node'],
    ]) {
      const { status, error } = spawnSync(command, [...first, ...args], { cwd: folder, stdio: 'inherit' });
      if (error !== undefined) throw error;
      if (status !== 0) throw new Error(`${[command, ...first, ...args].join(' ')} failed`);
    }
    copyFileSync(join(folder, 'addon.node'), into);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compileHere(directories) {
  const compiler = process.env.CC ?? 'cc';
  if (LINK[process.platform] === undefined || spawnSync(compiler, ['--version']).status !== 0) {
    console.error(
      `No addon was built: no C compiler (${compiler}) for ${process.platform}. Shared stores need koffi.`,
    );
    return;
  }
  const name = `${process.platform}-${process.arch}.node`;
  for (const directory of directories) mkdirSync(directory, { recursive: true });
  compile([compiler], process.platform, join(directories[0], name));
  for (const directory of directories.slice(1))
    copyFileSync(join(directories[0], name), join(directory, name));
}

function compileAll(directory) {
  mkdirSync(directory, { recursive: true });
  if (spawnSync(ZIG[0], [...ZIG.slice(1, 3), 'version']).status !== 0) {
    console.error('THE PACKAGE LACKS ADDONS FOR OTHER PLATFORMS: zig is missing (pip install ziglang).');
    if (process.env.CI === 'true') process.exit(1);
    compileHere([directory]);
    return;
  }
  let sums = '';
  for (const [name, target] of Object.entries(TARGETS)) {
    const file = join(directory, `${name}.node`);
    compile([...ZIG, '-target', target], name.slice(0, name.indexOf('-')), file);
    sums += `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${name}.node\n`;
  }
  writeFileSync(join(directory, 'SHA256SUMS'), sums);
}

const [first, ...others] = process.argv.slice(2);
if (first === '--all') compileAll(others[0]);
else compileHere([first, ...others]);
