import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluateConfig } from '../../../src/config/code.ts';
import { loadMaster } from '../../../src/config/master.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const HEAD = "import { defineMaster } from 'bbx';\n";

async function evaluate(text: string, options: { timeoutMs?: number } = {}) {
  await using dir = await tempDir();
  const file = join(dir.path, 'master.config.ts');
  await writeFile(file, text);
  return (await evaluateConfig(file, options)).value;
}

describe('a master.config.ts', () => {
  it('gives plain data, and finds bbx wherever it stands', async () => {
    const text = `${HEAD}const names: string[] = ['a', 'b'];\nexport default defineMaster({ title: names.join('+'), url: undefined });\n`;
    expect(await evaluate(text)).toEqual({ title: 'a+b' });
  });

  it('may import its neighbours', async () => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, 'names.ts'), 'export const title: string = "from beside";');
    await writeFile(
      join(dir.path, 'master.config.ts'),
      `${HEAD}import { title } from './names.ts';\nexport default defineMaster({ title });`,
    );
    expect((await loadMaster(dir.path)).config.title).toBe('from beside');
  });

  it.each([
    ['throws', 'throw new Error("no luck");', 'it threw Error: no luck'],
    ['does not parse', 'export default {', 'it threw SyntaxError'],
    ['exports nothing', 'export const a = 1;', 'it has no default export'],
    ['exports no object', 'export default 5;', 'its default export is no configuration'],
    [
      'holds a function',
      'export default { builders: { "a b": { steps: [{ run: () => 1 }] } } };',
      'builders["a b"].steps[0].run is a function: only plain data can be configured',
    ],
    [
      'holds a date',
      'export default { title: new Date() };',
      'title is a Date: only plain data can be configured',
    ],
    ['holds no number', 'export default { a: NaN };', 'a is NaN, which is no number that can be written'],
    ['holds itself', 'const a = {}; a.b = a; export default a;', 'b holds itself'],
    ['writes to stdout', 'console.log("hello"); export default {};', 'it writes to standard output'],
    ['ends early', 'process.exit(3);', 'it ended (exit code 3) before it gave its configuration'],
    [
      'kills itself',
      'process.kill(process.pid, "SIGKILL"); await new Promise(() => setTimeout(() => 1, 1e6));',
      'it ended (signal SIGKILL) before',
    ],
    ['is too large', 'export default { title: "x".repeat(3e6) };', 'it gives more than 1048576 bytes'],
  ])('that %s is an error that says so', async (_, text, message) => {
    await expect(evaluate(text)).rejects.toMatchObject({
      code: 'BBX-CFG-CODE',
      exit: 7,
      message: expect.stringContaining(message) as string,
    });
  });

  it('that does not end is killed, and what it started with it', async () => {
    const text =
      'import { spawn } from "node:child_process"; spawn("sleep", ["60"], { stdio: "inherit" }); await new Promise((r) => setTimeout(r, 60_000)); export default {};';
    const started = performance.now();
    await expect(evaluate(text, { timeoutMs: 500 })).rejects.toThrow('it did not end within 0.5 s');
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('ends with the signal that is given', async () => {
    await using dir = await tempDir();
    const file = join(dir.path, 'master.config.ts');
    await writeFile(file, 'await new Promise((r) => setTimeout(r, 60_000));');
    const reason = new Error('enough');
    await expect(evaluateConfig(file, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const later = new AbortController();
    const running = evaluateConfig(file, { signal: later.signal });
    setTimeout(() => later.abort(reason), 300);
    await expect(running).rejects.toBe(reason);
  });

  it('is checked by the same schema, with key paths in place of lines', async () => {
    await using dir = await tempDir();
    await writeFile(
      join(dir.path, 'master.config.ts'),
      'export default { builders: { a: { steps: [{ run: "x", timeot: "5m" }] } } };',
    );
    await expect(loadMaster(dir.path)).rejects.toMatchObject({
      code: 'BBX-CFG-INVALID',
      message: expect.stringMatching(
        /master\.config\.ts: builders\.a\.steps\[0\]\.timeot: unknown key "timeot"; did you mean "timeout"\?/,
      ) as string,
    });
  });
});
