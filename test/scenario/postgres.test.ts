import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../../src/base/abort.ts';
import { startPostgres, type PostgresServer } from '../../src/exec/postgres-server.ts';
import { bbx, startBbx } from '../rigs/bbx.ts';
import { startFarm } from '../rigs/farm.ts';
import { hasPostgres, makeDatabase } from '../rigs/postgres.ts';
import { until } from '../rigs/wait.ts';

interface Build {
  number: number;
  result: string | null;
  complete: boolean;
}

const LINES = 400;

/** Prints its lines over about two seconds, so that something happens meanwhile. */
const config = (store: string) => `store: ${JSON.stringify(store)}
workers: { w1: { maxBuilds: 4 } }
builders:
  b:
    workers: { names: [w1] }
    steps:
      - { name: count, run: 'i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo "line $i"; [ $((i % 20)) -ne 0 ] || sleep 0.1; done' }
      - { name: after, run: 'echo done' }
`;

describe.skipIf(!hasPostgres())('a farm on PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  it(
    'loses and doubles nothing while its server crashes in the middle of builds',
    { timeout: 240_000 },
    async () => {
      const database = await makeDatabase({ server });
      await using farm = await startFarm({ config: config(database.url), workers: ['w1'] });
      const wanted = 8;
      for (let n = 0; n < wanted; n += 1) await farm.ask('build', 'start', 'b');
      for (let round = 0; round < 5; round += 1) {
        await sleep(700);
        await server.stop('immediate');
        if (round === 2) {
          // Said, while it lasts, and asked of a master that cannot ask its database.
          const told = await until('status says it', async () => {
            const { lists, trouble } = await farm.client.call('status', {});
            return lists.stale ? trouble.find(({ subject }) => subject === 'store') : undefined;
          });
          expect(told.code).toBe('BBX-STO-AWAY');
        }
        await sleep(300);
        await server.start();
      }
      const builds = await until(
        'all builds ended',
        async () => {
          const ran = await farm.run('build', 'list', '--json');
          if (ran.code !== 0) return undefined;
          const rows = ran.json<Build[]>();
          return rows.length === wanted && rows.every(({ complete }) => complete) ? rows : undefined;
        },
        120_000,
      );
      expect(builds.map(({ result }) => result)).toEqual(builds.map(() => 'success'));
      expect(builds.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
        builds.map((_, index) => index + 1),
      );
      const expected = Array.from({ length: LINES }, (_, index) => `line ${index + 1}\n`).join('');
      for (const { number } of builds) {
        const log = await farm.run('build', 'log', `b/${number}`, '--step', 'count', '--raw');
        expect(`${log.stderr}${log.stdout}`).toBe(expected);
      }
      // One report of each end, whatever was tried again.
      const ends = await database.query(
        `select payload_json::json->>'buildid' as build, count(*)::int as n from events where type = 'build.finished' group by 1`,
      );
      expect(ends).toHaveLength(wanted);
      expect(ends.every(({ n }) => n === 1)).toBe(true);
      const { trouble } = await farm.ask<{ trouble: unknown[] }>('status');
      expect(trouble).toEqual([]);
      expect(farm.master.child.exitCode).toBeNull();
      expect(farm.master.output()).not.toMatch(/fault of bbx|could not be recorded/);
      const checked = await farm.ask<{ sound: boolean; store: string }>('db', 'check');
      expect(checked).toMatchObject({
        sound: true,
        store: expect.stringMatching(/^postgres:\/\//) as string,
      });
    },
  );

  it('has one master: a second ends with 8 and says who is there', async () => {
    const database = await makeDatabase({ server });
    await using farm = await startFarm({ config: config(database.url) });
    await using other = await startFarm({ config: config('sqlite:state.sqlite') });
    await other.master.end();
    await other.writeConfig(config(database.url));
    await using second = startBbx(['run', 'master', other.masterDir], { cwd: other.dir });
    await second.waitFor(/another master holds it \(.+process \d+/, 25_000);
    expect(await second.ended).toBe(8);
    expect((await farm.run('status')).code).toBe(0);
  });

  it('waits at its start for a server that comes later, and can be stopped while it waits', async () => {
    const database = await makeDatabase({ server });
    await using farm = await startFarm({ config: config(database.url) });
    await farm.master.end();
    await server.stop();
    try {
      await using waiting = startBbx(['run', 'master', farm.masterDir], { cwd: farm.dir });
      await waiting.waitFor(/Cannot reach store "postgres:/);
      expect(await waiting.end('SIGTERM')).toBe(0);
      await using later = startBbx(['run', 'master', farm.masterDir], { cwd: farm.dir });
      await later.waitFor(/Cannot reach store "postgres:/);
      await server.start();
      await later.waitFor(/Workers connect to/);
    } finally {
      await server.start();
    }
    const check = await bbx(['db', 'check', '--dir', farm.masterDir], { cwd: farm.dir });
    expect(check.code).toBe(0);
  });
});
