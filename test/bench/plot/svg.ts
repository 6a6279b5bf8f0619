import { linearScale, logScale, words, type Scale } from './scale.ts';

export interface Line {
  name: string;
  points: readonly { x: number; median: number; min: number; max: number }[];
  /** Drawn with dashes: it is there to compare with. */
  yardstick?: boolean;
}

export interface Plot {
  title: string;
  x: { name: string; unit: string };
  y: { name: string; unit: string };
  lines: readonly Line[];
  /** Straight lines across: limits, or a yardstick that was measured once. */
  levels: readonly { name: string; level: number }[];
}

const WIDTH = 680;
const HEIGHT = 360;
const BOX = { left: 64, right: 656, top: 60, bottom: 300 };
/** The least room between two words on the lower axis. */
const TICK_ROOM = 44;
const CHARACTER = 6.6;
/** Told apart by people who see fewer colours too; the second of each is for a dark page. */
const COLOURS = [
  ['#0b62c4', '#6cb2ff'],
  ['#b3500a', '#ffad66'],
  ['#15803d', '#5fd38d'],
  ['#7c3aed', '#c4a7ff'],
];

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.page { fill: #ffffff }
.grid { stroke: #d8dee4 }
.level { stroke: #6e7781; stroke-dasharray: 2 4 }
.line { fill: none; stroke-width: 2 }
.dashed { stroke-dasharray: 6 4 }
${COLOURS.map(([light], index) => `.s${index} { stroke: ${light} } .f${index} { fill: ${light} }`).join('\n')}
@media (prefers-color-scheme: dark) {
text { fill: #d7dde3 }
.page { fill: #0d1117 }
.grid { stroke: #30363d }
.level { stroke: #9aa4ae }
${COLOURS.map(([, dark], index) => `.s${index} { stroke: ${dark} } .f${index} { fill: ${dark} }`).join('\n')}
}`;

/** One picture with its axes, their units, a line for each series with the spread of its runs, and a legend. */
export function drawSvg({ title, x, y, lines, levels }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const most = Math.max(...points.map(({ max }) => max), ...levels.map(({ level }) => level));
  const across = logScale(
    points.map((point) => point.x),
    BOX.left,
    BOX.right,
  );
  const up = linearScale(most, BOX.bottom, BOX.top);
  const parts = [
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(BOX.left, 22, title, 'title'),
    ...up.ticks.flatMap((value) => [
      `<path class="grid" d="M${BOX.left} ${at(up.at(value))}H${BOX.right}"/>`,
      text(BOX.left - 8, up.at(value) + 4, words(value), '', 'end'),
    ]),
    ...spaced(across).map((value) =>
      text(across.at(value), BOX.bottom + 18, words(value), '', sideOf(value, across.ticks)),
    ),
    text(BOX.left, 44, `${y.name}, ${y.unit}`),
    text(BOX.right, BOX.bottom + 36, x.name.includes(x.unit) ? x.name : `${x.name}, ${x.unit}`, '', 'end'),
    ...levels.flatMap(({ name, level }) => [
      `<path class="level" d="M${BOX.left} ${at(up.at(level))}H${BOX.right}"/>`,
      text(BOX.right, up.at(level) - 5, name, '', 'end'),
    ]),
    ...lines.flatMap((line, index) => drawLine(line, index % COLOURS.length, across, up)),
    ...legend(lines),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
${parts.join('\n')}
</svg>
`;
}

function drawLine(line: Line, colour: number, across: Scale, up: Scale): string[] {
  const dashed = line.yardstick === true ? ' dashed' : '';
  const path = line.points.map(({ x, median }) => `${at(across.at(x))} ${at(up.at(median))}`).join('L');
  return [
    `<path class="line s${colour}${dashed}" d="M${path}"/>`,
    ...line.points.flatMap(({ x, median, min, max }) => [
      `<path class="line s${colour}" d="M${at(across.at(x))} ${at(up.at(min))}V${at(up.at(max))}"/>`,
      `<circle class="f${colour}" cx="${at(across.at(x))}" cy="${at(up.at(median))}" r="3.5"/>`,
    ]),
  ];
}

function legend(lines: readonly Line[]): string[] {
  let left = BOX.left;
  return lines.flatMap(({ name, yardstick }, index) => {
    const from = left;
    left += 28 + 20 + name.length * CHARACTER;
    const style = `line s${index % COLOURS.length}${yardstick === true ? ' dashed' : ''}`;
    return [`<path class="${style}" d="M${at(from)} ${HEIGHT - 12}h22"/>`, text(from + 28, HEIGHT - 8, name)];
  });
}

/** Those ticks that have room, the largest first. */
function spaced({ at, ticks }: Scale): number[] {
  const kept: number[] = [];
  for (const value of [...ticks].reverse()) {
    const last = kept[0];
    if (last === undefined || at(last) - at(value) >= TICK_ROOM) kept.unshift(value);
  }
  return kept;
}

/** The outermost words stay inside of the picture. */
function sideOf(value: number, ticks: readonly number[]): string {
  if (value === ticks[0]) return 'start';
  return value === ticks.at(-1) ? 'end' : 'middle';
}

function text(x: number, y: number, words: string, kind = '', anchor = 'start'): string {
  const style = kind === '' ? '' : ` class="${kind}"`;
  return `<text${style} x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

const at = (value: number) => Number(value.toFixed(1));

function escaped(words: string): string {
  // Code marks are for the page.
  return words.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
