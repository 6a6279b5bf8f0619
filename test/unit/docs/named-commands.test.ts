import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/commands/program.ts';
import { createContext } from '../../../src/commands/terminal/context.ts';

const ROOT = join(import.meta.dirname, '../../..');
const program = createProgram(createContext([]));

/** What a template fills in: a word, several, or none. */
const FILLED = '\u0000';
/** How sentences about bbx and names of things go on; everything else that begins with bbx is a command. */
const NO_COMMANDS = new Set(['is', 'uses', 'farm', 'join', 'keeper']);

/** Words behind `bbx`, as a person would type them. */
interface Mention {
  words: string;
  /** `code`: between quotes or backticks; `line`: it begins its line; `prose`: perhaps a sentence about bbx. */
  where: 'code' | 'line' | 'prose';
}

describe('a command that is named', () => {
  it.each([
    ['bbx worker add NAME --renew', undefined],
    ['bbx doctor', undefined],
    ['bbx wroker list', '"wroker" is no command of "bbx"'],
    ['bbx worker lend X', '"lend" is no command of "worker"'],
    ['bbx worker show a b', '"b" is one argument too many for "show"'],
    ['bbx status --wiat 60s', '"status" has no flag --wiat'],
    ['bbx create-master --format xml', '"xml" is no choice of --format'],
    ['bbx build log linux/12 -f | less', undefined],
  ])('%s: %s', (text, problem) => {
    const [mention] = mentionsIn(`\`${text}\``);
    expect(problemOf(mention!)).toBe(problem);
  });

  const sources = globSync('src/**/*.ts', { cwd: ROOT }).sort();
  const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort();
  const examples = globSync('examples/**/*', { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));

  it.each([
    ['in a text of the program', sources, literalsOf],
    ['on a page', pages, (text: string) => [text]],
    ['in an example', examples, (text: string) => text.split('\n')],
  ] as const)('%s exists, with its flags', (_, files, textsOf) => {
    const all = files.flatMap((file) =>
      textsOf(readFileSync(join(ROOT, file), 'utf8'))
        .flatMap(mentionsIn)
        .map((mention) => ({ file, ...mention })),
    );
    expect(all.filter(({ where }) => where !== 'prose').length).toBeGreaterThan(2);
    const wrong = all
      .map((mention) => ({ ...mention, problem: problemOf(mention) }))
      .filter(({ problem }) => problem !== undefined)
      .map(({ file, words, problem }) => `${file}: bbx ${words}: ${problem}`);
    expect(wrong).toEqual([]);
  });
});

/** Every `bbx …` of a text, up to where the command ends. */
function mentionsIn(text: string): Mention[] {
  const found = text.matchAll(/(?<before>^|[\s"'`(])(?:\.\/)?bbx (?<rest>[^\n"`|;&)>#,…]*)/g);
  return [...found].map(({ groups, index }) => {
    const { before = '', rest = '' } = groups ?? {};
    const line = text.slice(text.lastIndexOf('\n', index) + 1, index);
    const begins = /^\s*(\$ |- |sudo .*|exec )?$/.test(line);
    return {
      words: rest.split(/ {2}|[.:] |[.:']$/)[0]!.trim(),
      where: /["'`]/.test(before) ? 'code' : begins ? 'line' : 'prose',
    };
  });
}

/** What is wrong with a command, or undefined. */
function problemOf({ words, where }: Mention): string | undefined {
  const tokens = words.split(/\s+/).filter((token) => token !== '');
  const flags: Option[] = [...program.options];
  let command: Command = program;
  for (let sub = subOf(command, tokens[0]); sub !== undefined; sub = subOf(command, tokens[0])) {
    tokens.shift();
    flags.push(...sub.options);
    command = sub;
  }
  const [first = ''] = tokens;
  if (command.commands.length > 0 && /^[a-z][a-z-]*$/.test(first)) {
    const sentence = command === program && (where === 'prose' || NO_COMMANDS.has(first));
    return sentence ? undefined : `"${first}" is no command of "${command.name()}"`;
  }
  if (command === program && !first.startsWith('-')) return undefined;
  let places = command.registeredArguments.length;
  if (command.registeredArguments.at(-1)?.variadic) places = Number.POSITIVE_INFINITY;
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (token.includes(FILLED)) continue;
    const [name = '', inline] = token.split('=', 2);
    if (/^--?[a-z]/.test(name)) {
      const flag = flags.find(({ long, short }) => long === name || short === name);
      if (flag === undefined && name !== '--help') return `"${command.name()}" has no flag ${name}`;
      const value = inline ?? (flag?.required || flag?.optional ? tokens.shift() : undefined) ?? '';
      if (/^[a-z]+$/.test(value) && flag?.argChoices?.includes(value) === false)
        return `"${value}" is no choice of ${name}`;
      continue;
    }
    // A sentence goes on where a command would have its arguments.
    if (where !== 'code') return undefined;
    places -= 1;
    if (places < 0) return `"${token}" is one argument too many for "${command.name()}"`;
  }
  return undefined;
}

function subOf(command: Command, token: string | undefined): Command | undefined {
  return command.commands.find((sub) => sub.name() === token?.replaceAll(FILLED, ''));
}

/** The texts of a source file: its strings, and its templates with a mark for what is filled in. */
function literalsOf(source: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isStringLiteralLike(node)) texts.push(node.text);
    else if (ts.isTemplateExpression(node))
      texts.push(node.head.text + node.templateSpans.map(({ literal }) => FILLED + literal.text).join(''));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest));
  return texts;
}
