import { expect } from 'chai';
import { latencyPlot } from '../../bench/plot.ts';

describe('bench/plot', () => {
  const plot = latencyPlot('Title', 'what is seen', [
    { name: 'one', nanos: Float64Array.from({ length: 1000 }, (_, i) => (i === 0 ? 5_000_000 : 80)) },
    { name: 'other', nanos: Float64Array.from({ length: 1000 }, () => 300) },
  ]);

  it('is SVG of one shape for each distribution, with a legend that has its median', () => {
    expect(plot).to.match(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" .*<\/svg>\n$/s);
    expect(plot.match(/<path /g)).to.have.length(2);
    expect(plot).to.include('one: median 80 ns').and.to.include('other: median 300 ns');
    expect(plot).not.to.match(/NaN|Infinity|undefined/);
  });

  it('has axes from the shortest time to the longest, and down to the rarest', () => {
    const texts = [...plot.matchAll(/text-anchor="(?:middle|end)"[^>]*>([^<]*)</g)].map(([, text]) => text);
    expect(texts).to.include.members(['10 ns', '100 ns', '1 µs', '10 µs', '100 µs', '1 ms', '10 ms']);
    expect(texts).to.include.members(['100 %', '10 %', '1 %', '0.1 %']);
    expect(texts).not.to.include('0.01 %');
  });

  it('draws a share where it is: a time of all calls reaches the top, one in a thousand the bottom', () => {
    const tops = [...plot.matchAll(/<path d="([^"]*)"/g)].map(([, path]) =>
      Math.min(...[...path!.matchAll(/V([\d.]+)/g)].map(([, y]) => Number(y))),
    );
    expect(tops[1]).to.equal(64); // all of them
    expect(tops[0]).to.be.within(64, 65); // 99.9 %
  });
});
