import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unknownVariables, VARIABLES } from '../../src/base/variables.ts';

describe('environment variables', () => {
  it('are known, all that the code reads', () => {
    const read = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => readFileSync(join('src', path), 'utf8').match(/'SEQLOCK_METRICS_[A-Z0-9_]+'/g) ?? [])
      .map((name) => name.slice(1, -1))
      .filter((name) => name !== 'SEQLOCK_METRICS_');
    expect([...new Set(read)].sort()).to.deep.equal([...VARIABLES].sort());
  });

  it('are told of where they are unknown, with the nearest', () => {
    expect(
      unknownVariables({ SEQLOCK_METRICS_QUIET: 'true', PATH: '/', OTHER_SEQLOCK_METRICS_X: '1' }),
    ).to.deep.equal([]);
    const [message, ...others] = unknownVariables({ SEQLOCK_METRICS_QUITE: 'true' });
    expect(others).to.deep.equal([]);
    expect(unknownVariables({ SEQLOCK_METRICS_PORT: '1' })[0]).to.not.include('Did you mean');
    expect(message).to.include('SEQLOCK_METRICS_QUITE is unknown').and.include('Did you mean QUIET?');
  });
});
