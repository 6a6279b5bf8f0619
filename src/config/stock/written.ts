import type { PyModule } from './module.ts';
import { lineAround, placeOf } from './source.ts';
import { alternatives, type PyValue } from './values.ts';

/** A value of a file with its place, as people and an edit need it. */
export interface Written {
  /** As Buildbot would get it. */
  readonly value: string | number | boolean | null;
  readonly line: number;
  readonly column: number;
  /** The line as it stands, texts that may be secret covered, and marks under the value. */
  readonly excerpt: readonly string[];
  /** The literal's bytes in the file, where the value is one literal that can be written anew. */
  readonly literal: { readonly at: number; readonly was: string } | null;
  /** Escapes that Python keeps as they are and complains of. */
  readonly odd: readonly string[];
}

/** Something that is known only when Buildbot runs. */
export interface Unwritten {
  readonly why: string;
  readonly line: number;
  readonly column: number;
}

/** What a place of the configuration may hold: each possibility, and what of it is not known. */
export interface Setting {
  readonly written: readonly Written[];
  readonly unknown: readonly Unwritten[];
  /** Set under no condition, to one thing. */
  readonly sure: boolean;
}

/** Longest piece of a line that is shown. */
const SHOWN = 100;

export const UNSET: Setting = { written: [], unknown: [], sure: false };

/** A value with its places; `UNSET` where there is none. */
export function settingOf(module: PyModule, value: PyValue | undefined): Setting {
  if (value === undefined) return UNSET;
  const written: Written[] = [];
  const unknown: Unwritten[] = [];
  for (const one of alternatives(value)) {
    const plain = plainOf(one);
    if (plain !== undefined) written.push(writtenAs(module, one, plain));
    else unknown.push({ ...placeOf(module.source, one.from), why: whyUnknown(one) });
  }
  return { written, unknown, sure: written.length === 1 && unknown.length === 0 && value.kind !== 'either' };
}

/** The one value of a setting that is sure. */
export function sureValue(setting: Setting): Written['value'] | undefined {
  return setting.sure ? setting.written[0]?.value : undefined;
}

/** True for what Python takes for true: `create-worker` writes `use_tls = 1`. */
export function isTrue(setting: Setting): boolean {
  const value = sureValue(setting);
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}

function plainOf(value: PyValue): Written['value'] | undefined {
  return value.kind === 'string' || value.kind === 'number' || value.kind === 'constant'
    ? value.value
    : undefined;
}

function whyUnknown(value: PyValue): string {
  if (value.kind === 'unknown') return value.why;
  if (value.kind === 'call') return `${value.callee}(…) is known only when Buildbot runs`;
  return value.kind === 'dict' ? 'a dict stands there' : 'a list stands there';
}

function writtenAs(module: PyModule, value: PyValue, plain: Written['value']): Written {
  const { source } = module;
  const bytes = source.text.slice(value.from, value.to);
  const single =
    (value.kind === 'string' && value.literals === 1 && !value.bytes) ||
    (value.kind === 'number' && /^\d+$/.test(bytes)) ||
    value.kind === 'constant';
  return {
    value: plain,
    ...placeOf(source, value.from),
    excerpt: excerptOf(module, value.from, value.to),
    // An edit is compared with the file as UTF-8, so that bytes beyond ASCII in another encoding are left to people.
    literal: single && /^[\x20-\x7e]*$/.test(bytes) ? { at: value.from, was: bytes } : null,
    odd: value.kind === 'string' ? value.odd.map(({ text }) => text) : [],
  };
}

/** `12 | c['protocols'] = …` and marks below. Of other texts on the line only keys are shown: a password may stand beside an address. */
export function excerptOf(module: PyModule, from: number, to: number): string[] {
  const { text } = module.source;
  const line = lineAround(text, from);
  let shown = text.slice(line.from, line.to);
  for (const covered of module.covered) {
    if (covered.to <= line.from || covered.from >= line.to) continue;
    if (covered.from >= from && covered.to <= to) continue;
    const start = Math.max(covered.from, line.from) - line.from;
    const end = Math.min(covered.to, line.to) - line.from;
    const isComment = text[covered.from] === '#';
    shown = shown.slice(0, start) + (isComment ? ' ' : '*').repeat(end - start) + shown.slice(end);
  }
  const before = module.source.decode(shown.slice(0, from - line.from));
  const marked = module.source.decode(shown.slice(from - line.from, Math.min(to, line.to) - line.from));
  const after = module.source.decode(shown.slice(Math.min(to, line.to) - line.from));
  const cut = Math.max(0, before.length - SHOWN / 2);
  const margin = String(placeOf(module.source, from).line);
  const words = clean(`${before.slice(cut)}${marked}${after}`).slice(0, SHOWN);
  const marks = '^'.repeat(Math.max(1, Math.min(marked.length, SHOWN - (before.length - cut))));
  return [
    `${margin} | ${words.trimEnd()}`,
    `${' '.repeat(margin.length)} | ${' '.repeat(before.length - cut)}${marks}`,
  ];
}

function clean(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(/:\/\/[^/@\s]*@/g, '://***@');
}
