import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startStep } from '../../src/store/steps.ts';
import { ensureLog, setLogSizes } from '../../src/store/logs.ts';
import { migrations } from '../../src/store/migrations/list.ts';
import { openStore } from '../../src/store/store.ts';
import { command } from '../rigs/command.ts';
import { hasPostgres, makeDatabase } from '../rigs/postgres.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { farmRows } from './store/farm.ts';

const places = {
  SQLite: () => Promise.resolve('sqlite:state.sqlite'),
  PostgreSQL: async () => (await makeDatabase()).url,
};

/** A master's directory that never ran, and commands about it. */
async function make(kind: keyof typeof places, root: string) {
  const url = await places[kind]();
  const dir = join(root, 'master');
  const run = (...args: string[]) => command([...args, '--dir', dir, '--json'], { cwd: root });
  const made = await command(['create-master', dir, '--store', url], { cwd: root });
  expect(made.code).toBe(0);
  return { url, dir, run };
}

describe.each(Object.keys(places) as (keyof typeof places)[])('bbx db on %s', (kind) => {
  const test = kind === 'PostgreSQL' && !hasPostgres() ? it.skip : it;

  test('says of a farm that never ran that there is no store yet', async () => {
    await using temp = await tempDir();
    const { run } = await make(kind, temp.path);
    for (const act of ['check', 'upgrade']) {
      const ran = await run('db', act);
      expect(ran.code).toBe(6);
      expect(ran.stderr).toContain('BBX-STO-MISSING');
    }
  });

  test('upgrades a store of an older bbx once, which then is sound', async () => {
    await using temp = await tempDir();
    const { url, dir, run } = await make(kind, temp.path);
    await (await openStore(url, { dir, migrations: migrations.slice(0, 1) })).close();
    const old = await run('db', 'check');
    expect(old.code).toBe(8);
    expect(old.stderr).toContain('BBX-STO-OLDER-SCHEMA');
    const numbers = migrations.map(({ number }) => number);
    const upgraded = await run('db', 'upgrade');
    expect(upgraded.json()).toMatchObject({
      changed: true,
      schema: numbers.at(-1),
      migrations: numbers.slice(1),
    });
    expect((await run('db', 'upgrade')).json()).toMatchObject({ changed: false, migrations: [] });
    expect((await run('db', 'check')).json()).toMatchObject({ sound: true, findings: [] });
  });

  test('finds a log whose file is gone', async () => {
    await using temp = await tempDir();
    const { url, dir, run } = await make(kind, temp.path);
    {
      await using store = await openStore(url, { dir });
      const { buildid } = await farmRows(store).build('a');
      await store.write(async (tx) => {
        const stepid = await startStep(tx, { buildid, number: 0, name: 's', at: 1 });
        await setLogSizes(tx, [[await ensureLog(tx, stepid, 'stdio'), 100]]);
      });
    }
    const ran = await run('db', 'check');
    expect(ran.code).toBe(1);
    expect(ran.json()).toMatchObject({ sound: false, findings: [{ kind: 'log-missing', bytes: 100 }] });
  });
});

it.skipIf(!hasPostgres())(
  'bbx db on PostgreSQL upgrades nothing under a master of another directory',
  async () => {
    await using temp = await tempDir();
    const { url, run } = await make('PostgreSQL', temp.path);
    await using _held = await openStore(url, { dir: '/elsewhere', sole: true });
    const ran = await run('db', 'upgrade');
    expect(ran.code).toBe(8);
    expect(ran.stderr).toContain('BBX-STO-HELD');
    expect(ran.stderr).toContain('/elsewhere');
  },
);
