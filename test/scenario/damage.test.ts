import { randomBytes } from 'node:crypto';
import { open, readFile, readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { migrations } from '../../src/store/migrations/list.ts';
import { openStore } from '../../src/store/store.ts';
import { bbx, bbxOk, startBbx } from '../rigs/bbx.ts';
import { startFarm } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const config = `
workers: { w1: {} }
builders:
  app:
    workers: { names: [w1] }
    steps: [{ name: say, run: 'seq 1 30000' }, { name: quiet, run: 'true' }]
`;

interface Verification {
  verified: boolean;
  logs: { state: string; holes: { from: number; to: number; cause: string }[] }[];
}

it('a log proves what it is; damage on the disk is found, drawn as a hole, and costs only what it held', async () => {
  await using farm = await startFarm({ workers: ['w1'], config });
  for (let turn = 0; turn < 2; turn += 1) await farm.run('build', 'start', 'app', '--wait');
  const build = await farm.ask<BuildObject>('build', 'show', 'app/1');
  const [log] = build.steps?.[0]?.logs ?? [];
  // Three lines are bbx’s own, about the command.
  expect(log).toMatchObject({ lines: 30_003, receipt: 'verified', complete: true });
  expect(log?.sha256).toMatch(/^[0-9a-f]{64}$/);
  const sound = await farm.ask<Verification>('build', 'log', 'app/1', '--verify');
  expect(sound.logs.map(({ state }) => state)).toEqual(['verified', 'verified']);

  const file = join(farm.dir, 'farm.bbx');
  await farm.ask('backup', file);
  await farm.master.end();
  const folder = join(farm.masterDir, 'logs', '0');
  const name = (await readdir(folder)).find((found) => found.startsWith(`${log?.logid}.`));
  await flip(join(folder, name!), 0.5);
  const check = await farm.run('db', 'check', '--json');
  expect(check.code).toBe(1);
  expect(check.json()).toMatchObject({
    sound: false,
    findings: [{ kind: 'log-damaged', logid: log?.logid }],
  });

  await farm.startMaster();
  const shown = await farm.run('build', 'log', 'app/1', '--step', 'say');
  expect(shown.stdout).toMatch(/^-- [\d,]+ bytes missing here \(damaged on the master's disk\) --$/m);
  expect(shown.stdout).not.toContain('\0');
  const hurt = await farm.run('build', 'log', 'app/1', '--verify', '--json');
  expect(hurt.code).toBe(1);
  expect(hurt.json<Verification>().logs[0]).toMatchObject({ state: 'damaged', holes: [{ cause: 'disk' }] });
  expect((await farm.run('build', 'log', 'app/2', '--verify')).code).toBe(0);
  await farm.master.end();

  // A database that is none any more: said by all who need it, with the way out.
  const handle = await open(join(farm.masterDir, 'state.sqlite'), 'r+');
  await handle.write(Buffer.alloc(4_096, 7), 0, 4_096, 0);
  await handle.close();
  const place = { cwd: farm.dir, limitMs: 60_000 };
  const start = await bbx(['run', 'master', farm.masterDir], place);
  expect(start.code).toBe(8);
  expect(start.stderr).toMatch(/is damaged or no database/);
  expect(start.stderr).toMatch(/bbx restore FILE DIR/);
  const lost = await farm.run('db', 'check', '--json');
  expect(lost.code).toBe(1);
  expect(lost.json()).toMatchObject({
    sound: false,
    findings: [{ kind: 'unreadable' }, { kind: 'log-damaged', logid: log?.logid }],
  });
  const again = join(farm.dir, 'again');
  await bbxOk(['restore', file, again], place);
  await bbxOk(['db', 'check', '--dir', again], place);
});

it('a store of an older bbx is backed up as it is, upgraded once, and restored into this schema', async () => {
  await using temp = await tempDir();
  const place = { cwd: temp.path };
  await bbxOk(['create-master', 'm'], place);
  const dir = join(temp.path, 'm');
  const older = migrations.slice(0, -1);
  await (await openStore('sqlite:state.sqlite', { dir, migrations: older })).close();
  const newest = migrations.at(-1)?.number;

  expect((await bbx(['db', 'check', '--dir', dir], place)).stderr).toMatch(/bbx db upgrade/);
  await bbxOk(['backup', 'before.bbx', '--dir', dir], place);
  expect((await stat(join(temp.path, 'before.bbx'))).mode & 0o777).toBe(0o600);
  const upgrade = async () => (await bbxOk(['db', 'upgrade', '--dir', dir, '--json'], place)).json();
  expect(await upgrade()).toMatchObject({ changed: true, migrations: [newest], schema: newest });
  expect(await upgrade()).toMatchObject({ changed: false, migrations: [], schema: newest });
  await bbxOk(['db', 'check', '--dir', dir], place);

  await bbxOk(['restore', 'before.bbx', 'again'], place);
  const check = await bbxOk(['db', 'check', '--dir', 'again', '--json'], place);
  expect(check.json()).toMatchObject({ sound: true, schema: newest });
});

it('a backup that is interrupted leaves what was there', async () => {
  await using temp = await tempDir();
  const place = { cwd: temp.path };
  await bbxOk(['create-master', 'm'], place);
  await (await openStore('sqlite:state.sqlite', { dir: join(temp.path, 'm') })).close();
  await bbxOk(['backup', 'farm.bbx', '--dir', 'm'], place);
  const before = await readFile(join(temp.path, 'farm.bbx'));
  expect((await bbx(['backup', 'farm.bbx', '--dir', 'm'], place)).stderr).toMatch(/it is there already/);
  const onDirectory = await bbx(['backup', 'm', '--force', '--dir', 'm'], place);
  expect(onDirectory.code).toBe(8);
  expect(onDirectory.stderr).toMatch(/it is a directory/);
  const noFolder = await bbx(['backup', 'no/where/farm.bbx', '--dir', 'm'], place);
  expect(noFolder.code).toBe(6);
  expect(noFolder.stderr).toMatch(/"no\/where\/farm\.bbx": its folder is not there[^]*mkdir -p no\/where$/m);
  const noBackup = await bbx(['restore', 'none.bbx', 'new'], place);
  expect(noBackup.code).toBe(6);
  expect(noBackup.stderr).toMatch(/there is no such file[^]*Look where it should be: ls -la/);
  // Large enough that it is not over when it is interrupted.
  await writeFile(join(temp.path, 'm', 'large'), randomBytes(1 << 20), { flag: 'a' });
  await truncate(join(temp.path, 'm', 'large'), 20 * 2 ** 30);
  await using running = startBbx(['backup', 'farm.bbx', '--force', '--dir', 'm'], place);
  await until('it to write', async () =>
    (await readdir(temp.path)).some((name) => name.startsWith('farm.bbx.partial-')),
  );
  expect(await running.end('SIGINT')).toBe(130);
  expect((await readdir(temp.path)).toSorted()).toEqual(['farm.bbx', 'm']);
  expect((await readFile(join(temp.path, 'farm.bbx'))).equals(before)).toBe(true);
});

async function flip(file: string, share: number): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  const at = Math.floor(size * share);
  await handle.read(byte, 0, 1, at);
  byte[0]! ^= 1;
  await handle.write(byte, 0, 1, at);
  await handle.close();
}
