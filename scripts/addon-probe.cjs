// Run by check-addons.mjs in a Node.js of another platform: loads the addon and uses each function. Prints "works".
const assert = require('node:assert');
const fs = require('node:fs');
const { constants } = require('node:os');
const { Worker, isMainThread, workerData } = require('node:worker_threads');

const [addon, file] = isMainThread ? process.argv.slice(2) : workerData;
const calls = require(addon);
const BYTES = 1 << 20;

function open(flags) {
  const fd = fs.openSync(file, flags);
  const buffer = new SharedArrayBuffer(BYTES, { maxByteLength: BYTES });
  return { fd, bytes: new Uint8Array(buffer, 0, BYTES) };
}

if (!isMainThread) {
  const { fd, bytes } = open('r+');
  assert.strictEqual(calls.map(bytes, fd), 0);
  assert.strictEqual(bytes[5], 7);
  bytes[6] = 8;
  assert.strictEqual(calls.lock(fd, 2 | 4), constants.errno.EAGAIN);
} else {
  const { fd, bytes } = open('w+');
  fs.ftruncateSync(fd, BYTES);
  assert.strictEqual(calls.allocate(fd, 0, 65536), 0);
  assert.strictEqual(calls.map(bytes, fd), 0);
  bytes[5] = 7;
  assert.strictEqual(fs.readFileSync(file)[5], 7);
  assert.strictEqual(calls.lock(fd, 2 | 4), 0);
  assert.strictEqual(calls.lock(1 << 20, 2 | 4), constants.errno.EBADF);
  assert.strictEqual(calls.map(bytes.subarray(0, 100), fd), constants.errno.EINVAL);
  assert.throws(() => calls.map(new Uint8Array(BYTES), fd), TypeError);
  assert.throws(() => calls.lock(NaN, 8), TypeError);
  assert.ok(calls.fileSystem(fd) > 0);
  new Worker(__filename, { workerData: [addon, file] }).once('exit', (code) => {
    assert.deepStrictEqual([code, bytes[6]], [0, 8]);
    console.log('works');
  });
}
