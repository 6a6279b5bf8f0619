import { sql } from 'kysely';
import { loadMaster } from '../../src/config/master.ts';
import { lastIds, setLastIds } from '../../src/store/dump.ts';
import { lastEventId } from '../../src/store/events.ts';
import { openStore } from '../../src/store/store.ts';

/**
 * Writes the past of a farm into the store of a master that does not run: so many builds of `app` on `w1`, each with its set, request, step,
 * log (whose file retention has taken) and events; and so many requests of `waiting` that no worker takes. Gives the newest event's position.
 */
export async function writeHistory(dir: string, rows: { builds: number; waiting?: number }): Promise<number> {
  const { config } = await loadMaster(dir);
  await using store = await openStore(config.store, { dir });
  const { builds, waiting = 0 } = rows;
  const now = Date.now() / 1000;
  await store.write(async (tx) => {
    const id = async (table: 'builders' | 'workers', column: 'builderid' | 'workerid', name: string) => {
      const found = await sql<{
        id: number;
      }>`select ${sql.ref(column)} as id from ${sql.table(table)} where name = ${name}`.execute(tx);
      const [row] = found.rows;
      if (row === undefined) throw new Error(`no ${name} in ${table}`);
      return row.id;
    };
    const app = await id('builders', 'builderid', 'app');
    const worker = await id('workers', 'workerid', 'w1');
    const last = await sql<{
      set: number;
      request: number;
      build: number;
      step: number;
      number: number;
    }>`select
      (select coalesce(max(buildsetid), 0) from buildsets) as "set",
      (select coalesce(max(buildrequestid), 0) from buildrequests) as request,
      (select coalesce(max(buildid), 0) from builds) as build,
      (select coalesce(max(stepid), 0) from steps) as step,
      (select next_number - 1 from builders where builderid = ${app}) as number`.execute(tx);
    const at = last.rows[0]!;
    const times = (count: number) =>
      sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${sql.lit(count)})`;
    const begun = sql`(${sql.lit(now)} - (${sql.lit(builds)} - i) * 60.0)`;
    // Forty hexadecimal digits in either SQL.
    const revision = sql`${sql.lit('0'.repeat(31))} || (100000000 + i)`;
    if (builds > 0) {
      await sql`insert into buildsets (buildsetid, reason, revision, properties_json, submitted_at, complete_at, results)
        ${times(builds)} select ${sql.lit(at.set)} + i, 'forced', ${revision}, '{}', ${begun}, ${begun} + 30, 0 from n`.execute(
        tx,
      );
      await sql`insert into buildrequests (buildrequestid, buildsetid, builderid, priority, submitted_at, claimed_at, complete_at, results)
        ${times(builds)} select ${sql.lit(at.request)} + i, ${sql.lit(at.set)} + i, ${sql.lit(app)}, 0, ${begun}, ${begun}, ${begun} + 30, 0 from n`.execute(
        tx,
      );
      await sql`insert into builds (buildid, builderid, number, buildrequestid, workerid, attempt, token, sequence, plan_json, started_at,
          complete_at, results, state_string, properties_json, logs_pruned)
        ${times(builds)} select ${sql.lit(at.build)} + i, ${sql.lit(app)}, ${sql.lit(at.number)} + i, ${sql.lit(at.request)} + i, ${sql.lit(worker)}, 1, '1-0123456789abcdef', 4, '{}',
          ${begun}, ${begun} + 30, 0, 'build successful', '{"builder":"app"}', 1 from n`.execute(tx);
      await sql`insert into steps (stepid, buildid, number, name, started_at, complete_at, results, state_string, rc)
        ${times(builds)} select ${sql.lit(at.step)} + i, ${sql.lit(at.build)} + i, 0, 'true', ${begun}, ${begun} + 30, 0, 'true', 0 from n`.execute(
        tx,
      );
      await sql`insert into logs (stepid, name, bytes, complete, pruned)
        ${times(builds)} select ${sql.lit(at.step)} + i, 'stdio', 100, 1, 1 from n`.execute(tx);
      await sql`insert into events (at, type, payload_json)
        ${times(builds * 4)} select ${sql.lit(now)} - 1, 'step.finished', '{"buildid":1,"stepid":1,"number":0,"results":0}' from n`.execute(
        tx,
      );
      await sql`update builders set next_number = next_number + ${builds} where builderid = ${app}`.execute(
        tx,
      );
    }
    if (waiting > 0) {
      const other = await id('builders', 'builderid', 'waiting');
      await sql`insert into buildsets (buildsetid, reason, properties_json, submitted_at)
        ${times(waiting)} select ${sql.lit(at.set + builds)} + i, 'forced', '{}', ${sql.lit(now)} from n`.execute(
        tx,
      );
      await sql`insert into buildrequests (buildrequestid, buildsetid, builderid, priority, submitted_at)
        ${times(waiting)} select ${sql.lit(at.request + builds)} + i, ${sql.lit(at.set + builds)} + i, ${sql.lit(other)}, 0, ${sql.lit(now)} from n`.execute(
        tx,
      );
    }
    if (store.dialect === 'postgres') {
      // SQLite goes on behind the highest number by itself.
      const [buildsets, buildrequests] = [at.set + builds + waiting, at.request + builds + waiting];
      const given = { buildsets, buildrequests, builds: at.build + builds, steps: at.step + builds };
      await setLastIds(store, tx, { ...(await lastIds(store, tx)), ...given });
    }
  });
  return await store.read((db) => lastEventId(db));
}
