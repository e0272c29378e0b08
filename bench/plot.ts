/** Histograms as SVG, made by hand: a logarithmic axis of time, and a step line for each distribution. */
import type { Distribution } from './contention.ts';

const WIDTH = 900;
const HEIGHT = 460;
const MARGIN = { left: 78, right: 24, top: 64, bottom: 56 } as const;
const LEGEND_WIDTH = 330;
const BINS_PER_DECADE = 12;
const COLOURS = ['#1b6ca8', '#8a8a8a', '#c8471c'] as const;
const TEXT = 'font-family="sans-serif" fill="#222"';

/** The share of the writes that fall into each bin of time; both axes logarithmic, for the rare and long ones matter. */
export function latencyPlot(title: string, subtitle: string, distributions: readonly Distribution[]): string {
  const shares = distributions.map(({ nanos }) => binsOf(nanos));
  const bins = shares.flatMap((share) => [...share.keys()]);
  const first = Math.floor(Math.min(...bins) / BINS_PER_DECADE) * BINS_PER_DECADE;
  const last = (Math.floor(Math.max(...bins) / BINS_PER_DECADE) + 1) * BINS_PER_DECADE;
  const decades = Math.ceil(-Math.log10(Math.min(...shares.flatMap((share) => [...share.values()]))));
  const x = (bin: number): number =>
    MARGIN.left + ((bin - first) / (last - first)) * (WIDTH - MARGIN.left - MARGIN.right);
  const bottom = HEIGHT - MARGIN.bottom;
  const y = (share: number): number =>
    share === 0
      ? bottom
      : MARGIN.top + (Math.min(decades, -Math.log10(share)) / decades) * (bottom - MARGIN.top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${MARGIN.left}" y="26" font-size="17" ${TEXT}>${title}</text>`,
    `<text x="${MARGIN.left}" y="45" font-size="12" ${TEXT}>${subtitle}</text>`,
    ...timeAxis(first, last, x, bottom),
    ...shareAxis(decades, y),
    ...shares.map((share, i) => stepLine(share, COLOURS[i % COLOURS.length]!, first, last, x, y)),
    ...distributions.map((distribution, i) => legend(distribution, i)),
    '</svg>\n',
  ].join('\n');
}

/** Share of the values by bin; a bin is a twelfth of a power of ten. */
function binsOf(nanos: Float64Array): Map<number, number> {
  const shares = new Map<number, number>();
  for (const value of nanos) {
    const bin = Math.floor(Math.log10(Math.max(1, value)) * BINS_PER_DECADE);
    shares.set(bin, (shares.get(bin) ?? 0) + 1 / nanos.length);
  }
  return shares;
}

function legend({ name, nanos }: Distribution, i: number): string {
  const x = WIDTH - MARGIN.right - LEGEND_WIDTH;
  const y = MARGIN.top + 24 + i * 20;
  const sorted = nanos.slice().sort();
  const median = timeText(sorted[sorted.length >> 1]!);
  return `<rect x="${x}" y="${y - 6}" width="16" height="4" fill="${COLOURS[i % COLOURS.length]!}"/><text x="${x + 24}" y="${y}" font-size="12" ${TEXT}>${name}: median ${median}</text>`;
}

function timeAxis(first: number, last: number, x: (bin: number) => number, bottom: number): string[] {
  const lines = [
    `<text x="${WIDTH - MARGIN.right}" y="${HEIGHT - 12}" text-anchor="end" font-size="12" ${TEXT}>time of one write, logarithmic</text>`,
  ];
  for (let bin = first; bin <= last; bin += BINS_PER_DECADE) {
    lines.push(
      `<line x1="${x(bin)}" x2="${x(bin)}" y1="${MARGIN.top}" y2="${bottom}" stroke="#e4e4e4"/>`,
      `<text x="${x(bin)}" y="${bottom + 18}" text-anchor="middle" font-size="12" ${TEXT}>${timeText(10 ** (bin / BINS_PER_DECADE))}</text>`,
    );
  }
  return lines;
}

function shareAxis(decades: number, y: (share: number) => number): string[] {
  const lines: string[] = [];
  for (let decade = 0; decade <= decades; decade++) {
    const at = y(10 ** -decade);
    lines.push(
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}" stroke="#e4e4e4"/>`,
      `<text x="${MARGIN.left - 8}" y="${at + 4}" text-anchor="end" font-size="12" ${TEXT}>${shareText(decade)}</text>`,
    );
  }
  return lines;
}

function stepLine(
  share: ReadonlyMap<number, number>,
  colour: string,
  first: number,
  last: number,
  x: (bin: number) => number,
  y: (share: number) => number,
): string {
  const points: string[] = [`M${x(first)} ${y(0)}`];
  for (let bin = first; bin < last; bin++)
    points.push(`V${y(share.get(bin) ?? 0).toFixed(1)}`, `H${x(bin + 1).toFixed(1)}`);
  points.push(`V${y(0)}`);
  return `<path d="${points.join('')}" fill="${colour}" fill-opacity="0.10" stroke="${colour}" stroke-width="1.8"/>`;
}

function shareText(decade: number): string {
  return `${Number((100 * 10 ** -decade).toPrecision(1))} %`;
}

function timeText(nanos: number): string {
  if (nanos < 1e3) return `${Math.round(nanos)} ns`;
  if (nanos < 1e6) return `${Number((nanos / 1e3).toPrecision(2))} µs`;
  return nanos < 1e9
    ? `${Number((nanos / 1e6).toPrecision(2))} ms`
    : `${Number((nanos / 1e9).toPrecision(2))} s`;
}
