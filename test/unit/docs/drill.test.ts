import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAULTS } from '../../../src/drill/faults/table.ts';

it('docs/drill.md has every fault, with what must hold, in the order of the list', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/drill.md'), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => /^\| `[a-z-]+` \|.*\|.*\|$/.test(line) && line.split('|').length === 5);
  expect(rows).toEqual(FAULTS.map(({ name, title, holds }) => `| \`${name}\` | ${title} | ${holds} |`));
});
