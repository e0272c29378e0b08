import { expect } from 'chai';
import { takePm2Variables } from '../../src/register/pm2-environment.ts';

describe('variables that PM2 hands over as JSON', () => {
  const taken = (pm2_env: string | undefined): Record<string, string | undefined> => {
    const environment = { OTEL_A: 'old', SEQLOCK_METRICS_B: 'old', OTHER: 'old', pm2_env };
    takePm2Variables(environment);
    const { pm2_env: _, ...others } = environment;
    return others;
  };
  const before = { OTEL_A: 'old', SEQLOCK_METRICS_B: 'old', OTHER: 'old' };

  it('are set where this package reads them', () => {
    const variables = { OTEL_A: 'new', SEQLOCK_METRICS_C: 'c', OTHER: 'new', OTEL_D: { no: 'text' } };
    expect(taken(JSON.stringify(variables))).to.deep.equal({
      ...before,
      OTEL_A: 'new',
      SEQLOCK_METRICS_C: 'c',
    });
  });

  it('stay as they are without PM2, or with something else under its name', () => {
    for (const text of [undefined, '', 'null', '1', '"text"', '[]', '{'])
      expect(taken(text), String(text)).to.deep.equal(before);
  });
});
