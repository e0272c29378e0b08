import { expect } from 'chai';
import { Worker } from 'node:worker_threads';
import { chooseMemoryOrder, MEMORY_ORDER, MEMORY_ORDER_VARIABLE } from '../../src/memory/memory-order.ts';

describe('memory order', () => {
  it('is FAST only on x64 with a V8 line that was checked', () => {
    for (const v8 of ['11.3.244.8-node.38', '12.4.254.21', '13.6.233.17', '14.6.202.34']) {
      expect(chooseMemoryOrder('x64', v8, undefined), v8).to.equal('fast');
    }
    for (const v8 of ['10.2.154.26', '15.0.1', '', 'unknown']) {
      expect(chooseMemoryOrder('x64', v8, undefined), v8).to.equal('strict');
    }
    for (const arch of ['arm64', 'arm', 'ppc64', 's390x', 'riscv64', 'ia32']) {
      expect(chooseMemoryOrder(arch, '13.6.233.17', undefined), arch).to.equal('strict');
    }
  });

  it('can be overridden towards STRICT only', () => {
    expect(chooseMemoryOrder('x64', '13.6.233.17', 'strict')).to.equal('strict');
    expect(chooseMemoryOrder('arm64', '13.6.233.17', 'fast')).to.equal('strict');
    expect(chooseMemoryOrder('x64', '13.6.233.17', '')).to.equal('fast');
  });

  it('follows the environment variable when the module is loaded', async () => {
    const module = new URL('../../src/memory/memory-order.js', import.meta.url).href;
    const code = `import(${JSON.stringify(module)}).then((m) => require('worker_threads').parentPort.postMessage(m.MEMORY_ORDER))`;
    const loaded = new Worker(code, { eval: true, env: { [MEMORY_ORDER_VARIABLE]: 'strict' } });
    expect(await new Promise((resolve) => loaded.once('message', resolve))).to.equal('strict');
    expect(MEMORY_ORDER).to.equal(
      chooseMemoryOrder(process.arch, process.versions.v8, process.env[MEMORY_ORDER_VARIABLE]),
    );
  });
});
