import { readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doctorReport, type DoctorReport } from '../../src/api/doctor.ts';
import { bbx, bbxOk } from '../rigs/bbx.ts';
import { tempDir } from '../rigs/temp-dir.ts';

async function read(file: string): Promise<{ text: string; report: DoctorReport }> {
  const text = await readFile(file, 'utf8');
  return { text, report: doctorReport.parse(JSON.parse(text)) };
}

describe('bbx doctor --report', () => {
  it('keeps the report with all that was seen where only its owner reads it, and no secret', async () => {
    await using dir = await tempDir();
    const at = { cwd: dir.path };
    const made = await bbxOk(
      ['identity', 'new', '--worker', 'w1', '--reach', 'ci.corp.test:9989', '--json'],
      at,
    );
    const secret = made.json<{ workers: { join: string }[] }>().workers[0]?.join ?? '';
    await bbxOk(['create-worker', '--join', '-'], { ...at, input: secret });
    await writeFile(join(dir.path, 'r.json'), 'old', { mode: 0o644 });
    const ran = await bbx(['doctor', '--report', 'r.json', '--budget', '8s'], at);
    expect(ran.stdout).toContain('Report: r.json');
    const { text, report } = await read(join(dir.path, 'r.json'));
    expect((await stat(join(dir.path, 'r.json'))).mode & 0o777).toBe(0o600);
    expect(report).toMatchObject({ vantage: 'worker:w1', budgetMs: 8_000, intent: { source: 'auto' } });
    expect(report.facts?.map(({ probe }) => probe)).toEqual(expect.arrayContaining(['host', 'name']));
    expect(text).toContain('ci.corp.test');
    expect(secret).toMatch(/^bbx1\./);
    expect(text).not.toContain(secret.slice(0, 40));
    expect(text).not.toContain('PRIVATE KEY');
  });

  it('shows what it found although the file cannot be written, and fails', async () => {
    await using dir = await tempDir();
    const ran = await bbx(['doctor', 'host', '--report', 'nowhere/r.json'], { cwd: dir.path });
    expect(ran.stdout).toContain('bbx doctor  host');
    expect(ran.stdout).not.toContain('Report:');
    expect(ran.stderr).toContain('Cannot write report "nowhere/r.json": its folder is not there');
    expect(ran.stderr).toContain('mkdir -p nowhere');
    expect(ran.code).toBe(6);
  });
});

describe('bbx doctor --share', () => {
  it('tells nobody where it was, on the screen, in JSON and in the file', async () => {
    await using dir = await tempDir();
    const at = { cwd: dir.path, env: { USER: 'janette', HOME: '/home/janette' } };
    const args = ['doctor', 'reach', 'ci.corp.test:9989', '--share', '--budget', '8s'];
    const words = await bbx([...args, '-v'], at);
    const json = await bbx([...args, '--json', '--report', 'r.json'], at);
    const { text } = await read(join(dir.path, 'r.json'));
    expect(doctorReport.parse(json.json()).facts).toBeUndefined();
    for (const shown of [words.stdout, json.stdout, text]) {
      expect(shown).toContain('domain-1.example');
      for (const telling of ['corp', 'janette', dir.path]) expect(shown).not.toContain(telling);
      if (hostname().length > 4) expect(shown).not.toContain(hostname());
    }
  });
});
