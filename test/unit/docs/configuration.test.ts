import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { jsonSchema } from '../../../src/config/json-schema.ts';

const PAGE = fileURLToPath(new URL('../../../docs/configuration.md', import.meta.url));

interface Node {
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
}

/** A row for each key that can be written, in the order of the schema. */
function rows(node: Node, path: string): string[] {
  const own = Object.entries(node.properties ?? {})
    .filter(([key]) => key !== '$schema')
    .flatMap(([key, child]) => [row(child, path + key), ...rows(child, `${path}${key}.`)]);
  const named =
    typeof node.additionalProperties === 'object' ? rows(node.additionalProperties, `${path}NAME.`) : [];
  const listed = node.items === undefined ? [] : rows(node.items, `${path.replace(/\.$/, '')}[].`);
  const variants = [...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((variant) => rows(variant, path));
  return [...new Set([...own, ...named, ...listed, ...variants])];
}

function row(node: Node, path: string): string {
  const value = node.default;
  const shown =
    value === undefined || isTable(value) || (Array.isArray(value) && value.length === 0)
      ? ''
      : `\`${JSON.stringify(value)}\``;
  return `| \`${path}\` | ${(node.description ?? '').replaceAll('|', '\\|')} | ${shown} |`;
}

function isTable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tableOf(role: 'master' | 'worker'): string {
  return ['| key | meaning | default |', '|---|---|---|', ...rows(jsonSchema(role) as Node, '')].join('\n');
}

it('docs/configuration.md has a row for every setting and for nothing else', async () => {
  const page = (['master', 'worker'] as const).reduce(
    (text, role) => {
      const [start, end] = [`<!-- settings of ${role}.yaml -->\n`, `<!-- end of ${role}.yaml -->`];
      const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)];
      expect(to).toBeGreaterThan(from - 1);
      return `${text.slice(0, from)}\n${tableOf(role)}\n\n${text.slice(to)}`;
    },
    readFileSync(PAGE, 'utf8'),
  );
  await expect(page).toMatchFileSnapshot(PAGE);
});
