import { didYouMean } from '../base/did-you-mean.ts';
import { codes } from './codes.ts';
import type { Properties, PropertyValue } from './plan.ts';

/**
 * The grammar of texts with properties:
 *
 *     text    = { literal | '$${{' | '${{' blanks name blanks '}}' }
 *     name    = letter or '_', then letters, digits, '_', '.', '-'
 *
 * `$${{` stands for a literal `${{`; every other `$`, `{` and `}` stands for itself. A value that is filled in is never read as a
 * template again.
 */
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const OPEN = '${{';
const CLOSE = '}}';

export type TemplatePart = { text: string } | { property: string; at: number };

/** A fault in a template: where it begins and how long it is, in UTF-16 units of the text. */
export interface TemplateProblem {
  at: number;
  length: number;
  problem: string;
}

/** The parts of a text, and everything that is wrong with it. With problems the parts are not to be used. */
export function parseTemplate(text: string): { parts: TemplatePart[]; problems: TemplateProblem[] } {
  const parts: TemplatePart[] = [];
  const problems: TemplateProblem[] = [];
  let literal = '';
  let position = 0;
  const endLiteral = () => {
    if (literal !== '') parts.push({ text: literal });
    literal = '';
  };
  while (position < text.length) {
    const open = text.indexOf(OPEN, position);
    if (open === -1) break;
    const escaped = open > position && text[open - 1] === '$';
    if (escaped) {
      literal += text.slice(position, open - 1) + OPEN;
      position = open + OPEN.length;
      continue;
    }
    literal += text.slice(position, open);
    const close = text.indexOf(CLOSE, open + OPEN.length);
    if (close === -1) {
      problems.push({ at: open, length: text.length - open, problem: '"${{" has no "}}"' });
      return { parts, problems };
    }
    const name = text.slice(open + OPEN.length, close).trim();
    if (NAME.test(name)) {
      endLiteral();
      parts.push({ property: name, at: open });
    } else {
      const problem = name === '' ? 'no property is named' : `"${name}" is not the name of a property`;
      problems.push({ at: open, length: close + CLOSE.length - open, problem });
    }
    position = close + CLOSE.length;
  }
  literal += text.slice(position);
  endLiteral();
  return { parts, problems };
}

/** Whether a text holds `${{ … }}`, well or badly formed, that is not escaped. */
export function hasTemplate(text: string): boolean {
  const { parts, problems } = parseTemplate(text);
  return problems.length > 0 || parts.some((part) => 'property' in part);
}

/**
 * A text with its properties filled in: null gives nothing, numbers and booleans their plain form.
 * Throws BBX-BLD-TEMPLATE or BBX-BLD-PROPERTY.
 */
export function interpolate(text: string, properties: Properties): string {
  if (!text.includes(OPEN)) return text;
  const { parts, problems } = parseTemplate(text);
  const [problem] = problems;
  if (problem !== undefined)
    throw codes['BBX-BLD-TEMPLATE']({ text, at: problem.at, problem: problem.problem });
  return parts
    .map((part) => ('text' in part ? part.text : print(lookUp(part.property, properties))))
    .join('');
}

function lookUp(name: string, properties: Properties): PropertyValue {
  const value = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (value === undefined) {
    throw codes['BBX-BLD-PROPERTY']({ name, suggestion: didYouMean(name, Object.keys(properties)) });
  }
  return value;
}

function print(value: PropertyValue): string {
  return value === null ? '' : String(value);
}
