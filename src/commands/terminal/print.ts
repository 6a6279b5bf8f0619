import { Chalk, type ChalkInstance } from 'chalk';
import { stripVTControlCharacters } from 'node:util';
import { wrap } from '../../base/lines.ts';
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
  const widths = fitting(
    columns.map((_, index) => Math.max(...all.map((row) => width(row[index] ?? '')))),
    widthOf(context),
  );
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

/** Widths that fit together: the widest column gives way first. */
function fitting(wanted: readonly number[], room: number): number[] {
  const widths = [...wanted];
  for (;;) {
    const over = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - room;
    const widest = widths.indexOf(Math.max(...widths));
    const now = widths[widest] ?? 0;
    if (over <= 0 || now <= NARROWEST) return widths;
    // Down to the next widest, so that two long columns share what there is.
    const next = Math.max(NARROWEST, ...widths.filter((one) => one < now));
    const alike = widths.filter((one) => one === now).length;
    widths[widest] = Math.max(now - over, alike > 1 ? now - 1 : next, NARROWEST);
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
  if (width(text) <= room || width(text) !== text.length) return [text];
  return wrap(text, room);
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

function width(text: string): number {
  return stripVTControlCharacters(text).length;
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
