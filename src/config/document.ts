import { isUtf8 } from 'node:buffer';
import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type ParsedNode,
} from 'yaml';
import { maskPasswords } from '../base/mask-passwords.ts';
import { printKeyPath, type Problem } from './problem.ts';

/** A configuration for ten thousand builders fits; a larger file is a mistake or an attack. */
export const LARGEST_FILE_BYTES = 1024 * 1024;
/** Anchors are there to say a thing twice; a few aliases of aliases can grow without bound. */
const MOST_ALIASES = 1_000;

/** A place in a text: line and column from 1, and how many characters are meant. */
export interface Place {
  line: number;
  column: number;
  length: number;
  source: string;
}

/** What was read from a file (or came out of code), and where in it each thing stands. */
export interface ConfigDocument {
  file: string;
  /** What a problem at a path names as its file: also a flag or an environment variable that gave the value. */
  fileOf(path: readonly PropertyKey[]): string;
  /** Plain data; undefined when the text could not be read at all. */
  value: unknown;
  /** Mistakes of the text itself. */
  problems: Problem[];
  /** Where the key, or the value, at a path stands; of what is missing, the nearest thing around it. Null for code. */
  locate(path: readonly PropertyKey[], what: 'key' | 'value'): Place | null;
  /** The text of the scalar at a path as it is written: `1.10`, not 1.1. */
  written(path: readonly PropertyKey[]): string | null;
}

/** A problem at a path of a document. */
export function problemAt(
  document: Pick<ConfigDocument, 'fileOf' | 'locate'>,
  path: readonly PropertyKey[],
  says: { message: string; fix?: string | undefined; severity?: 'error' | 'warning'; what?: 'key' | 'value' },
): Problem {
  const place = document.locate(path, says.what ?? 'value');
  return {
    severity: says.severity ?? 'error',
    file: document.fileOf(path),
    line: place?.line ?? null,
    column: place?.column ?? null,
    path: printKeyPath(path),
    message: says.message,
    fix: says.fix ?? null,
    source: place?.source ?? null,
    length: place?.length ?? 0,
  };
}

/** A document whose value did not come from a text. */
export function plainDocument(file: string, value: unknown): ConfigDocument {
  return { file, fileOf: () => file, value, problems: [], locate: () => null, written: () => null };
}

/** How the `yaml` library is to read configurations, also when they are edited. */
export const YAML_OPTIONS = {
  version: '1.2',
  schema: 'core',
  stringKeys: true,
  prettyErrors: false,
  uniqueKeys: true,
  logLevel: 'error',
} as const;

/** Reads YAML; whatever the bytes are, it gives a document with problems and never throws. */
export function readDocument(bytes: Uint8Array | string, file: string): ConfigDocument {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes);
  const early = byteProblem(buffer, file);
  if (early !== undefined) return { ...plainDocument(file, undefined), problems: [early] };
  const text = buffer.toString('utf8').replace(/^\ufeff/, '');
  try {
    return parsed(text, file);
  } catch (error) {
    // Known: too deep for the parser's recursion (RangeError), or an alias that holds itself many times over (ReferenceError).
    if (!(error instanceof RangeError || error instanceof ReferenceError)) throw error;
    const why = error instanceof ReferenceError ? error.message : 'it is nested too deeply';
    return {
      ...plainDocument(file, undefined),
      problems: [wholeFile(file, `cannot be read as YAML: ${why}`)],
    };
  }
}

function parsed(text: string, file: string): ConfigDocument {
  const lineCounter = new LineCounter();
  const yaml = parseDocument(text, { ...YAML_OPTIONS, lineCounter });
  const lines = maskPasswords(text).split('\n');
  const placeAt = (from: number, to: number): Place => {
    const { line, col } = lineCounter.linePos(Math.min(from, text.length));
    const safeLine = Math.max(1, line);
    const source = (lines[safeLine - 1] ?? '').replace(/\r$/, '');
    const column = Math.max(1, col);
    return {
      line: safeLine,
      column,
      length: Math.max(1, Math.min(to - from, source.length - column + 1)),
      source,
    };
  };
  const locate = (path: readonly PropertyKey[], what: 'key' | 'value') => {
    const range = rangeOf(yaml, path, what);
    return range === null ? null : placeAt(range[0], range[1]);
  };
  const problems = [...yaml.errors, ...yaml.warnings, ...aliasErrors(yaml)].map((error): Problem => {
    const at = placeAt(error.pos[0], error.pos[1]);
    const { place, ...words } = bareAddress(error.code, at) ?? { place: at, ...WORDS[error.code] };
    return {
      severity: 'error',
      file,
      ...place,
      path: '',
      message: words.message ?? lowerFirst(error.message),
      fix: words.fix ?? null,
    };
  });
  // A key that stands twice spoils nothing else: go on, so that all mistakes come at once.
  const readable = problems.length === yaml.errors.filter((error) => error.code === 'DUPLICATE_KEY').length;
  const value: unknown = readable ? yaml.toJS({ maxAliasCount: MOST_ALIASES }) : undefined;
  return {
    file,
    fileOf: () => file,
    value,
    problems,
    locate,
    written(path) {
      const node = nodeAt(yaml, path);
      return isScalar(node) ? (node.source ?? null) : null;
    },
  };
}

