import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ReadPiece } from '../../../src/api/log-pieces.ts';
import type { BuildObject, LogObject, StepObject } from '../../../src/api/objects.ts';
import { writeLogLines } from '../../../src/commands/log-lines.ts';
import type { Context } from '../../../src/commands/terminal/context.ts';

/** What is printed of a log that comes in these pieces. */
async function linesOf(pieces: readonly Buffer[]): Promise<{ text?: string; base64?: string }[]> {
  let out = '';
  const stdout = {
    write(text: string, done: (error?: Error) => void) {
      out += text;
      done();
    },
  };
  const context = { stdout, signal: new AbortController().signal } as never as Context;
  const all = (async function* () {
    for (const data of pieces)
      yield { offset: 0, at: 0, channel: 'stdout', bytes: data.length, data } satisfies ReadPiece;
  })();
  const build = { buildid: 1, builder: 'a', number: 1 } as BuildObject;
  await writeLogLines(context, build, { number: 0 } as StepObject, { name: 'stdio' } as LogObject, all);
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { text?: string; base64?: string });
}

const cut = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );

it.each([65_536, 65_535, 40_000, 131_072])(
  'gives whole lines of text that comes %i bytes at a time',
  async (size) => {
    const text = 'zwölf Boxkämpfer — ✓\n'.repeat(20_000);
    const lines = await linesOf(cut(Buffer.from(text), size));
    expect(lines.map((line) => line.text).join('')).toBe(text);
    expect(lines.every((line) => line.text?.endsWith('\n'))).toBe(true);
  },
);

it('cuts a line that does not end between two characters', async () => {
  const text = '✓'.repeat(100_000);
  const lines = await linesOf(cut(Buffer.from(text), 65_536));
  expect(lines.map((line) => line.text).join('')).toBe(text);
});

it('gives any bytes as they are, wherever they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 1, max: 50 }),
      async (bytes, size) => {
        const lines = await linesOf(cut(Buffer.from(bytes), size));
        const parts = lines.map(({ text, base64 }) =>
          Buffer.from(text ?? base64 ?? '', text === undefined ? 'base64' : 'utf8'),
        );
        expect(Buffer.concat(parts).equals(Buffer.from(bytes))).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});
