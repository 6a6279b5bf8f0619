import { Chalk, type ChalkInstance } from 'chalk';
import { stripVTControlCharacters } from 'node:util';
import { words, wrap } from '../../base/lines.ts';
import type { Context } from './context.ts';
import { printable } from './printable.ts';

/** One column of a table: a heading and what stands under it. */
export interface Column<Item> {
  heading: string;
  value: (item: Item, style: Style) => string;
}

/** How things look here: colours that are none without a terminal, and times as this reader wants them. */
export interface Style {
  readonly paint: ChalkInstance;
  /** A person reads it at a terminal: ids may be cut short. Elsewhere nothing is. */
  readonly short: boolean;
  /** `3 min ago` at a terminal, UTC ISO 8601 elsewhere; `-` for null. Takes epoch seconds. */
  readonly time: (epochSeconds: number | null) => string;
}

/** The style of this output; `now` is epoch seconds. */
export function styleOf(context: Context, now = Date.now() / 1000): Style {
  return {
    paint: new Chalk({ level: context.color ? 1 : 0 }),
    short: context.stdout.isTTY,
    time: (epochSeconds) => {
      if (epochSeconds === null) return '-';
      return context.stdout.isTTY
        ? relative(now - epochSeconds)
        : new Date(epochSeconds * 1000).toISOString();
    },
  };
}

/**
 * The command's answer: JSON when asked for, else what `words` makes of it (of a copy whose texts have no control characters: names and
 * messages come from peers). The only writer of stdout besides streams.
 */
export function answer<Value>(
  context: Context,
  value: Value,
  words: (style: Style, value: Value) => string,
): void {
  const text = context.json ? JSON.stringify(value, null, 2) : words(styleOf(context), printable(value));
  if (text !== '') context.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Progress, warnings, hints: for people, on stderr, never with `--json`. */
export function note(context: Context, text: string): void {
  if (!context.json) context.stderr.write(`${text}\n`);
}

/** A table: aligned with headings at a terminal, and as wide as that; tab-separated without headings and untruncated elsewhere. */
export function table<Item>(
  context: Context,
  columns: readonly Column<Item>[],
  items: readonly Item[],
): string {
  const style = styleOf(context);
  const rows = items.map((item) => columns.map((column) => column.value(item, style)));
  if (!context.stdout.isTTY) return rows.map((row) => row.map(oneLine).join('\t')).join('\n');
  const all = [columns.map((column) => style.paint.dim(column.heading)), ...rows];
  const widest = (of: (cell: string) => number) =>
    columns.map((_, index) => Math.max(...all.map((row) => of(row[index] ?? ''))));
  const wanted = widest(width);
  const widths = fitting(wanted, widest(unbreakable), widthOf(context)) ?? wanted;
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(cell))))
      .join(GAP)
      .trimEnd();
  return all.flatMap((row) => broken(row, widths).map(line)).join('\n');
}

const GAP = '  ';
/** A column is made no narrower than this: words under one another are no table. */
const NARROWEST = 16;

/** Columns of this terminal; one that does not say has no end. */
function widthOf({ stdout }: Context): number {
  return stdout.columns > 0 ? stdout.columns : Infinity;
}

/** Widths that fit together: the widest column gives way first, as far as its cells can be broken. undefined where that is not far enough. */
function fitting(
  wanted: readonly number[],
  unbreakable: readonly number[],
  room: number,
): number[] | undefined {
  const widths = [...wanted];
  const least = unbreakable.map((one) => Math.max(one, NARROWEST));
  for (;;) {
    const over = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - room;
    if (over <= 0) return widths;
    const giving = widths.map((one, index) => (one > (least[index] ?? 0) ? one : 0));
    const now = Math.max(...giving);
    if (now === 0) return undefined;
    const widest = giving.indexOf(now);
    // Down to the next widest, so that two long columns share what there is.
    const next = Math.max(...giving.filter((one) => one < now), 0);
    const alike = giving.filter((one) => one === now).length;
    widths[widest] = Math.max(now - over, alike > 1 ? now - 1 : next, least[widest] ?? 0);
  }
}

/** A row as lines: cells that are too wide are broken between words. */
function broken(row: readonly string[], widths: readonly number[]): string[][] {
  const cells = row.map((cell, index) => folded(cell, widths[index] ?? Infinity));
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, index) => cells.map((lines) => lines[index] ?? ''));
}

/** Lines of at most a width, where words allow it; a text with colours stays whole. */
function folded(text: string, room: number): string[] {
  return text
    .split('\n')
    .flatMap((line) => (width(line) <= room || isColoured(line) ? [line] : wrap(line, room)));
}

/** Columns of the longest piece of a text that is never broken. */
function unbreakable(text: string): number {
  return Math.max(
    ...text.split('\n').flatMap((line) => (isColoured(line) ? width(line) : words(line).map(width))),
  );
}

/** Named facts of one thing: aligned at a terminal, `name<tab>value` lines elsewhere. */
export function facts(context: Context, pairs: readonly (readonly [name: string, value: string])[]): string {
  const { paint } = styleOf(context);
  if (!context.stdout.isTTY) return pairs.map(([name, value]) => `${name}\t${oneLine(value)}`).join('\n');
  const widest = Math.max(0, ...pairs.map(([name]) => name.length));
  const room = Math.max(NARROWEST, widthOf(context) - widest - GAP.length);
  const under = `\n${' '.repeat(widest)}${GAP}`;
  return pairs
    .map(([name, value]) => `${paint.dim(name.padEnd(widest))}${GAP}${folded(value, room).join(under)}`)
    .join('\n');
}

/** Columns of a text's longest line. */
function width(text: string): number {
  return Math.max(...text.split('\n').map((line) => stripVTControlCharacters(line).length));
}

function isColoured(text: string): boolean {
  return stripVTControlCharacters(text).length !== text.length;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\t\r\n]+/g, ' ');
}

function relative(seconds: number): string {
  const away = Math.abs(seconds);
  const [amount, unit] =
    away < 60
      ? [away, 's']
      : away < 3_600
        ? [away / 60, 'min']
        : away < 86_400
          ? [away / 3_600, 'h']
          : [away / 86_400, 'd'];
  const text = `${Math.floor(amount)} ${unit}`;
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}
