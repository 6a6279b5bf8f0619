import type { Figure } from '../figure.ts';
import type { Result } from '../record.ts';
import { words } from './scale.ts';

type FigureResult = Result & Figure;

const figuresOf = (results: readonly Result[]) =>
  results.filter((result): result is FigureResult => !('curve' in result));

/** Everything that was measured beside stock Buildbot; undefined when nothing was. */
export function buildbotTable(results: readonly Result[]): Table | undefined {
  const found = figuresOf(results).filter(({ yardstick }) => yardstick.name.startsWith('Buildbot '));
  const [first] = found;
  if (first === undefined) return undefined;
  const rows = found.map((figure) => [figure.name, cell(figure), cell(figure, figure.yardstick)]);
  return { text: table(['', 'bbx', first.yardstick.name], rows), of: found };
}

/** Figures that were measured with more than one store; undefined when none was. */
export function storesTable(results: readonly Result[]): Table | undefined {
  const all = figuresOf(results).map((figure) => ({
    figure,
    // The store's own name may stand in a figure's.
    name: figure.name.replace(/^(SQLite|PostgreSQL): /, ''),
  }));
  const pairs = all.flatMap(({ figure, name }) => {
    if (figure.store !== 'sqlite') return [];
    const other = all.find(
      (it) =>
        it.figure.store === 'postgres' &&
        it.name === name &&
        it.figure.yardstick.name === figure.yardstick.name,
    )?.figure;
    return other === undefined ? [] : [{ name, figure, other }];
  });
  // A figure with two yardsticks stands beside its first.
  const unique = pairs.filter(({ name }, at) => pairs.findIndex((pair) => pair.name === name) === at);
  if (unique.length === 0) return undefined;
  const rows = unique.map(({ name, figure, other }) => [name, beside(figure), beside(other)]);
  return {
    text: table(['', 'SQLite (yardstick)', 'PostgreSQL (yardstick)'], rows),
    of: unique.flatMap(({ figure, other }) => [figure, other]),
  };
}

export interface Table {
  text: string;
  of: readonly Result[];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

function cell(figure: Figure, of: { median: number; min: number; max: number } = figure): string {
  const { median, min, max } = of;
  const around = min === max ? '' : ` (${words(min)}–${words(max)})`;
  return `${words(median)} ${figure.unit}${around}`;
}

function beside(figure: Figure): string {
  return `${cell(figure)}; ${words(figure.yardstick.median)}`;
}
