import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx, bbxOk, startBbx } from '../rigs/bbx.ts';
import { freePort } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';

it('bbx doctor compare joins the reports of both ends', async () => {
  await using dir = await tempDir();
  const at = { cwd: dir.path };
  const port = await freePort('127.0.0.1');
  await bbxOk(
    [
      'create-master',
      '--listen',
      `127.0.0.1:${port}`,
      '--web-listen',
      'localhost:0',
      '--reach',
      `127.0.0.1:${port}`,
    ],
    at,
  );
  await using master = startBbx(['run', 'master'], at);
  await bbxOk(['status', '--wait', '20s'], at);
  await bbxOk(['doctor', '--report', 'master.json', '--dir', 'master'], at);

  await bbxOk(['doctor', 'reach', `127.0.0.1:${port}`, '--report', 'good.json'], at);
  const good = await bbx(['doctor', 'compare', 'good.json', 'master.json', '--json'], at);
  expect(good.json<DoctorReport>()).toMatchObject({ verdict: 'ok', verdicts: [{ verdict: 'reachable' }] });
  expect(good.code).toBe(0);

  await bbx(['doctor', 'reach', `[::1]:${port}`, '--report', 'bad.json'], at);
  const bad = await bbx(['doctor', 'compare', 'master.json', 'bad.json'], at);
  expect(bad.stdout).toMatch(/does not listen on IPv6, port \d+ +LSN-02/);
  expect(bad.code).toBe(1);

  // A report with stand-ins of its own joins with none; those that may be shown come of the comparison.
  await bbxOk(
    ['doctor', 'reach', `127.0.0.1:${port}`, '--only', 'PTH-01', '--share', '--report', 'shared.json'],
    at,
  );
  const apart = await bbx(['doctor', 'compare', 'shared.json', 'master.json'], at);
  expect(apart.stderr).toMatch(/"shared.json" was made with --share[^]*compare A.json B.json --share/);
  expect(apart.code).toBe(2);
  const together = await bbx(['doctor', 'compare', 'master.json', 'bad.json', '--share', '--json'], at);
  expect(together.json<DoctorReport>()).toMatchObject({ shared: true, verdict: 'error' });
  await master.end();

  await using elsewhere = await tempDir();
  const file = join(dir.path, 'host.json');
  await bbxOk(['doctor', 'host', '--report', file], { cwd: elsewhere.path });
  expect((await bbx(['doctor', 'compare', 'host.json', 'master.json'], at)).code).toBe(12);
});

it('bbx doctor compare joins by nonce what a listener for probes has heard', async () => {
  await using dir = await tempDir();
  const at = { cwd: dir.path };
  const port = await freePort('127.0.0.1');
  const listenArgs = ['doctor', 'listen', `127.0.0.1:${port}`, '--probe', '--json'];
  await using heard = startBbx(listenArgs, at);
  const [, token = ''] = await heard.waitFor(/"token":"([^"]+)"/);
  await bbxOk(['doctor', 'reach', `127.0.0.1:${port}`, '--token', token, '--report', 'worker.json'], at);
  await heard.waitFor(/"type":"ended"/);
  await heard.end('SIGINT');
  await writeFile(join(dir.path, 'heard.jsonl'), heard.stdout());
  const good = await bbx(['doctor', 'compare', 'worker.json', 'heard.jsonl', '--json'], at);
  expect(good.json<DoctorReport>()).toMatchObject({ findings: [], verdicts: [{ verdict: 'reachable' }] });
  expect(good.code).toBe(0);

  // The same listener, to which nobody came: somebody else has answered.
  await writeFile(join(dir.path, 'silent.jsonl'), `${heard.stdout().split('\n')[0]}\n`);
  const bad = await bbx(['doctor', 'compare', 'worker.json', 'silent.jsonl'], at);
  expect(bad.stdout).toMatch(/WRONG PEER .*Something else answered/);
  expect(bad.code).toBe(1);
});

it('bbx doctor compare refuses one report given twice', async () => {
  await using dir = await tempDir();
  const at = { cwd: dir.path };
  await bbxOk(['doctor', 'clock', '--only', 'CLK-02', '--report', 'one.json'], at);
  await copyFile(join(dir.path, 'one.json'), join(dir.path, 'copy.json'));
  const ran = await bbx(['doctor', 'compare', 'one.json', 'copy.json'], at);
  expect(ran.stderr).toContain('"one.json" and "copy.json" are one report');
  expect(ran.code).toBe(2);
});

it.each([
  ['nothing.json', undefined, 6, 'no such file'],
  ['.', undefined, 2, 'it is a folder'],
  ['text.json', 'no json', 2, 'it is no JSON'],
  ['other.json', '{"schema":"x"}', 2, 'does not have the form bbx.doctor/1, from "schema" on\n'],
])('bbx doctor compare %s says what is wrong with the file', async (file, text, code, words) => {
  await using dir = await tempDir();
  if (text !== undefined) await writeFile(join(dir.path, file), text);
  const ran = await bbx(['doctor', 'compare', file, file], { cwd: dir.path });
  expect(ran.code).toBe(code);
  expect(ran.stderr).toContain(words);
  expect(ran.stderr).toContain('bbx doctor --dir ./master --report master.json');
  expect(ran.stderr).not.toContain('backup');
});
