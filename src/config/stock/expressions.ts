import { add, joined, MOST_PIECES } from './joining.ts';
import type { PythonSource } from './source.ts';
import { readString } from './string-literal.ts';
import type { Token } from './tokens.ts';
import { alternatives, oneOf, type PyCall, type PyString, type PyValue } from './values.ts';

/** What an expression is read with. */
export interface Scope {
  readonly source: PythonSource;
  readonly pairs: ReadonlyMap<number, number>;
  readonly names: ReadonlyMap<string, PyValue>;
  /** Every call that was met, wherever it stands. */
  readonly calls: PyCall[];
}

/** Deeper than people nest; what is inside is then unknown. */
const DEEPEST = 60;
/** Words that are looked at to tell a person what is not known. */
const SAID_WORDS = 20;
/** Not one literal that could be written anew in its place. */
const MANY = 2;
/** Words that join what no literal is: after one of them a value is known only when the file runs. */
const CLOSERS = new Set([')', ']', '}', ',', ':', '=']);

/** Reads a run of tokens as one expression; a tuple without brackets is a list. */
export function readExpression(scope: Scope, tokens: readonly Token[]): PyValue {
  const reader = createReader(scope, tokens);
  const first = reader.value(0);
  if (reader.peek() !== ',')
    return reader.done() ? first : reader.unknownFrom(first.from, whyNot(scope, tokens));
  const items = [first];
  while (reader.skip(',') && !reader.done()) items.push(reader.value(0));
  return { kind: 'list', items, open: !reader.done(), from: first.from, to: reader.end() };
}

/** The words of an expression, short, for a person who is told that it is not known. */
export function whyNot(scope: Scope, tokens: readonly Token[]): string {
  const [first] = tokens;
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) return 'nothing stands there';
  const words = tokens
    .slice(0, SAID_WORDS)
    .map((token) =>
      token.kind === 'string' ? '"…"' : scope.source.decode(scope.source.text.slice(token.from, token.to)),
    );
  const text = words.join('').slice(0, 40);
  return `${text}${words.join('').length > 40 ? '…' : ''} is known only when Buildbot runs`;
}

