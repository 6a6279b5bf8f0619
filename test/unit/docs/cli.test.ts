import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EXIT } from '../../../src/base/exit.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');

it('docs/cli.md has every exit code, once, and no other', () => {
  const documented = [...page.matchAll(/^\| (\d+) \| (\w+) \| .+ \|$/gm)].map(([, code, name]) => [
    name,
    Number(code),
  ]);
  const real = Object.entries(EXIT).map(([name, code]) => [name, code]);
  const order = (rows: unknown[][]) => rows.map((row) => row.join(' ')).sort();
  expect(order(documented)).toEqual(order(real));
});
