import { diag, DiagLogLevel } from '@opentelemetry/api';
import { expect } from 'chai';
import { announce, hasLogger, printLine, tell, tellOfLoss, Warnings } from '../../src/base/warnings.ts';
import { printedTo } from '../support/printed.ts';
import { collectWarnings } from '../support/warnings.ts';

describe('warnings', () => {
  let log: ReturnType<typeof collectWarnings> | undefined;
  const listen = (): string[] => (log = collectWarnings()).warnings;
  afterEach(() => {
    log?.stop();
    log = undefined;
  });

  it('tell of a cause once', () => {
    const said = listen();
    const warnings = new Warnings();
    for (const cause of ['a', 'b', 'a']) warnings.once('kind', cause, `of ${cause}`);
    expect(said).to.deep.equal(['of a', 'of b']);
  });

  it('hide none of one kind behind many of another', () => {
    const said = listen();
    const warnings = new Warnings();
    for (let i = 0; i < 10_000; i++) warnings.once('flood', String(i), `flood ${i}`);
    warnings.once('rare', '', 'rare');
    expect(said.at(-1)).to.equal('rare');
    expect(said.length).to.be.below(60);
  });

  it('count those they do not tell of, and tell the count later', () => {
    const said = listen();
    const warnings = new Warnings();
    for (let i = 0; i < 1234; i++) warnings.once('flood', String(i), `flood ${i}`);
    const sums = (): string[] => said.filter((message) => message.includes('more warnings'));
    expect(sums().map((message) => / (\d+) more/.exec(message)![1])).to.deep.equal(['10', '100', '1000']);
    expect(sums()[0]).to.match(/of the kind "flood".*The latest: flood 59$/);
    warnings.end();
    warnings.end();
    expect(sums().slice(3))
      .to.have.lengthOf(1)
      .and.to.match(/1184 more/);
  });

  it('survive a logger that throws', () => {
    const broken = (): never => {
      throw new Error('no disk');
    };
    diag.setLogger({ error: broken, warn: broken, info: broken, debug: broken, verbose: broken });
    try {
      new Warnings().loss('kind', 'a', 'of a');
      tell('info', 'x');
      tellOfLoss('error', 'x');
    } finally {
      diag.disable();
    }
  });

  it('print losses, and only them, where nobody has set a logger', () => {
    expect(hasLogger()).to.equal(false);
    const warnings = new Warnings();
    const printed = printedTo('stderr', () => {
      warnings.once('kind', 'a', 'an advice');
      warnings.loss('kind', 'b', 'metric c loses data');
      warnings.loss('kind', 'b', 'metric c loses data');
      tellOfLoss('warn', 'seqlock-metrics: nothing is exported');
      tellOfLoss('warn', 'seqlock-metrics: nothing is exported');
    });
    expect(printed).to.equal('seqlock-metrics: metric c loses data\nseqlock-metrics: nothing is exported\n');
  });

  it('print nothing where a logger is set, whatever it shows', () => {
    diag.setLogger(
      { error() {}, warn() {}, info() {}, debug() {}, verbose() {} },
      { logLevel: DiagLogLevel.NONE },
    );
    try {
      expect(printedTo('stderr', () => tellOfLoss('warn', 'heard by a logger'))).to.equal('');
    } finally {
      diag.disable();
    }
  });

  it('print nothing where OTEL_LOG_LEVEL is none', () => {
    process.env['OTEL_LOG_LEVEL'] = 'NONE';
    try {
      expect(printedTo('stderr', () => printLine('quiet'))).to.equal('');
    } finally {
      delete process.env['OTEL_LOG_LEVEL'];
    }
    expect(printedTo('stderr', () => printLine('loud'))).to.equal('seqlock-metrics: loud\n');
  });

  it('announce to the logger of the app, else print a line, unless a variable says quiet', () => {
    const line = (isOurs?: boolean): string =>
      printedTo('stderr', () => announce('seqlock-metrics: up', isOurs));
    expect(line()).to.equal('seqlock-metrics: up (SEQLOCK_METRICS_QUIET=true turns this line off)\n');
    process.env['SEQLOCK_METRICS_QUIET'] = 'true';
    try {
      expect(line()).to.equal('');
    } finally {
      delete process.env['SEQLOCK_METRICS_QUIET'];
    }
    const infos: string[] = [];
    const quiet = (): void => {};
    diag.setLogger(
      { error: quiet, warn: quiet, info: (m) => infos.push(m), debug: quiet, verbose: quiet },
      DiagLogLevel.INFO,
    );
    try {
      expect(line()).to.equal('');
      expect(infos).to.include('seqlock-metrics: up');
      expect(line(true), 'the logger is the package’s own').to.include('seqlock-metrics: up (');
    } finally {
      diag.disable();
    }
  });
});
