import { globSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ErrorRow } from '../../../src/base/error.ts';
import { EXIT } from '../../../src/base/exit.ts';

const SRC = join(import.meta.dirname, '../../../src');

/** Every row of every table of codes under `src/`, whatever its file calls the table. */
async function allRows(): Promise<[file: string, code: string, row: ErrorRow<never>][]> {
  const files = globSync('**/*codes.ts', { cwd: SRC }).sort();
  const found: [string, string, ErrorRow<never>][] = [];
  for (const file of files) {
    const exported = (await import(pathToFileURL(join(SRC, file)).href)) as Record<string, unknown>;
    for (const table of Object.values(exported)) {
      const rows = (table as { rows?: Record<string, ErrorRow<never>> } | null)?.rows;
      for (const [code, row] of Object.entries(rows ?? {})) found.push([file, code, row]);
    }
  }
  return found.sort(([, a], [, b]) => (a < b ? -1 : 1));
}

const rows = await allRows();

/** Of the exit codes' table in docs/cli.md. */
const INTRODUCTION = `# Errors

Every error has a code that stays the same, a sentence that says what was tried and how things are, and mostly the next command to
try. With \`--json\` it is \`{"error":{"code","message","hint","retryable"}}\` on stderr. "Again" below means that the same call may succeed
later with nothing changed. What the exit codes mean is in [cli.md](cli.md).

A \`BBX-FAULT\` (exit 70) is none of these: it is a fault of bbx itself. Please report it with the stack that it printed.
`;

describe('docs/errors.md', () => {
  it('has no code twice', () => {
    const codes = rows.map(([, code]) => code);
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  });

  it.each(rows.map(([file, code, row]) => [code, file, row] as const))(
    '%s of %s is well formed',
    (code, _, row) => {
      expect(code).toMatch(/^BBX(-[A-Z0-9]+)+$/);
      expect(Object.values(EXIT)).toContain(row.exit);
      expect(row.about).toMatch(/^(?:[A-Z]|["`]|master\.config\.ts |git ).{20,}\.$/s);
    },
  );

  it.each(rows.filter(([, , row]) => row.hint !== undefined).map(([, code, row]) => [code, row] as const))(
    'the hint of %s is a sentence of its own, without a full stop',
    (_, row) => {
      const filled = new Proxy({}, { get: (_, key) => (key === 'attempts' ? [] : 'Value') }) as never;
      const hint = row.hint?.(filled);
      if (hint !== undefined) expect(hint).toMatch(/^[A-Z].*[^.]$/s);
    },
  );

  it('is what the tables of codes say (write it anew with: vitest -u)', async () => {
    const sections = rows.map(([, code, { about, exit, retryable }]) => {
      const name = Object.entries(EXIT).find(([, number]) => number === exit)?.[0];
      return `## ${code}\n\nExit ${exit} (${name})${retryable === true ? ', again' : ''}. ${about}\n`;
    });
    await expect([INTRODUCTION, ...sections].join('\n')).toMatchFileSnapshot('../../../docs/errors.md');
  });
});
