import { expect } from 'chai';
import { stillRunning } from './servers/processes.ts';

after('nothing that was started still runs', () => {
  expect(stillRunning()).to.deep.equal([]);
});
