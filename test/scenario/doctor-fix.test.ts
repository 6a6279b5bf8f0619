import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { fix } from '../../src/commands/doctor-fix.ts';
import { createContext } from '../../src/commands/terminal/context.ts';
import type { Examined } from '../../src/diagnostics/examine.ts';
import { BIN, bbx, bbxOk } from '../rigs/bbx.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { onTerminal, wantOfTerminal } from '../rigs/terminal.ts';

const WRONG =
  "# ours\nlisten:\n  workers:\n    - ::1:9989\n    - '2001:db8::2:9989'\n  web: ::1:8010 # web\r\n";
const RIGHT = WRONG.replace('::1:9989', '"[::1]:9989"')
  .replace('2001:db8::2:9989', '[2001:db8::2]:9989')
  .replace('::1:8010', '"[::1]:8010"');

async function broken(dir: string): Promise<string> {
  await mkdir(join(dir, 'master'));
  const file = join(dir, 'master', 'master.yaml');
  await writeFile(file, WRONG, { mode: 0o640 });
  return file;
}

describe('bbx doctor --fix', () => {
  it('shows what it would change, and changes nothing without a terminal and a yes', async () => {
    await using dir = await tempDir();
    const file = await broken(dir.path);
    const ran = await bbx(['doctor', 'config', '--fix'], { cwd: dir.path });
    expect(ran.stdout).toContain('Would change master/master.yaml');
    expect(ran.stdout).toContain('+  web: "[::1]:8010" # web');
    expect(ran.code).toBe(1);
    expect(await readFile(file, 'utf8')).toBe(WRONG);
    expect(await readdir(join(dir.path, 'master'))).toEqual(['master.yaml']);
  });

  it('changes those places alone, keeps the former text, and looks again', async () => {
    await using dir = await tempDir();
    const file = await broken(dir.path);
    await writeFile(`${file}.old`, 'older');
    const ran = await bbx(['doctor', 'config', 'master', '--fix', '--yes', '--json'], { cwd: dir.path });
    const report = ran.json<DoctorReport>();
    expect(report.findings.filter(({ status }) => status === 'error')).toEqual([]);
    expect(report.changes).toMatchObject([
      { file: 'master/master.yaml', state: 'made', backup: 'master/master.yaml.old.1' },
    ]);
    expect(ran.code).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(RIGHT);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(await readFile(`${file}.old.1`, 'utf8')).toBe(WRONG);
    expect(await readFile(`${file}.old`, 'utf8')).toBe('older');
    const again = await bbxOk(['doctor', 'config', 'master', '--fix', '--yes', '--json'], { cwd: dir.path });
    expect(again.json<DoctorReport>().changes).toEqual([]);
  });

  it.each(['master', "it's ours"])(
    'prints the command that makes the change, of a file in %s',
    async (name) => {
      await using dir = await tempDir();
      await broken(dir.path);
      await rename(join(dir.path, 'master'), join(dir.path, name));
      const ran = await bbx(['doctor', 'config', name], { cwd: dir.path });
      const commands = ran.stdout.split('\n').filter((line) => line.startsWith('        bbx '));
      expect(commands).toHaveLength(3);
      const pasted = `bbx() { "$0" "$@"; }; ${commands[0]!.trim()} --yes`;
      await promisify(execFile)('sh', ['-c', pasted, BIN], { cwd: dir.path });
      expect(await readFile(join(dir.path, name, 'master.yaml'), 'utf8')).toBe(RIGHT);
    },
  );

  it('takes the reading of a key away from others', async () => {
    await using dir = await tempDir();
    await bbxOk(['create-master'], { cwd: dir.path });
    const keys = (await readdir(join(dir.path, 'master'), { recursive: true })).filter((name) =>
      /\.key$|key\.pem$/.test(name),
    );
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) await chmod(join(dir.path, 'master', key), 0o644);
    const ran = await bbx(['doctor', '--only', 'TLS-09', '--fix', '--yes'], { cwd: dir.path });
    expect(ran.stdout).toContain('new mode 100600');
    for (const key of keys) expect((await stat(join(dir.path, 'master', key))).mode & 0o777).toBe(0o600);
  });

  it('leaves alone what stands behind a link', async () => {
    await using dir = await tempDir();
    await mkdir(join(dir.path, 'master'));
    await writeFile(join(dir.path, 'theirs'), WRONG);
    await symlink('../theirs', join(dir.path, 'master', 'master.yaml'));
    const ran = await bbx(['doctor', 'config', '--fix', '--yes', '--json'], { cwd: dir.path });
    expect(ran.json<DoctorReport>().changes).toEqual([]);
    expect(await readFile(join(dir.path, 'theirs'), 'utf8')).toBe(WRONG);
  });

  it.each(['nothing is better', 'the second look fails'])('takes a change back when %s', async (why) => {
    await using dir = await tempDir();
    const file = join(dir.path, 'f');
    await writeFile(file, 'old text');
    const finding = { id: 'CFG-02', status: 'error' };
    const proposal = {
      finding,
      fix: {},
      change: { file, shown: 'f', edits: [{ at: 0, was: 'old', becomes: 'new' }] },
    };
    const examined = { report: { findings: [finding] }, proposals: [proposal] } as unknown as Examined;
    const seen: string[] = [];
    const look = async () => {
      seen.push(await readFile(file, 'utf8'));
      if (seen.length > 1 && why !== 'nothing is better') throw new Error('it fails');
      return examined;
    };
    const context = { ...createContext([]), interactive: false };
    const run = fix(context, look, { yes: true, show: () => undefined });
    if (why === 'nothing is better')
      expect((await run).changes).toMatchObject([{ file: 'f', state: 'undone' }]);
    else await expect(run).rejects.toThrow('it fails');
    expect(seen).toEqual(['old text', 'new text']);
    expect(await readFile(file, 'utf8')).toBe('old text');
    expect(await readdir(dir.path)).toEqual(['f']);
  });
});

describe.skipIf(skipAloud('the question of bbx doctor --fix', wantOfTerminal()))(
  'the question of bbx doctor --fix at a terminal',
  () => {
    it.each<[typed: string, changed: boolean, words: string, code: number]>([
      ['yes\r', true, 'Changed master/master.yaml; its former text is master/master.yaml.old', 0],
      // Who only presses Enter has not agreed.
      ['\r', false, 'Would change master/master.yaml', 1],
      ['\u0003', false, 'Would change master/master.yaml', 130],
    ])('answered %j', async (typed, changed, words, code) => {
      await using dir = await tempDir();
      const file = await broken(dir.path);
      const ran = await onTerminal(['doctor', 'config', '--only', 'CFG', '--fix'], {
        cwd: dir.path,
        types: [[/Make these changes\?/, typed]],
      });
      // What is asked about stands before the question.
      expect(ran.shown.slice(0, ran.shown.indexOf('Make these changes?'))).toContain(
        '+  web: "[::1]:8010" # web',
      );
      expect(ran.shown).toContain(words);
      expect(ran.code).toBe(code);
      expect(await readFile(file, 'utf8')).toBe(changed ? RIGHT : WRONG);
    });
  },
);
