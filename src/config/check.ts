import * as z from 'zod';
import { didYouMean } from '../base/did-you-mean.ts';
import { valueAt } from './key-path.ts';
import { problemAt, type ConfigDocument } from './document.ts';
import type { Problem } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** Checks a document against a schema: the checked value, or everything that is wrong, each thing with its place. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  document: ConfigDocument,
): { value: z.output<Schema>; problems: [] } | { value: undefined; problems: Problem[] } {
  const result = schema.safeParse(document.value ?? {});
  if (result.success) return { value: result.data, problems: [] };
  const words: Words = { document, known: (path) => keysAt(schema, path) };
  return { value: undefined, problems: result.error.issues.flatMap((issue) => problemsOf(issue, [], words)) };
}

interface Words {
  document: ConfigDocument;
  /** Keys that a mapping at a path may have. */
  known: (path: readonly PropertyKey[]) => string[];
}

function problemsOf(issue: Issue, prefix: readonly PropertyKey[], words: Words): Problem[] {
  const path = [...prefix, ...issue.path];
  const { document } = words;
  const written = valueAt(document.value, path);
  const say = (message: string, fix?: string, what: 'key' | 'value' = 'value', at = path) =>
    problemAt(document, at, { message, fix, what });
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const near = didYouMean(key, words.known(path));
        const known = words.known(path);
        const fix = known.length > 0 && known.length <= 30 ? `known here: ${known.join(', ')}` : undefined;
        if (near === key) return say(`"${key}" does not belong here`, undefined, 'key', [...path, key]);
        const message = `unknown key "${key}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
        return say(message, near === undefined ? fix : undefined, 'key', [...path, key]);
      });
    case 'invalid_type':
      return [wrongType(issue.expected, path, written, say, document)];
    case 'invalid_value':
      return [notOneOf(issue.values.map(String), written, path, say)];
    case 'invalid_key': {
      const key = String(issue.path.at(-1) ?? '');
      return issue.issues.map((inner) => say(`"${key}" ${inner.message}`, undefined, 'key'));
    }
    case 'invalid_union':
      return union(issue, path, written, words, say);
    case 'too_small':
    case 'too_big':
      return [say(outOfRange(issue), undefined)];
    case 'custom': {
      const params = issue.params as { fix?: string; column?: number } | undefined;
      const problem = say(withValue(issue.message, written), params?.fix);
      return [params?.column === undefined ? problem : shifted(problem, params.column)];
    }
    default:
      return [say(withValue(issue.message, written))];
  }
}

type Say = (message: string, fix?: string, what?: 'key' | 'value', at?: PropertyKey[]) => Problem;

function wrongType(
  expected: string,
  path: PropertyKey[],
  written: unknown,
  say: Say,
  document: ConfigDocument,
): Problem {
  const name = String(path.at(-1) ?? '');
  if (written === undefined) return say(`"${name}" is missing`, `it must be ${kind(expected)}`, 'key');
  const subject =
    path.length === 0 ? 'the configuration ' : typeof path.at(-1) === 'number' ? '' : `"${name}" `;
  return say(
    `${subject}must be ${kind(expected)}, not ${kindOf(written)}`,
    quoted(expected, path, written, document),
  );
}

/** How the advice begins that a value be written as a text. */
export const QUOTES = 'put it in quotes';

/** YAML reads `yes: 1.10` as a number; people mean the text. */
function quoted(expected: string, path: PropertyKey[], written: unknown, document: ConfigDocument) {
  const scalar = written === null || ['number', 'boolean', 'bigint'].includes(typeof written);
  if (!expected.includes('string') || !scalar) return undefined;
  return `${QUOTES}: ${JSON.stringify(document.written(path) ?? String(written))}`;
}

function notOneOf(options: string[], written: unknown, path: PropertyKey[], say: Say): Problem {
  if (written === undefined)
    return say(`"${String(path.at(-1))}" is missing`, `one of: ${options.join(', ')}`, 'key');
  const near = typeof written === 'string' ? didYouMean(written, options) : undefined;
  const shown = typeof written === 'object' ? kindOf(written) : JSON.stringify(written);
  const question = near === undefined ? '' : `; did you mean "${near}"?`;
  return say(`${shown} is not possible here${question}`, `write ${oneOf(options)}`);
}

function union(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: PropertyKey[],
  written: unknown,
  words: Words,
  say: Say,
): Problem[] {
  const options = (issue as { options?: unknown[] }).options;
  if (Array.isArray(options)) return [notOneOf(options.map(String), written, path, say)];
  // The branch that got further than "wrong type altogether" is the one that was meant.
  const meant = issue.errors.find((branch) => branch.every((inner) => !isRootMismatch(inner)));
  if (meant !== undefined) return meant.flatMap((inner) => problemsOf(inner, path, words));
  const kinds = new Set(
    issue.errors.flat().flatMap((inner) => {
      if (inner.code === 'invalid_type') return [kind(inner.expected)];
      return inner.code === 'invalid_value' ? inner.values.map((value) => String(value)) : [];
    }),
  );
  const accepted = oneOf([...kinds].filter((word) => word !== 'null'));
  if (written === undefined)
    return [say(`"${String(path.at(-1))}" is missing`, `it must be ${accepted}`, 'key')];
  const fix = kinds.has('text') ? quoted('string', path, written, words.document) : undefined;
  const shown = typeof written === 'string' ? `"${written}"` : kindOf(written);
  return [say(`must be ${accepted}, not ${shown}`, fix)];
}

function isRootMismatch(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function outOfRange(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const limit = Number(issue.code === 'too_small' ? issue.minimum : issue.maximum);
  const bound = issue.code === 'too_small' ? 'at least' : 'at most';
  if (issue.origin === 'string')
    return limit === 1 && issue.code === 'too_small'
      ? 'must not be empty'
      : `must have ${bound} ${limit} characters`;
  if (issue.origin === 'array')
    return limit === 1 && issue.code === 'too_small'
      ? 'must name at least one'
      : `must have ${bound} ${limit} entries`;
  return `must be ${bound} ${limit}`;
}

/** A sentence without a subject gets the value as one. */
function withValue(message: string, written: unknown): string {
  if (!/^(?:is|holds|must|reads|leaves) /.test(message)) return message;
  return typeof written === 'string' ? `${JSON.stringify(written.slice(0, 200))} ${message}` : message;
}

/** Points into a plain or quoted scalar, where its reader stopped. */
function shifted(problem: Problem, column: number): Problem {
  if (problem.column === null || problem.source === null) return problem;
  const quote = /["']/.test(problem.source.charAt(problem.column - 1)) ? 1 : 0;
  const at = problem.column + quote + column - 1;
  if (column - 1 + quote >= problem.length) return problem;
  return { ...problem, column: at, length: Math.max(1, problem.length - (at - problem.column) - quote) };
}

const KINDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'null',
};

function kind(expected: string): string {
  return KINDS[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 100))}`;
  if (typeof value === 'object') return 'a mapping';
  return `the ${typeof value} ${String(value)}`;
}

function oneOf(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** Keys that a mapping at a path may have, read off the JSON schema. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let here: JsonSchema[] = [z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema];
  for (const part of path) here = here.flatMap(unfold).flatMap((node) => below(node, part));
  return [...new Set(here.flatMap(unfold).flatMap((node) => Object.keys(node.properties ?? {})))];
}

function unfold(node: JsonSchema): JsonSchema[] {
  return [node, ...(node.anyOf ?? []).flatMap(unfold), ...(node.oneOf ?? []).flatMap(unfold)];
}

function below(node: JsonSchema, part: PropertyKey): JsonSchema[] {
  if (typeof part === 'number') return node.items === undefined ? [] : [node.items];
  const own = Object.hasOwn(node.properties ?? {}, part) ? node.properties?.[String(part)] : undefined;
  if (own !== undefined) return [own];
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
}
