import { replaceUnsafe } from '../base/unsafe-text.ts';

/** One thing that is wrong, or odd, in a configuration, and where. */
export interface Problem {
  severity: 'error' | 'warning';
  file: string;
  /** From 1; null where the value does not come from a text (code, environment, flag). */
  line: number | null;
  column: number | null;
  /** The key path, such as `builders.app.steps[0].run`; empty for the whole file. */
  path: string;
  message: string;
  /** What to write or do instead. */
  fix: string | null;
  /** The line that it stands in, and how many characters of it are meant. */
  source: string | null;
  length: number;
}

/** Longest piece of a line that is shown; what is left of the place is cut first. */
const SHOWN = 120;

/** A problem as people read it: place, sentence, the line with a caret under the wrong text, the fix. */
export function printProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== null).join(':');
  const where = problem.line === null && problem.path !== '' ? `${place}: ${problem.path}` : place;
  const warning = problem.severity === 'warning' ? 'warning: ' : '';
  const lines = [`${where}: ${warning}${visible(problem.message)}`];
  if (problem.source !== null && problem.line !== null && problem.column !== null)
    lines.push(...excerpt(problem.source, problem.line, problem.column, problem.length));
  if (problem.fix !== null) lines.push(`    ${visible(problem.fix)}`);
  return lines.join('\n');
}

function excerpt(source: string, line: number, column: number, length: number): string[] {
  const start = Math.max(0, column - 1 - SHOWN / 2);
  const shown = visible(source.slice(start, start + SHOWN));
  const at = column - 1 - start;
  const marks = Math.max(1, Math.min(length, shown.length - at));
  const margin = String(line).length;
  return [
    `    ${line} | ${shown}`,
    `    ${' '.repeat(margin)} | ${' '.repeat(Math.max(0, at))}^${'~'.repeat(Math.max(0, marks - 1))}`,
  ];
}

/** Text of a file with everything made harmless that could move a terminal's cursor; one character stays one character. */
export function visible(text: string): string {
  return replaceUnsafe(text, (character) =>
    character === '\n' ? character : character === '\t' ? ' ' : '\ufffd',
  );
}

/** `['builders', 'a b', 'steps', 0]` → `builders["a b"].steps[0]`, which `parseKeyPath` reads back. */
export function printKeyPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const text = String(part);
      if (!/^[A-Za-z0-9_$-]+$/.test(text)) return `[${JSON.stringify(text)}]`;
      return index === 0 ? text : `.${text}`;
    })
    .join('');
}
