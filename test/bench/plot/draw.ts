import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Curve, Point } from '../figure.ts';
import { FOLDER, type Result } from '../record.ts';
import { plots, type Wanted } from './plots.ts';
import { words } from './scale.ts';
import { drawSvg, type Line } from './svg.ts';
import { buildbotTable, storesTable, table } from './tables.ts';

type CurveResult = Result & Curve;
const PAGE = `${FOLDER}.md`;
const STORES: Record<string, string> = { sqlite: 'bbx, SQLite', postgres: 'bbx, PostgreSQL' };

/**
 * Draws what was measured into `docs/performance/`, and puts picture and table into `docs/performance.md` between `<!-- drawn: NAME -->` and
 * `<!-- end -->`. What was not measured is left out.
 */
export async function drawRecord(results: readonly Result[]): Promise<void> {
  let page = await readFile(PAGE, 'utf8');
  for (const wanted of plots) {
    const found = wanted.curves.flatMap(({ curve, as }) =>
      results
        .filter((result): result is CurveResult => 'curve' in result && result.curve === curve)
        .map((result) => ({ result, as })),
    );
    const [first] = found;
    if (first === undefined) continue;
    const stores = new Set(found.map(({ result }) => result.store));
    const all = found.flatMap(({ result, as }): Line[] => {
      const store = STORES[result.store] ?? result.store;
      const name = as === undefined ? store : stores.size > 1 ? `${as} (${store})` : as;
      return [{ name, points: result.points }, ...yardstickLine(result)];
    });
    // Curves of one run share a yardstick.
    const lines = unique(all);
    const { x, y } = first.result;
    const levels = [...(wanted.levels ?? []), ...found.flatMap(({ result }) => yardstickLevel(result))];
    await writeFile(
      join(FOLDER, `${wanted.name}.svg`),
      drawSvg({ title: wanted.title, x, y, lines, levels: unique(levels) }),
    );
    page = put(page, wanted.name, [
      image(wanted),
      tableOf(x, y, lines),
      conditions(found.map(({ result }) => result)),
    ]);
  }
  for (const [name, found] of Object.entries({
    buildbot: buildbotTable(results),
    stores: storesTable(results),
  }))
    if (found !== undefined) page = put(page, name, [found.text, conditions(found.of)]);
  await writeFile(PAGE, page);
}

function put(page: string, name: string, parts: readonly string[]): string {
  const place = new RegExp(`(<!-- drawn: ${name} -->\\n)[^]*?(<!-- end -->)`);
  return page.replace(
    place,
    (_, begin: string, end: string) => begin + ['', ...parts, end].join('\n\n').slice(1),
  );
}

function yardstickLine({ yardstick }: Curve): Line[] {
  return yardstick !== undefined && 'points' in yardstick ? [{ ...yardstick, yardstick: true }] : [];
}

function yardstickLevel({ yardstick }: Curve) {
  return yardstick !== undefined && 'level' in yardstick ? [yardstick] : [];
}

function unique<Named extends { name: string }>(all: readonly Named[]): Named[] {
  return [...new Map([...all].reverse().map((one) => [one.name, one])).values()].reverse();
}

const image = ({ name, title }: Wanted) => `![${title}](performance/${name}.svg)`;

function tableOf(x: Curve['x'], y: Curve['y'], lines: readonly Line[]): string {
  const amounts = [...new Set(lines.flatMap(({ points }) => points.map((point) => point.x)))].sort(
    (a, b) => a - b,
  );
  const unit = x.name.includes(x.unit) ? x.name : `${x.name}, ${x.unit}`;
  const head = [unit, ...lines.map(({ name }) => `${name}, ${y.unit}`)];
  const rows = amounts.map((amount) => [
    words(amount),
    ...lines.map(({ points }) => cell(points.find((point) => point.x === amount))),
  ]);
  return table(head, rows);
}

function cell(point: Omit<Point, 'runs'> | undefined): string {
  if (point === undefined) return '';
  const { median, min, max } = point;
  return min === max ? words(median) : `${words(median)} (${words(min)}–${words(max)})`;
}

/** When it was measured and how busy the machine was. */
function conditions(found: readonly Result[]): string {
  const loads = found.flatMap(({ load }) => load);
  const [least, most] = [Math.min(...loads), Math.max(...loads)].map((load) => load.toFixed(0));
  const days = new Set(found.map(({ at }) => new Date(at * 1000).toISOString().slice(0, 10)));
  const { machine, node } = found[0]!;
  const load = least === most ? least : `${least} to ${most}`;
  return `${[...days].join(', ')}; ${machine.cpus} processors, ${machine.memoryGb} GB, Node ${node.slice(1)}; load average ${load}.`;
}