function createReader(scope: Scope, tokens: readonly Token[]) {
  const { source, pairs } = scope;
  let index = 0;
  const word = (token: Token | undefined) =>
    token === undefined ? undefined : source.text.slice(token.from, token.to);
  const peek = () => word(tokens[index]);
  const end = () => tokens[index - 1]?.to ?? tokens[0]?.from ?? 0;
  const skip = (text: string) => {
    if (peek() !== text || tokens[index]?.kind === 'string') return false;
    index += 1;
    return true;
  };
  /** Goes to what ends this expression; brackets on the way are jumped over. */
  const toCloser = () => {
    for (let token = tokens[index]; token !== undefined; token = tokens[index]) {
      const text = token.kind === 'string' ? '' : (word(token) ?? '');
      if (CLOSERS.has(text) && !(text === ':' && isLambda())) return;
      const close = pairs.get(token.from);
      index += 1;
      if (close !== undefined) while ((tokens[index - 1]?.from ?? close) < close) index += 1;
    }
  };
  const isLambda = () =>
    tokens.slice(Math.max(0, index - 8), index).some((token) => word(token) === 'lambda');
  const unknownFrom = (from: number, why?: string): PyValue => {
    let start = index;
    while (start > 0 && index - start < SAID_WORDS && (tokens[start - 1]?.from ?? 0) >= from) start -= 1;
    toCloser();
    return {
      kind: 'unknown',
      why: why ?? whyNot(scope, tokens.slice(start, Math.min(index, start + 2 * SAID_WORDS))),
      from,
      to: end(),
    };
  };

  function value(depth: number): PyValue {
    const from = tokens[index]?.from ?? end();
    if (depth > DEEPEST) return unknownFrom(from, 'it is nested too deeply');
    let left = primary(depth);
    while (skip('+')) {
      const joined = add(left, primary(depth));
      if (joined === undefined) return unknownFrom(from);
      left = joined;
    }
    const next = peek();
    return next === undefined || (CLOSERS.has(next) && tokens[index]?.kind === 'op')
      ? left
      : unknownFrom(from);
  }

  function primary(depth: number): PyValue {
    const token = tokens[index];
    const from = token?.from ?? end();
    if (token === undefined) return { kind: 'unknown', why: 'nothing stands there', from, to: from };
    if (token.kind === 'string') return strings();
    index += 1;
    if (token.kind === 'number') return numberOf(source.text, token);
    const text = word(token) ?? '';
    if (text === '-' && tokens[index]?.kind === 'number') {
      const number = numberOf(source.text, tokens[index++]!);
      return number.kind === 'number' ? { ...number, value: -number.value, from } : number;
    }
    if (text === '(' || text === '[' || text === '{') return bracket(text, from, depth);
    if (token.kind !== 'name') return unknownFrom(from);
    if (text === 'True' || text === 'False')
      return { kind: 'constant', value: text === 'True', from, to: token.to };
    if (text === 'None') return { kind: 'constant', value: null, from, to: token.to };
    return trailed(text, from, depth);
  }

  /** A name with what follows it: attributes, subscripts, one call. */
  function trailed(name: string, from: number, depth: number): PyValue {
    let path = name;
    let known: PyValue | undefined = scope.names.get(name);
    for (;;) {
      if (skip('.')) {
        path += `.${peek() ?? ''}`;
        index += 1;
        known = undefined;
      } else if (skip('(')) {
        const call = callOf(path, from, depth);
        scope.calls.push(call);
        const next = peek();
        return next === '.' || next === '(' || next === '[' ? unknownFrom(from) : plainCall(call);
      } else if (skip('[')) {
        const key = value(depth + 1);
        if (!skip(']')) return unknownFrom(from);
        const place = key.kind === 'string' || key.kind === 'number' ? key.value : undefined;
        known = place === undefined ? undefined : item(known, place);
        path += '[…]';
      } else break;
    }
    return known ?? { kind: 'unknown', why: `${path} is known only when Buildbot runs`, from, to: end() };
  }

  function callOf(callee: string, from: number, depth: number): PyCall {
    const positional: PyValue[] = [];
    const keywords = new Map<string, PyValue>();
    let open = false;
    while (!skip(')')) {
      const before = index;
      if (skip('*') || skip('**')) {
        open = true;
        value(depth + 1);
      } else if (tokens[index]?.kind === 'name' && word(tokens[index + 1]) === '=') {
        const name = peek() ?? '';
        index += 2;
        keywords.set(name, value(depth + 1));
      } else positional.push(value(depth + 1));
      if (!skip(',') && peek() !== ')') toCloser();
      if (index === before) break;
    }
    return { kind: 'call', callee, arguments: positional, keywords, open, from, to: end() };
  }

  function bracket(opening: string, from: number, depth: number): PyValue {
    const closing = opening === '(' ? ')' : opening === '[' ? ']' : '}';
    const items: PyValue[] = [];
    const entries = new Map<string | number, PyValue>();
    let isDict = opening === '{' && peek() === '}';
    let open = false;
    let commas = 0;
    while (!skip(closing)) {
      const before = index;
      if (skip('*') || skip('**')) {
        open = true;
        isDict ||= opening === '{' && word(tokens[index - 1]) === '**';
        value(depth + 1);
      } else {
        const first = value(depth + 1);
        if (opening === '{' && skip(':')) {
          isDict = true;
          const second = value(depth + 1);
          if (first.kind === 'string' || first.kind === 'number') entries.set(first.value, second);
          else open = true;
        } else items.push(first);
      }
      if (skip(',')) commas += 1;
      else if (peek() !== closing) {
        // A comprehension, or something that is no Python at all.
        open = true;
        toCloser();
        if (peek() !== closing && peek() !== ',') index += 1;
      }
      if (index === before || index > tokens.length) break;
    }
    const to = end();
    if (isDict) return { kind: 'dict', entries, open, from, to };
    const [only] = items;
    if (opening === '(' && commas === 0 && only !== undefined && items.length === 1 && !open) return only;
    return { kind: 'list', items, open, from, to };
  }

  /** A name in a formatted text. */
  function plainText(name: string): string | undefined {
    const known = scope.names.get(name);
    if (known?.kind === 'number') return String(known.value);
    return known?.kind === 'string' && !known.bytes ? known.value : undefined;
  }

  /** Literals side by side are one text. */
  function strings(): PyValue {
    const from = tokens[index]?.from ?? 0;
    let text: PyString | undefined;
    let unclear: string | undefined;
    for (let token = tokens[index]; token?.kind === 'string'; token = tokens[index]) {
      index += 1;
      const read = readString(source, token.from, token.to, plainText);
      unclear ??= read.unclear;
      if ((text?.literals ?? 0) > MOST_PIECES) unclear ??= 'a text of very many pieces';
      if (unclear !== undefined) continue;
      const piece: PyString = {
        kind: 'string',
        value: read.value,
        at: read.at,
        bytes: read.bytes,
        odd: read.odd,
        literals: read.formatted ? MANY : 1,
        from: token.from,
        to: token.to,
      };
      text = text === undefined ? piece : joined(text, piece);
    }
    if (text === undefined || unclear !== undefined)
      return { kind: 'unknown', why: unclear ?? 'nothing stands there', from, to: end() };
    const next = peek();
    return next === '%' || next === '.' || next === '[' ? unknownFrom(from) : text;
  }

  return { value, peek, skip, end, unknownFrom, done: () => index >= tokens.length };
}

/** `dict(…)`, `str(…)` and `int(…)` of literals are literals, too. */
function plainCall(call: PyCall): PyValue {
  const { from, to } = call;
  const [only] = call.arguments;
  if (call.callee === 'dict' && call.arguments.length === 0)
    return { kind: 'dict', entries: new Map(call.keywords), open: call.open, from, to };
  if (call.callee === 'str' && only?.kind === 'number') {
    const value = String(only.value);
    return {
      kind: 'string',
      value,
      at: Array.from({ length: value.length + 1 }, () => only.from),
      bytes: false,
      odd: [],
      literals: MANY,
      from,
      to,
    };
  }
  if (call.callee === 'int' && only?.kind === 'string' && /^\d{1,9}$/.test(only.value))
    return { kind: 'number', value: Number(only.value), from, to };
  return call;
}

function item(container: PyValue | undefined, key: string | number): PyValue | undefined {
  const found = alternatives(container).flatMap((one) => {
    if (one.kind === 'dict') return alternatives(one.entries.get(key));
    return one.kind === 'list' && typeof key === 'number' ? alternatives(one.items[key]) : [];
  });
  return oneOf(found, false);
}

function numberOf(text: string, token: Token): PyValue {
  const { from, to } = token;
  const plain = text.slice(from, to).replaceAll('_', '');
  const value = Number(plain);
  // `1j`, and `0777`, which Python 3 refuses.
  if (Number.isNaN(value) || /^0\d/.test(plain))
    return { kind: 'unknown', why: `${plain.slice(0, 20)} is no number that bbx reads`, from, to };
  return { kind: 'number', value, from, to };
}
