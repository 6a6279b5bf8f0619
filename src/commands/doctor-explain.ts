import { catalogue } from '../diagnostics/catalogue.ts';
import { explain, type Explanation } from '../diagnostics/explain.ts';
import { wrap } from '../base/lines.ts';
import { noSuchCheck } from './doctor-checks.ts';
import type { Context } from './terminal/context.ts';
import { answer, type Style } from './terminal/print.ts';

const WIDTH = 80;

/** `bbx doctor explain ID`: what a check asks, why, and what to do; of a family, each of its checks. */
export async function explainCheck(context: Context, word: string): Promise<void> {
  const explanations = await explain(word);
  const [first] = explanations;
  if (first === undefined) throw noSuchCheck(word);
  const one = first.id === word.toUpperCase();
  answer(context, one ? first : explanations, ({ paint }) =>
    explanations.map((explanation) => printExplanation(explanation, paint)).join('\n\n'),
  );
}

/** The page's words at a terminal: a heading, what it looks at, how grave, what to do, and the checks that it hangs together with. */
function printExplanation(explanation: Explanation, paint: Style['paint']): string {
  const { id, title, text, severity, fix, needs, explainedBy, explains, topics } = explanation;
  const facts: [label: string, words: string][] = [
    ['Severity', severity],
    ['Fix', fix],
    ['Needs', needs.map(named).join(', ')],
    ['Explained by', explainedBy.map(named).join(', ')],
    ['Explains', explains.map(named).join(', ')],
    ['Topics', topics.join(', ')],
  ];
  return [
    paint.bold(`${id}: ${title}`),
    ...text.split(/\n\s*\n/).map((paragraph) => printParagraph(paragraph, '')),
    ...facts
      .filter(([, words]) => words !== '')
      .map(([label, words]) => printParagraph(`${paint.bold(`${label}:`)} ${words}`, '  ')),
  ].join('\n\n');
}

/** Prose is wrapped anew; what is code, a list or a table keeps its lines. */
function printParagraph(paragraph: string, indent: string): string {
  if (/^(```|\||- | {4}|\d\. )/m.test(paragraph)) return paragraph.replaceAll(/^```.*\n?/gm, '').trimEnd();
  const plain = paragraph.replaceAll(/\[([^\]]+)\]\([^)\s]+\)/g, '$1').replaceAll(/\s*\n\s*/g, ' ');
  return wrap(plain, WIDTH - indent.length)
    .map((line, index) => (index === 0 ? line : indent + line))
    .join('\n');
}

function named(id: string): string {
  const check = catalogue.find((one) => one.id === id);
  return check === undefined ? id : `${id} (${check.title})`;
}
