import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, isSeq, parseDocument, YAMLMap, type Document } from 'yaml';
import { codes } from './codes.ts';
import { nodeAt, YAML_OPTIONS } from './document.ts';
import type { KeyPath } from './key-path.ts';
import { printKeyPath } from './problem.ts';
import { insertLines, removeLines, replaceFlow, replaceLines, replaceScalar, type Splice } from './splice.ts';

/** What an edit does to plain data at a path; `undefined` takes the value away. */
export interface Edit {
  path: KeyPath;
  value: unknown;
}

/**
 * The text with the edits made, comments kept. Where it can, an edit touches only the characters of its value; each such try is read
 * again and must give exactly the wanted data, else the whole document is printed anew (comments kept, spaces not). The text must be
 * readable YAML. Throws BBX-CFG-KEY where a path leads through a value that has no keys.
 */
export function editText(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, edit) => applyEdit(before, edit), text);
}

function applyEdit(text: string, { path, value }: Edit): string {
  const before = parseDocument(text, YAML_OPTIONS);
  const wanted = parseDocument(text, YAML_OPTIONS);
  if (wanted.contents === null) wanted.contents = wanted.createNode({}) as unknown as typeof wanted.contents;
  const steps = checkedPath(wanted, path);
  // Below what is not there, there is nothing to remove; the library throws for it.
  if (value === undefined && !wanted.hasIn(steps)) return text;
  if (value === undefined) wanted.deleteIn(steps);
  else wanted.setIn(steps, wanted.createNode(value));
  const data: unknown = wanted.toJS();
  if (isDeepStrictEqual(before.toJS() ?? {}, data)) return text;
  const attempts: (() => Splice | undefined)[] =
    value === undefined
      ? [() => removeLines(text, before, steps)]
      : [
          () => replaceScalar(text, before, steps, value),
          () => insertLines(text, before, steps, value),
          () => replaceFlow(text, before, steps, wanted),
          () => replaceLines(text, before, steps, value),
        ];
  for (const attempt of attempts) {
    const splice = attempt();
    if (splice === undefined) continue;
    const after = text.slice(0, splice.from) + splice.text + text.slice(splice.to);
    if (gives(after, data)) return after;
  }
  return wanted.toString({ lineWidth: 0, flowCollectionPadding: !/[{[][A-Za-z"]/.test(text) });
}

function gives(text: string, data: unknown): boolean {
  const read = parseDocument(text, YAML_OPTIONS);
  return read.errors.length === 0 && isDeepStrictEqual(read.toJS(), data);
}

/** The path with numbers where lists stand, after making sure that everything on the way can have keys. */
function checkedPath(yaml: Document.Parsed, path: KeyPath): KeyPath {
  const steps: KeyPath = [];
  path.forEach((part, index) => {
    const here = nodeAt(yaml, steps);
    const empty = here === undefined || (isScalar(here) && here.value === null);
    if (!empty && !isMap(here) && !isSeq(here))
      throw codes['BBX-CFG-KEY']({
        key: printKeyPath(path),
        problem: `"${printKeyPath(path.slice(0, index))}" is a single value, which has no keys`,
      });
    // What is written as nothing ("builders:") becomes a mapping.
    if (isScalar(here) && here.value === null && index > 0) yaml.setIn(steps, new YAMLMap());
    if (isSeq(here)) steps.push(indexIn(here.items.length, part, path));
    else steps.push(String(part));
  });
  return steps;
}

function indexIn(length: number, part: string | number, path: KeyPath): number {
  const index = typeof part === 'number' ? part : /^\d{1,6}$/.test(part) ? Number(part) : Number.NaN;
  if (Number.isInteger(index) && index <= length) return index;
  const problem = `"${part}" is not an entry of a list of ${length} (0 is the first, ${length} adds one)`;
  throw codes['BBX-CFG-KEY']({ key: printKeyPath(path), problem });
}
