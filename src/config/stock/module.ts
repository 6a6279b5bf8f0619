import { readExpression, whyNot, type Scope } from './expressions.ts';
import { MOST_ITEMS } from './joining.ts';
import type { PythonSource, SourceTrouble } from './source.ts';
import { scan, type LogicalLine, type Scanned, type Token } from './tokens.ts';
import { alternatives, oneOf, type PyCall, type PyDict, type PyValue } from './values.ts';

/** What a Python file says at its outermost level, without running it. */
export interface PyModule {
  readonly source: PythonSource;
  readonly names: ReadonlyMap<string, PyValue>;
  /** Every call with what it was given, also in places that are otherwise unknown. */
  readonly calls: readonly PyCall[];
  /** What may be secret in the file: its comments, and its texts but for keys. */
  readonly covered: readonly Covered[];
  readonly trouble: SourceTrouble | undefined;
}

/** Bytes of the file, from the first to behind the last. */
export interface Covered {
  readonly from: number;
  readonly to: number;
}

/** After these a block of lines is run under a condition, or again and again. */
const CONDITIONAL = /^(if|elif|else|for|while|try|except|finally|with|match|case|async)$/;
/** After these it is run when somebody calls it. */
const LATER = /^(def|class)$/;
/** More possibilities than a person could mean. */
const MOST_ALTERNATIVES = 20;
/** More keys behind one another than a configuration has. */
const MOST_KEYS_TOKENS = 100;
const UPDATES = new Set(['append', 'extend', 'insert', 'update', 'setdefault']);

/** Reads a whole file; whatever is no literal is unknown. Never throws, and takes time in proportion to the file's length. */
export function readModule(source: PythonSource): PyModule {
  const scanned = scan(source.text);
  const names = new Map<string, PyValue>();
  const calls: PyCall[] = [];
  const scope: Scope = { source, pairs: scanned.pairs, names, calls };
  const module = {
    source,
    names,
    calls,
    covered: coveredOf(source.text, scanned),
    trouble: source.trouble ?? scanned.trouble,
  };
  // Of a text that Python refuses as a whole, nothing holds.
  if (source.trouble !== undefined) return module;
  const blocks: { indent: number; later: boolean }[] = [];
  for (const line of scanned.lines) {
    while (blocks.length > 0 && line.indent <= (blocks.at(-1)?.indent ?? 0)) blocks.pop();
    const later = blocks.some((block) => block.later);
    const [first] = line.tokens;
    const word = first === undefined ? '' : source.text.slice(first.from, first.to);
    const heading = LATER.test(word) || word === '@' || CONDITIONAL.test(word);
    if (heading && opensBlock(source.text, line)) {
      blocks.push({ indent: line.indent, later: LATER.test(word) });
      const body = bodyOf(source.text, scanned.pairs, line);
      if (body.length > 0) runLine(scope, names, body, true, later || LATER.test(word));
    } else if (!/^(import|from|return|pass|del|global|raise|assert|break|continue|@)$/.test(word))
      runLine(scope, names, line.tokens, blocks.length > 0, later);
  }
  return module;
}

/** A text before `:` or `]` is a key. */
function coveredOf(text: string, { lines, comments }: Scanned): Covered[] {
  const texts = lines.flatMap(({ tokens }) =>
    tokens.filter(({ kind, to }) => kind === 'string' && !/^[ \t]*[\]:]/.test(text.slice(to, to + 8))),
  );
  return [...texts, ...comments].map(({ from, to }) => ({ from, to })).sort((a, b) => a.from - b.from);
}

function opensBlock(text: string, { tokens }: LogicalLine): boolean {
  return tokens.some((token) => token.kind === 'op' && text[token.from] === ':');
}

/** What stands behind a heading's colon on the same line. */
function bodyOf(text: string, pairs: ReadonlyMap<number, number>, { tokens }: LogicalLine): readonly Token[] {
  let closed = -1;
  const colon = tokens.findIndex((token) => {
    closed = Math.max(closed, pairs.get(token.from) ?? -1);
    return token.kind === 'op' && token.from > closed && text.slice(token.from, token.to) === ':';
  });
  return colon === -1 ? [] : tokens.slice(colon + 1);
}

function runLine(
  scope: Scope,
  names: Map<string, PyValue>,
  tokens: readonly Token[],
  perhaps: boolean,
  later: boolean,
): void {
  const { parts, operator } = splitAtEquals(scope, tokens);
  const last = parts.at(-1) ?? [];
  const value = readExpression(scope, last);
  // What a function does when it is called is not known; its calls are noted all the same.
  if (later) return;
  if (parts.length === 1) return update(scope, names, last, perhaps);
  for (const target of parts.slice(0, -1)) {
    if (operator === '=') assign(scope, names, target, value, perhaps);
    else if (operator === '+=') extend(place(scope, names, target), value, perhaps);
    else assign(scope, names, target, unknown(scope, tokens), perhaps);
  }
}

