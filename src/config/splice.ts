import {
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  stringify,
  type Document,
  type Node,
} from 'yaml';
import { nodeAt } from './document.ts';
import type { KeyPath } from './key-path.ts';

/** A piece of a text and what takes its place. Only a proposal: who makes it reads the result again. */
export interface Splice {
  from: number;
  to: number;
  text: string;
}

/** A one-line scalar in the place of another. */
export function replaceScalar(
  text: string,
  yaml: Document.Parsed,
  path: KeyPath,
  value: unknown,
): Splice | undefined {
  const node = nodeAt(yaml, path);
  if (!isScalar(node) || node.range == null || typeof value === 'object') return undefined;
  const [from, to] = node.range;
  if (from === to || text.slice(from, to).includes('\n')) return undefined;
  // As a flow list's only entry the text comes out with the quotes that flow and block style need.
  const written = flow([value]).slice(1, -1);
  return written.includes('\n') ? undefined : { from, to, text: written };
}

/** Lines for a new key at the end of the deepest block mapping that is there already. */
export function insertLines(
  text: string,
  yaml: Document.Parsed,
  path: KeyPath,
  value: unknown,
): Splice | undefined {
  for (let depth = path.length - 1; depth >= 0; depth -= 1) {
    const parent = nodeAt(yaml, path.slice(0, depth));
    if (parent === undefined) continue;
    const [key, ...rest] = path.slice(depth);
    if (!isMap(parent) || parent.flow === true || parent.items.length === 0 || key === undefined)
      return undefined;
    if (parent.has(String(key))) return undefined;
    const first = startOf(parent.items[0]);
    if (first === undefined) return undefined;
    const indent = first - lineStart(text, first);
    const nested = rest.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
    const lines = stringify({ [key]: nested }, { lineWidth: 0 })
      .trimEnd()
      .split('\n');
    const block = lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line)).join('\n');
    const at = depth === 0 ? text.length : lineEnd(text, lastOf(parent));
    const before = at > 0 && text[at - 1] !== '\n' ? '\n' : '';
    const gap = depth === 0 && at > 0 && !text.endsWith('\n\n') ? '\n' : '';
    return { from: at, to: at, text: `${before}${gap}${block}${depth === 0 || before === '' ? '\n' : ''}` };
  }
  return undefined;
}

/** The lines of a key of a block mapping, taken out; an emptied mapping becomes `{}`. */
export function removeLines(text: string, yaml: Document.Parsed, path: KeyPath): Splice | undefined {
  const lines = linesOf(text, yaml, path);
  if (lines === undefined) return undefined;
  const { from, to, alone } = lines;
  if (!alone || path.length === 1) return { from, to, text: '' };
  return from === 0 ? undefined : { from: from - 1, to, text: ' {}\n' };
}

/** The lines of a key that is there, with another value. */
export function replaceLines(
  text: string,
  yaml: Document.Parsed,
  path: KeyPath,
  value: unknown,
): Splice | undefined {
  const lines = linesOf(text, yaml, path);
  const key = path.at(-1);
  if (lines === undefined || key === undefined) return undefined;
  return { from: lines.from, to: lines.to, text: `${blockOf(key, value, lines.indent)}\n` };
}

/** The outermost one-line flow collection on the path (`{ a: 1 }`), or an empty value ("builders:"), written anew. */
export function replaceFlow(
  text: string,
  yaml: Document.Parsed,
  path: KeyPath,
  wanted: Document.Parsed,
): Splice | undefined {
  for (let depth = 1; depth <= path.length; depth += 1) {
    const above = path.slice(0, depth);
    const node = nodeAt(yaml, above);
    if (!isNode(node) || node.range == null) continue;
    const [from, to] = node.range;
    const old = text.slice(from, to);
    const isFlow = isCollection(node) && node.flow === true && !/[\n#]/.test(old);
    const isNothing = isScalar(node) && node.value === null && old.trim() === '';
    if (!isFlow && !isNothing) continue;
    const fresh = nodeAt(wanted, above);
    const written = flow(fresh?.toJS(wanted) as unknown);
    if (written.includes('\n')) return undefined;
    return { from, to, text: isNothing && !/\s/.test(text[from - 1] ?? ' ') ? ` ${written}` : written };
  }
  return undefined;
}

/** One line of flow style, the way people write it: `{ a: [1, 2] }`. */
function flow(value: unknown): string {
  const written = stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trimEnd();
  // Padding is for braces only; a quoted text that looks so would be read again and refused.
  return written.replaceAll(/\[ (?=\S)/g, '[').replaceAll(/(?<=\S) \]/g, ']');
}

/** The whole lines of a key of a block mapping; undefined where something else stands in them too. */
function linesOf(text: string, yaml: Document.Parsed, path: KeyPath) {
  const parent = nodeAt(yaml, path.slice(0, -1));
  if (!isMap(parent) || parent.flow === true) return undefined;
  const pair = parent.items.find(
    ({ key }) => String(isScalar(key) ? key.value : key) === String(path.at(-1)),
  );
  const start = startOf(pair);
  if (pair === undefined || start === undefined) return undefined;
  const from = lineStart(text, start);
  // Such as "- name: x": the printer knows better.
  if (text.slice(from, start).trim() !== '') return undefined;
  const to = Math.min(text.length, lineEnd(text, lastOf(pair)) + 1);
  return { from, to, indent: start - from, alone: parent.items.length === 1 };
}

function blockOf(key: string | number, value: unknown, indent: number): string {
  const lines = stringify({ [key]: value }, { lineWidth: 0 })
    .trimEnd()
    .split('\n');
  return lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line)).join('\n');
}

function startOf(pair: unknown): number | undefined {
  const key = isPair(pair) ? pair.key : undefined;
  return isNode(key) ? key.range?.[0] : undefined;
}

/** Where the last character of a node's or pair's content stands; what a block leaves behind it (comments) is not content. */
function lastOf(thing: unknown): number {
  if (isPair(thing)) {
    const value = lastOf(thing.value);
    return value > 0 ? value : lastOf(thing.key);
  }
  if ((isMap(thing) || isSeq(thing)) && thing.flow !== true && thing.items.length > 0)
    return lastOf(thing.items.at(-1));
  const range = (thing as Node | null | undefined)?.range;
  return range == null ? 0 : Math.max(range[0], range[1] - 1);
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

function lineEnd(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline === -1 ? text.length : newline;
}
