import { codes } from './codes.ts';

export type KeyPath = (string | number)[];

/** Deepest key that a configuration can have is far under this. */
const DEEPEST = 20;

/**
 * Reads `listen.web`, `builders.app.steps[0].timeout`, `workers["vps-*"].tags`; a number between dots is an index too
 * (`steps.0`), which `KeyPath` users treat as a key where a mapping stands. Throws BBX-CFG-KEY.
 */
export function parseKeyPath(text: string): KeyPath {
  const wrong = (problem: string) => codes['BBX-CFG-KEY']({ key: text, problem });
  const path: KeyPath = [];
  const piece = /\.?([^.[\]"]+)|\[(\d{1,6})\]|\[("(?:[^"\\]|\\.)*")\]/y;
  while (piece.lastIndex < text.length) {
    const at = piece.lastIndex;
    const match = piece.exec(text);
    if (match === null) throw wrong(`it cannot be read from character ${at + 1} on`);
    if (at === 0 && match[0].startsWith('.')) throw wrong('it starts with a dot');
    if (at > 0 && match[1] !== undefined && !match[0].startsWith('.'))
      throw wrong(`a dot is missing at character ${at + 1}`);
    if (match[1] !== undefined) path.push(match[1]);
    else if (match[2] !== undefined) path.push(Number(match[2]));
    else path.push(unquote(match[3] ?? '""', wrong));
    if (path.length > DEEPEST) throw wrong('it is too deep');
  }
  if (path.length === 0) throw wrong('it is empty');
  return path;
}

function unquote(text: string, wrong: (problem: string) => Error): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw wrong(`${text} is not a text in JSON's quotes`);
  }
}

/** The value at a path in plain data, or undefined. Only own properties count. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined;
    here = (here as Record<PropertyKey, unknown>)[part];
  }
  return here;
}
