import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import type { BuildObject, StatusObject, WorkerObject } from '../../src/api/objects.ts';
import { bbx, bbxOk, startBbx } from '../rigs/bbx.ts';
import { freePort, startFarm } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

/** `quick` ends at once, `slow` and `late` when the gate is there; all say in whose life of the store they run. */
const config = (gate: string) => `
workers: { w1: {} }
builders:
  quick:
    workers: { names: [w1] }
    steps: [{ name: say, run: 'echo "life $LIFE"; seq 1 2000', env: { LIFE: "\${{ life }}" } }]
${['slow', 'late']
  .map(
    (name) => `
  ${name}:
    workers: { names: [w1] }
    steps:
      - name: say
        env: { LIFE: "\${{ life }}" }
        run: 'echo "life $LIFE"; while [ ! -e ${gate} ]; do sleep 0.1; done; echo done'
`,
  )
  .join('')}`;

it('a farm restored from a backup on another address: workers come back by themselves, and nothing of the other life is mixed in', async () => {
  await using dir = await tempDir();
  const gate = join(dir.path, 'gate');
  const second = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const host = '127.0.0.1';
  const first = `${host}:${await freePort(host)}`;
  await using farm = await startFarm({
    config: config(gate),
    listen: { workers: first, web: `${host}:0` },
    // Both addresses are known to the workers before anything happens.
    reach: `${first}", "${second}`,
    workerFlags: ['--max-builds', '4'],
  });
  // The worker itself is given one of them; it learns the other.
  await farm.startWorker('w1', first);
  const start = async (builder: string, life: string, ...more: string[]) =>
    farm.run('build', 'start', builder, '--property', `life=${life}`, ...more);
  await until('the worker to know both ways', async () =>
    (await readFile(join(farm.dir, 'w1', '.bbx', 'learned.json'), 'utf8')).includes(second),
  );

  for (let number = 1; number <= 3; number += 1) await start('quick', 'one', '--wait');
  await start('slow', 'one');
  await farm.printed('slow', 'life one');
  const file = join(dir.path, 'farm.bbx');
  const backup = await farm.ask<{ running: number; logs: number }>('backup', file);
  expect(backup).toMatchObject({ running: 1, logs: 4 });
  expect((await farm.run('backup', file)).code).toBe(8);

  // What comes after the backup is lost with the master; one of it still runs at the worker.
  for (let number = 4; number <= 5; number += 1) await start('quick', 'lost', '--wait');
  await start('late', 'lost');
  await farm.printed('late/1', 'life lost');
  await farm.master.end('SIGKILL');
  await rm(farm.masterDir, { recursive: true });

  const again = join(farm.dir, 'again');
  const place = { cwd: farm.dir, limitMs: 60_000 };
  await bbxOk(['restore', file, again], place);
  expect((await bbx(['restore', file, again], place)).code).toBe(8);
  await bbxOk(['config', 'set', 'listen.workers', second, '--dir', again], place);
  await using master = startBbx(['run', 'master', again], place);
  const ask = async <Value>(...args: string[]) =>
    (await bbxOk([...args, '--dir', again, '--json'], place)).json<Value>();
  await bbxOk(['status', '--wait', '20s', '--dir', again], place);
  await bbxOk(['worker', 'show', 'w1', '--wait', 'attached', '--dir', again], place);

  // The builds of the other life are named at the master, and kept at the worker.
  await master.waitFor(/set aside build late\/1 of the store's other life/);
  const worker = await ask<WorkerObject>('worker', 'show', 'w1');
  expect(worker.notes.join()).toMatch(
    /set aside builds (slow\/1, late\/1|late\/1, slow\/1) of the store's other life/,
  );
  const status = await ask<StatusObject>('status');
  expect(status.trouble.map(({ message }) => message).join()).toContain('late/1');
  const kept = (await readdir(join(farm.dir, 'w1', 'spool'))).filter((name) => name.startsWith('old-'));
  expect(kept).toHaveLength(1);

  // The one that ran then is tried again.
  await writeFile(gate, '');
  await until('the slow build’s request to end', async () => {
    const builds = await ask<BuildObject[]>('build', 'list', '--builder', 'slow');
    return builds.length === 2 && builds.every(({ complete }) => complete);
  });
  const slow = await ask<BuildObject[]>('build', 'list', '--builder', 'slow');
  expect(slow.map(({ number, result }) => [number, result])).toEqual([
    [2, 'success'],
    [1, 'retry'],
  ]);
  expect(slow[1]?.state_string).toMatch(/restored from a backup/);

  await bbxOk(['build', 'start', 'late', '--property', 'life=two', '--wait', '--dir', again], place);
  // Numbers 4 and 5, and that of the late build, are used again: what they hold is theirs alone.
  for (let number = 4; number <= 5; number += 1)
    await bbxOk(['build', 'start', 'quick', '--property', 'life=two', '--wait', '--dir', again], place);
  const text = async (name: string) =>
    (await bbxOk(['build', 'log', name, '--raw', '--dir', again], place)).stdout;
  const lines = Array.from({ length: 2000 }, (_, line) => `${line + 1}\n`).join('');
  for (const number of [1, 2, 3]) expect(await text(`quick/${number}`)).toBe(`life one\n${lines}`);
  for (const number of [4, 5]) expect(await text(`quick/${number}`)).toBe(`life two\n${lines}`);
  expect(await text('slow/2')).toBe('life one\ndone\n');
  expect(await text('late/1')).toBe('life two\ndone\n');
  const quick = await ask<BuildObject[]>('build', 'list', '--builder', 'quick');
  expect(quick.map(({ number, result }) => [number, result])).toEqual(
    [5, 4, 3, 2, 1].map((number) => [number, 'success']),
  );

  // The worker's process is the one that was there from the beginning; a restart of the master reports nothing twice.
  expect(farm.workers.get('w1')?.child.exitCode).toBeNull();
  await master.end();
  await using once = startBbx(['run', 'master', again], place);
  await bbxOk(['status', '--wait', '20s', '--dir', again], place);
  await bbxOk(['worker', 'show', 'w1', '--wait', 'attached', '--dir', again], place);
  await once.end();
  using rows = new DatabaseSync(join(again, 'state.sqlite'), { readOnly: true });
  const events = rows.prepare("select payload_json from events where type = 'build.aside'").all();
  const named = events.map((row) => (JSON.parse(String(row['payload_json'])) as { build: string }).build);
  expect(named.toSorted()).toEqual(['late/1', 'slow/1']);
  expect((await bbx(['db', 'check', '--dir', again], place)).code).toBe(0);
});
