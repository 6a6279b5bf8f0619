import { sql } from 'kysely';
import { lastEventId } from '../../src/store/events.ts';
import { openStore } from '../../src/store/store.ts';

/**
 * Writes the past of a farm into the store of a master that does not run: so many builds of `app` on `w1`, each with its set, request, step,
 * log (whose file retention has taken) and events; and so many requests of `waiting` that no worker takes. Gives the newest event's position.
 */
export async function writeHistory(dir: string, rows: { builds: number; waiting?: number }): Promise<number> {
  await using store = await openStore('sqlite:state.sqlite', { dir });
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
      sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})`;
    const begun = sql`(${now} - (${builds} - i) * 60.0)`;
    if (builds > 0) {
      await sql`insert into buildsets (buildsetid, reason, revision, properties_json, submitted_at, complete_at, results)
        ${times(builds)} select ${at.set} + i, 'forced', printf('%040x', i), '{}', ${begun}, ${begun} + 30, 0 from n`.execute(
        tx,
      );
      await sql`insert into buildrequests (buildrequestid, buildsetid, builderid, priority, submitted_at, claimed_at, complete_at, results)
        ${times(builds)} select ${at.request} + i, ${at.set} + i, ${app}, 0, ${begun}, ${begun}, ${begun} + 30, 0 from n`.execute(
        tx,
      );
      await sql`insert into builds (buildid, builderid, number, buildrequestid, workerid, attempt, token, sequence, plan_json, started_at,
          complete_at, results, state_string, properties_json, logs_pruned)
        ${times(builds)} select ${at.build} + i, ${app}, ${at.number} + i, ${at.request} + i, ${worker}, 1, '1-0123456789abcdef', 4, '{}',
          ${begun}, ${begun} + 30, 0, 'build successful', '{"builder":"app"}', 1 from n`.execute(tx);
      await sql`insert into steps (stepid, buildid, number, name, started_at, complete_at, results, state_string, rc)
        ${times(builds)} select ${at.step} + i, ${at.build} + i, 0, 'true', ${begun}, ${begun} + 30, 0, 'true', 0 from n`.execute(
        tx,
      );
      await sql`insert into logs (stepid, name, bytes, complete, pruned)
        ${times(builds)} select ${at.step} + i, 'stdio', 100, 1, 1 from n`.execute(tx);
      await sql`insert into events (at, type, payload_json)
        ${times(builds * 4)} select ${now} - 1, 'step.finished', '{"buildid":1,"stepid":1,"number":0,"results":0}' from n`.execute(
        tx,
      );
      await sql`update builders set next_number = next_number + ${builds} where builderid = ${app}`.execute(
        tx,
      );
    }
    if (waiting > 0) {
      const other = await id('builders', 'builderid', 'waiting');
      await sql`insert into buildsets (buildsetid, reason, properties_json, submitted_at)
        ${times(waiting)} select ${at.set + builds} + i, 'forced', '{}', ${now} from n`.execute(tx);
      await sql`insert into buildrequests (buildsetid, builderid, priority, submitted_at)
        ${times(waiting)} select ${at.set + builds} + i, ${other}, 0, ${now} from n`.execute(tx);
    }
  });
  return store.read((db) => lastEventId(db));
}
