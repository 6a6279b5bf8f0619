import * as z from 'zod';
import { masterSchema } from './schema/master.ts';
import type { KeyPath } from './key-path.ts';
import { workerSchema } from './schema/worker.ts';

/** The JSON Schema (2020-12) of what people write in `master.yaml` or `worker.yaml`, for editors. */
export function jsonSchema(role: 'master' | 'worker'): object {
  const schema = z.toJSONSchema(role === 'master' ? masterSchema : workerSchema, {
    io: 'input',
    unrepresentable: 'any',
  });
  return { ...schema, title: `bbx ${role}.yaml` };
}

interface Node {
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
  allOf?: Node[];
}

/** Whether a value could stand at a path of a role's configuration; whether it stands there is another question. */
export function knowsKey(role: 'master' | 'worker', path: KeyPath): boolean {
  let nodes: Node[] = [jsonSchema(role)];
  for (const key of path) nodes = nodes.flatMap(variants).flatMap((node) => below(node, key));
  return nodes.length > 0;
}

function variants(node: Node): Node[] {
  return [node, ...[node.anyOf, node.oneOf, node.allOf].flatMap((list) => list ?? []).flatMap(variants)];
}

function below({ properties, additionalProperties, items }: Node, key: string | number): Node[] {
  if (items !== undefined && /^\d+$/.test(String(key))) return [items];
  if (properties !== undefined && Object.hasOwn(properties, key)) return [properties[key] ?? {}];
  return typeof additionalProperties === 'object' ? [additionalProperties] : [];
}
