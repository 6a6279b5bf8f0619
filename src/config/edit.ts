import { isMap, isScalar, isSeq, parseDocument, stringify, YAMLMap, type Document } from 'yaml';
import { codes } from './codes.ts';
import { nodeAt, YAML_OPTIONS } from './document.ts';
import type { KeyPath } from './key-path.ts';
import { printKeyPath } from './problem.ts';

/** What an edit does to plain data at a path; `undefined` takes the value away. */
export interface Edit {
  path: KeyPath;
  value: unknown;
}

/**
 * The text with the edits made, comments kept. A scalar that takes a scalar's place leaves every other character as it was; other
 * edits may change spaces. The text must be readable YAML. Throws BBX-CFG-KEY where a path leads through a value that has no keys.
 */
export function editText(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, edit) => applyEdit(before, edit), text);
}

function applyEdit(text: string, { path, value }: Edit): string {
  const yaml = parseDocument(text, YAML_OPTIONS);
  const spliced = splice(text, yaml, path, value);
  if (spliced !== undefined) return spliced;
  if (yaml.contents === null) yaml.contents = yaml.createNode({}) as unknown as typeof yaml.contents;
  const steps = checkedPath(yaml, path);
  if (value === undefined) yaml.deleteIn(steps);
  else yaml.setIn(steps, yaml.createNode(value));
  return yaml.toString({ lineWidth: 0, indent: indentOf(text), flowCollectionPadding: !/\{\S/.test(text) });
}

/** Puts a one-line scalar in the place of another, by characters. */
function splice(text: string, yaml: Document.Parsed, path: KeyPath, value: unknown): string | undefined {
  const node = nodeAt(yaml, path);
  if (!isScalar(node) || node.range == null || node.anchor !== undefined) return undefined;
  if (typeof value === 'object' || value === undefined) return undefined;
  const [from, to] = node.range;
  if (from === to || text.slice(from, to).includes('\n')) return undefined;
  // As a list's only entry the text comes out quoted where flow or block style needs it.
  const written = stringify([value], { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false });
  const scalar = written.trimEnd().slice(1, -1);
  return scalar.includes('\n') ? undefined : text.slice(0, from) + scalar + text.slice(to);
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

/** How many spaces the text indents with; two where it does not show. */
function indentOf(text: string): number {
  const spaces = /^( {2,8})[A-Za-z"'-]/m.exec(text)?.[1];
  return spaces?.length ?? 2;
}
