import { expect } from 'chai';
import { judge, type Verdict } from '../../bench/bars.ts';
import { rowOf, type Row } from '../../bench/row.ts';

function verdict(rows: readonly Row[], what: string, peer: string | null, line = 20): Verdict {
  return judge(rows, line).find((bar) => bar.what === what && bar.peer === peer)!;
}

function counterRow(series: number, official: number, prom: number): Row {
  return rowOf('counter', `3 fresh, ${series} series`, 'ns', {
    ours: [1],
    official: [official],
    prom: [prom],
  });
}

describe('bench/bars', () => {
  const what = 'counter, 3 fresh attributes';

  it('judges by the worst of the rows', () => {
    const rows = [counterRow(1, 20, 8), counterRow(100, 14.9, 7), counterRow(2000, 16, 6)];
    expect(verdict(rows, what, 'official')).to.include({ bar: 15, measured: 14.9, met: false });
    expect(verdict(rows, what, 'prom')).to.include({ bar: 6, measured: 6, met: true });
  });

  it('has the bar of the line of Node.js', () => {
    const bars = [20, 22, 24, 26, 28].map(
      (line) => verdict([counterRow(1, 14, 6)], what, 'official', line).bar,
    );
    expect(bars).to.deep.equal([15, 15, 15, 13, 13]);
    expect(verdict([counterRow(1, 14, 6)], what, 'official', 26).met).to.equal(true);
  });

  it('names the rows it judged by', () => {
    expect(verdict([counterRow(1, 20, 8), counterRow(100, 16, 7)], what, 'official').rows).to.deep.equal({
      '3 fresh, 1 series': 20,
      '3 fresh, 100 series': 16,
    });
  });

  it('judges bytes by the largest', () => {
    const memory = (series: number, bytes: number): Row =>
      rowOf('memory', `counter, ${series} series`, 'B', { ours: [bytes] });
    const bar = 'memory of a counter series, B';
    expect(verdict([memory(10, 250), memory(20, 240)], bar, null)).to.include({ measured: 250, met: true });
    expect(verdict([memory(10, 240), memory(20, 251)], bar, null)).to.include({ measured: 251, met: false });
  });

  it('judges what is held against an app without metrics by the largest', () => {
    const p99 = (ours: number): Row => rowOf('service', 'p99 at 1', 'ms', { none: [2], ours: [ours] });
    const bar = 'p99 of a service that is scraped';
    expect(verdict([p99(2.2)], bar, 'none')).to.include({ isMost: true, measured: 1.1, met: true });
    expect(verdict([p99(2), p99(3)], bar, 'none')).to.include({ measured: 1.5, met: false });
  });

  it('judges what is held against a call without exemplars by what it is above it, round by round', () => {
    const row = (ours: number[]): Row => rowOf('exemplars', 'counter', 'ns', { off: [10, 20, 30], ours });
    const bar = 'question for a span, ns';
    expect(verdict([row([12, 23, 90])], bar, 'off')).to.include({ isMost: true, measured: 3, met: true });
    expect(verdict([row([14, 24, 30])], bar, 'off')).to.include({ measured: 4, met: false });
  });

  it('calls every box garbage', () => {
    const garbage = (bytes: number): Row => rowOf('garbage', 'counter', 'B', { ours: [bytes] });
    expect(verdict([garbage(0), garbage(16)], 'garbage of a record, B', null).met).to.equal(false);
    expect(verdict([garbage(0), garbage(-0.2)], 'garbage of a record, B', null).met).to.equal(true);
  });

  it('says neither where nothing was measured', () => {
    for (const bar of judge([])) expect(bar).to.include({ measured: null, met: null });
  });
});
