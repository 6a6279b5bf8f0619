import { unfinishedBuilds } from '../../store/build-rows.ts';
import type { LogFiles } from '../../store/log-files.ts';
import { logsOfBuild } from '../../store/logs.ts';
import { stepRows } from '../../store/steps.ts';
import type { Store } from '../../store/store.ts';
import type { LogIntake } from './logs.ts';
import { graceOf } from './orphan.ts';
import { courseOf } from './course.ts';
import { logKey, type Running } from './running.ts';
import type { Roster } from './workers/roster.ts';

/** The builds that a former master left without a result, as their rows and log files say; nobody carries them yet. */
export async function loadUnfinished(options: {
  store: Store;
  roster: Roster;
  logs: LogIntake;
  files: LogFiles;
}): Promise<Running[]> {
  const { store, roster, logs, files } = options;
  const found: Running[] = [];
  for (const row of await store.read((db) => unfinishedBuilds(db))) {
    const worker = roster.byId(row.workerid);
    if (worker === undefined) continue;
    const [steps, rowsOfLogs] = await store.read(async (db) => [
      await stepRows(db, row.buildid),
      await logsOfBuild(db, row.buildid),
    ]);
    const build: Running = {
      lease: { build: row.buildid, token: row.token },
      buildid: row.buildid,
      builder: row.builder,
      builderid: row.builderid,
      number: row.number,
      requestid: row.buildrequestid,
      worker,
      attempt: row.attempt,
      // As its worker was told, whatever the configuration says since.
      patient: row.orphan_after === null,
      graceMs: row.orphan_after === null ? 0 : graceOf(row.orphan_after),
      session: undefined,
      lastAt: Math.max(
        row.started_at,
        ...steps.flatMap((step) => [step.started_at ?? 0, step.complete_at ?? 0]),
      ),
      lostAt: row.lost_at,
      cancelReason: row.cancel_reason,
      sequence: row.sequence,
      properties: row.properties,
      stepCount: row.plan.steps.length,
      course: courseOf(row.sequence, steps),
      steps: new Map(),
      logs: new Map(),
      givenUp: false,
      taken: row.sequence > 0,
      ended: false,
      graceTimer: undefined,
    };
    for (const { number, stepid, name } of steps) build.steps.set(number, { stepid, name });
    for (const { step, name, logid, complete, bytes } of rowsOfLogs) {
      // The file says what is stored; the row may be behind it.
      const stored = complete ? bytes : await files.size(logid);
      const open = logs.open(build, step, name, { logid, stored });
      open.complete = open.recorded = complete;
      build.logs.set(logKey(step, name), open);
    }
    found.push(build);
  }
  return found;
}
