import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Explanation } from '../../src/diagnostics/explain.ts';
import { BIN, bbx, bbxOk } from '../rigs/bbx.ts';
import { tempDir } from '../rigs/temp-dir.ts';

it('bbx doctor explain tells of a check and of a family, also where only the built program is', async () => {
  await using dir = await tempDir();
  const at = { cwd: dir.path };
  // The rig copies neither docs/ nor src/ beside it.
  if (process.env['BBX_NODE'] !== undefined) expect(existsSync(join(BIN, '../../docs'))).toBe(false);
  const one = (await bbxOk(['doctor', 'explain', 'pth-02', '--json'], at)).json<Explanation>();
  expect(one).toMatchObject({ id: 'PTH-02', about: 'target' });
  expect(one.needs).toContain('PTH-01');
  expect(one.explains).toContain('PTH-03');
  expect(one.text).not.toBe('');
  const words = await bbxOk(['doctor', 'explain', 'PTH-02'], at);
  for (const part of [one.title, 'Severity: ', 'Fix: ', 'Needs: ', 'Explained by: '])
    expect(words.stdout).toContain(part);
  for (const line of words.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);

  const family = (await bbxOk(['doctor', 'explain', 'DNS', '--json'], at)).json<Explanation[]>();
  expect(family.length).toBeGreaterThan(5);
  expect(family.every(({ id }) => id.startsWith('DNS-'))).toBe(true);

  const wrong = await bbx(['doctor', 'explain', 'PHT-02'], at);
  expect(wrong.code).toBe(6);
  expect(wrong.stderr).toContain('"PHT-02" is no check; did you mean PTH-02?');
});
