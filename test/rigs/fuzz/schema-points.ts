import * as z from 'zod';

type Node = Readonly<Record<string, unknown>>;

/**
 * Everything that a schema lets be said: each field, list, kind and word of it, as a path (`event.logs[].bytes`, `reason=busy`, `ago=null`). Alternatives
 * that are objects of their own kinds are paths of their own (`event<stepFinished>.logs`).
 */
export function pointsOf(schema: z.ZodType): Set<string> {
  const points = new Set<string>();
  walk(jsonSchema(schema), '', (path) => void points.add(path));
  return points;
}

/** Those of them that one value says. */
export function saidBy(schema: z.ZodType, value: unknown): Set<string> {
  const points = new Set<string>();
  meet(jsonSchema(schema), value, '', (path) => void points.add(path));
  return points;
}

const known = new WeakMap<z.ZodType, Node>();
function jsonSchema(schema: z.ZodType): Node {
  const made = known.get(schema) ?? (z.toJSONSchema(schema, { unrepresentable: 'any' }) as Node);
  known.set(schema, made);
  return made;
}

const alternatives = (node: Node) => (node['anyOf'] ?? node['oneOf'] ?? []) as readonly Node[];
const words = (node: Node): readonly unknown[] =>
  'const' in node ? [node['const']] : ((node['enum'] ?? []) as readonly unknown[]);
const fields = (node: Node) => Object.entries((node['properties'] ?? {}) as Record<string, Node>);

/** `<stepFinished>` of an alternative that says of which kind it is. */
function kindOf(node: Node): string {
  const word = fields(node).flatMap(([, field]) => ('const' in field ? [String(field['const'])] : []))[0];
  return word === undefined ? '' : `<${word}>`;
}

function walk(node: Node, path: string, point: (path: string) => void): void {
  point(path);
  if (node['type'] === 'null') point(`${path}=null`);
  for (const word of words(node)) point(`${path}=${String(word)}`);
  for (const each of alternatives(node)) walk(each, path + kindOf(each), point);
  for (const [name, field] of fields(node)) walk(field, `${path}.${name}`, point);
  if (isNode(node['additionalProperties'])) walk(node['additionalProperties'], `${path}.*`, point);
  if (isNode(node['items'])) walk(node['items'], `${path}[]`, point);
}

function meet(node: Node, value: unknown, path: string, point: (path: string) => void): void {
  point(path);
  if (value === null) point(`${path}=null`);
  if (words(node).includes(value)) point(`${path}=${String(value)}`);
  for (const each of alternatives(node))
    if (mayBe(each, value)) meet(each, value, path + kindOf(each), point);
  if (Array.isArray(value)) {
    const items = node['items'];
    if (isNode(items)) for (const item of value) meet(items, item, `${path}[]`, point);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const own = new Map(fields(node));
  const rest = node['additionalProperties'];
  for (const [name, field] of Object.entries(value)) {
    const known = own.get(name);
    if (known !== undefined) meet(known, field, `${path}.${name}`, point);
    else if (isNode(rest)) meet(rest, field, `${path}.*`, point);
  }
}

function mayBe(node: Node, value: unknown): boolean {
  if (words(node).length > 0) return words(node).includes(value);
  switch (node['type']) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return (
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        fields(node).every(
          ([name, field]) =>
            !('const' in field) || (value as Record<string, unknown>)[name] === field['const'],
        )
      );
    case 'integer':
      return typeof value === 'number';
    case undefined:
      return true;
    default:
      return typeof value === node['type'];
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