const WORDS: Partial<Record<string, { message: string; fix: string }>> = {
  TAB_AS_INDENT: { message: 'a tab is used to indent', fix: 'use spaces' },
  DUPLICATE_KEY: { message: 'this key stands here twice', fix: 'remove one of the two, or merge them' },
  NON_STRING_KEY: { message: 'a key must be text', fix: 'write a word before the colon' },
  MULTIPLE_DOCS: {
    message: 'a second document begins here',
    fix: 'remove "---": a file holds one configuration',
  },
  TAG_RESOLVE_FAILED: {
    message: 'tags (words with "!") are not used here',
    fix: 'put the text in quotes, or remove the tag',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a second ": " in one line',
    fix: 'put the text in quotes, or continue in the next line, indented',
  },
  UNRESOLVED_ALIAS: {
    message: 'no anchor of this name stands before it',
    fix: 'put a text that begins with "*" in quotes',
  },
  CIRCULAR_ALIAS: { message: 'this alias stands inside its own anchor', fix: 'write the value out' },
};

/** `[::1]:9989` without quotes is a list to YAML, with something behind it: what is said of that instead, when a line stumbles there. */
function bareAddress(
  code: string,
  { source, column, ...at }: Place,
): { place: Place; message: string; fix: string } | undefined {
  if (code !== 'UNEXPECTED_TOKEN') return undefined;
  for (const { 0: address, index } of source.matchAll(/\[[0-9a-f:.]*:[0-9a-f:.]*(?:%[\w.-]+)?\]:\d+/giu)) {
    if (column <= index || column > index + address.length) continue;
    const place = { ...at, source, column: index + 1, length: address.length };
    return {
      place,
      message: 'an address in brackets is a list to YAML',
      fix: `put it in quotes: "${address}"`,
    };
  }
  return undefined;
}

function aliasErrors(yaml: Document.Parsed): { code: string; pos: [number, number]; message: string }[] {
  const found: { code: string; pos: [number, number]; message: string }[] = [];
  visit(yaml, {
    Alias(_key, alias, ancestors) {
      const target = alias.resolve(yaml);
      const code =
        target === undefined ? 'UNRESOLVED_ALIAS' : ancestors.includes(target) ? 'CIRCULAR_ALIAS' : null;
      const range = alias.range ?? [0, 1];
      if (code !== null) found.push({ code, pos: [range[0], range[1]], message: code });
    },
  });
  return found;
}

/** The node at a path, through aliases; undefined where nothing stands. */
export function nodeAt(yaml: Document.Parsed | Document, path: readonly PropertyKey[]): Node | undefined {
  let node: unknown = yaml.contents;
  for (const part of path) {
    node = follow(yaml, node);
    if (!isCollection(node)) return undefined;
    node = isMap(node) ? pairOf(node, part)?.value : isSeq(node) ? node.items[Number(part)] : undefined;
  }
  return (follow(yaml, node) ?? undefined) as Node | undefined;
}

function follow(yaml: Document.Parsed | Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(yaml) : node;
}

function pairOf(map: { items: readonly { key: unknown; value: unknown }[] }, part: PropertyKey) {
  return map.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(part));
}

function rangeOf(
  yaml: Document.Parsed,
  path: readonly PropertyKey[],
  what: 'key' | 'value',
): [number, number] | null {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const sub = path.slice(0, depth);
    const parent = depth === 0 ? undefined : nodeAt(yaml, sub.slice(0, -1));
    const pair = isMap(parent) ? pairOf(parent, sub[depth - 1] ?? '') : undefined;
    const key = pair?.key as ParsedNode | undefined;
    const node = nodeAt(yaml, sub);
    // What surrounds a missing thing is pointed at by its key: the whole value may be many lines.
    const wantsKey = what === 'key' || depth < path.length || !isScalar(node);
    if (wantsKey && key?.range) return [key.range[0], key.range[1]];
    const range = (node as ParsedNode | undefined)?.range;
    if (range && isScalar(node)) return [range[0], range[1]];
    if (range) return [range[0], range[0] + 1];
    if (key?.range) return [key.range[0], key.range[1]];
  }
  return [0, 1];
}

function byteProblem(buffer: Buffer, file: string): Problem | undefined {
  if (buffer.length > LARGEST_FILE_BYTES)
    return wholeFile(file, `is ${buffer.length} bytes long: more than ${LARGEST_FILE_BYTES} are not read`);
  if (isUtf8(buffer)) return undefined;
  let line = 1;
  for (let start = 0; start <= buffer.length; line += 1) {
    const newline = buffer.indexOf(0x0a, start);
    const end = newline === -1 ? buffer.length : newline;
    if (!isUtf8(buffer.subarray(start, end))) {
      const source = maskPasswords(new TextDecoder().decode(buffer.subarray(start, end)));
      const column = source.indexOf('\ufffd') + 1;
      return {
        ...wholeFile(file, 'these bytes are not UTF-8', 'save the file as UTF-8'),
        ...{ line, column: Math.max(1, column), source, length: 1 },
      };
    }
    start = end + 1;
  }
  return wholeFile(file, 'is not UTF-8', 'save the file as UTF-8');
}

function wholeFile(file: string, message: string, fix?: string): Problem {
  return {
    severity: 'error',
    file,
    line: null,
    column: null,
    path: '',
    message,
    fix: fix ?? null,
    source: null,
    length: 0,
  };
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
