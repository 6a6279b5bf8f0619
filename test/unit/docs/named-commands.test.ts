import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { FILLED, problemOf, type Mention } from '../../rigs/command-tree.ts';

const ROOT = join(import.meta.dirname, '../../..');

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