/** `a = b = value`, `a += value`, `a: int = value`. */
function splitAtEquals(scope: Scope, tokens: readonly Token[]) {
  const parts: Token[][] = [[]];
  let closed = -1;
  let operator = '=';
  for (const token of tokens) {
    const word = scope.source.text.slice(token.from, token.to);
    if (token.from > closed) {
      closed = scope.pairs.get(token.from) ?? closed;
      if (token.kind === 'op' && /^([+\-*/%@&|^]|\*\*|\/\/|>>|<<)?=$/.test(word)) {
        operator = word;
        parts.push([]);
        continue;
      }
    }
    parts.at(-1)?.push(token);
  }
  const [target] = parts;
  const annotated = target?.findIndex((token) => scope.source.text[token.from] === ':') ?? -1;
  if (parts.length > 1 && annotated === 1) parts[0] = target?.slice(0, 1) ?? [];
  return { parts, operator };
}

/** A place that can be assigned to, by its name and keys; undefined for attributes and whatever else cannot be followed. */
interface Target {
  get(): PyValue | undefined;
  set(value: PyValue): void;
}

function place(scope: Scope, names: Map<string, PyValue>, tokens: readonly Token[]): Target | undefined {
  const [first, ...rest] = tokens;
  if (first?.kind !== 'name' || tokens.length > MOST_KEYS_TOKENS) return undefined;
  const name = scope.source.text.slice(first.from, first.to);
  if (rest.length === 0) return { get: () => names.get(name), set: (value) => names.set(name, value) };
  const last = rest.at(-1);
  if (last === undefined || scope.source.text[last.from] !== ']') return undefined;
  const opening = rest.findIndex((token) => scope.pairs.get(token.from) === last.from);
  if (opening === -1) return undefined;
  const key = readExpression({ ...scope, calls: [] }, rest.slice(opening + 1, -1));
  const owner = place(scope, names, tokens.slice(0, opening + 1));
  if (owner === undefined) return undefined;
  const dicts = (): PyDict[] => {
    const found = alternatives(owner.get()).filter((one) => one.kind === 'dict');
    if (found.length > 0) return found;
    // What it was made of is not known, but from here on this key is.
    const made: PyDict = { kind: 'dict', entries: new Map(), open: true, from: first.from, to: last.to };
    owner.set(made);
    return [made];
  };
  const word = key.kind === 'string' || key.kind === 'number' ? key.value : undefined;
  return {
    get: () =>
      word === undefined
        ? undefined
        : oneOf(
            dicts().flatMap((dict) => alternatives(dict.entries.get(word))),
            false,
          ),
    set: (value) => {
      for (const dict of dicts())
        if (word === undefined) dict.open = true;
        else dict.entries.set(word, value);
    },
  };
}

function assign(
  scope: Scope,
  names: Map<string, PyValue>,
  tokens: readonly Token[],
  value: PyValue,
  perhaps: boolean,
): void {
  const target = place(scope, names, tokens);
  if (target === undefined) {
    for (const token of tokens) {
      // `a, b = …`, `a.b = …`: what these names hold is no longer known.
      const name = token.kind === 'name' ? scope.source.text.slice(token.from, token.to) : undefined;
      if (name !== undefined && names.has(name)) names.set(name, unknown(scope, tokens));
    }
    return;
  }
  if (!perhaps) return target.set(value);
  const before = target.get();
  const all = [...alternatives(before), ...alternatives(value)];
  if (all.length > MOST_ALTERNATIVES) return target.set(unknown(scope, tokens));
  const both = oneOf(all, before === undefined);
  if (both !== undefined) target.set(both);
}

/** `x.append(…)`, `x.update(…)` and the like, where x is a list or a dict that is known. */
function update(scope: Scope, names: Map<string, PyValue>, tokens: readonly Token[], perhaps: boolean): void {
  const closing = tokens.at(-1)?.from;
  const dot = tokens.findIndex((token) => scope.pairs.get(token.from) === closing) - 2;
  const method = tokens[dot + 1];
  if (closing === undefined || dot < 1 || method?.kind !== 'name') return;
  const word = scope.source.text.slice(method.from, method.to);
  if (!UPDATES.has(word) || scope.source.text[tokens[dot]?.from ?? -1] !== '.') return;
  const target = place(scope, names, tokens.slice(0, dot));
  const given = readExpression({ ...scope, calls: [] }, tokens.slice(dot + 3, -1));
  for (const one of alternatives(target?.get())) {
    if (one.kind === 'list' && word === 'append') one.items.push(given);
    else if (one.kind === 'list' && word === 'extend') extend(target, given, perhaps);
    else if (one.kind === 'dict' && word === 'update' && given.kind === 'dict' && !perhaps)
      for (const [key, value] of given.entries) one.entries.set(key, value);
    else if (one.kind === 'dict' || one.kind === 'list') one.open = true;
    if (perhaps && (one.kind === 'list' || one.kind === 'dict')) one.open = true;
  }
}

function extend(target: Target | undefined, value: PyValue, perhaps: boolean): void {
  for (const one of alternatives(target?.get())) {
    if (one.kind === 'list' && value.kind === 'list') {
      const added = value.items.slice(0, Math.max(0, MOST_ITEMS - one.items.length));
      one.open ||= value.open || perhaps || added.length < value.items.length;
      for (const item of added) one.items.push(item);
    } else if (one.kind === 'list') one.open = true;
    else
      target?.set({
        kind: 'unknown',
        why: 'it is put together in several lines',
        from: value.from,
        to: value.to,
      });
  }
}

function unknown(scope: Scope, tokens: readonly Token[]): PyValue {
  const from = tokens[0]?.from ?? 0;
  return { kind: 'unknown', why: whyNot(scope, tokens), from, to: tokens.at(-1)?.to ?? from };
}
