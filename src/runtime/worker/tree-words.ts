import { sentences } from '../../base/error.ts';
import type { TreeEnd } from '../../exec/run-tree.ts';

/** What people should know of a command's end beside its code: a line each, for its log. */
export function treeWords({ error, leftovers, alive }: TreeEnd): string[] {
  const words: string[] = [];
  if (error !== undefined) words.push(`cannot start: ${sentences(error).join(': ')}`);
  if (leftovers > 0) {
    const what = leftovers === 1 ? 'a process that it left' : `${leftovers} processes that it left`;
    words.push(`the command is over, but ${what} held its output: ended`);
  }
  if (alive.length > 0) words.push(`processes that could not be ended: ${alive.join(' ')}`);
  return words;
}
