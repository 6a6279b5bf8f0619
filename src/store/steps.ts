import type { Selectable } from 'kysely';
import { resultNumber, type Result } from '../build/results.ts';
import type { Db, Tx } from './database.ts';
import { logsOfSteps } from './logs.ts';
import type { LogRow } from './logs.ts';
import type { Tables } from './tables.ts';

type StepRow = Selectable<Tables['steps']>;

/** A step with its logs, in the order in which they were begun. */
export interface StepListRow extends StepRow {
  logs: LogRow[];
}

/** Begins a step, or gives the one with that number that was begun before. Gives its id. */
export async function startStep(
  tx: Tx,
  step: { buildid: number; number: number; name: string; at: number },
): Promise<number> {
  const { buildid, number, name, at } = step;
  const { stepid } = await tx
    .insertInto('steps')
    .values({ buildid, number, name, started_at: at, state_string: 'running' })
    .onConflict((conflict) => conflict.columns(['buildid', 'number']).doUpdateSet({ name }))
    .returning('stepid')
    .executeTakeFirstOrThrow();
  return stepid;
}

/** Ends a step. False when it was complete before, which changes nothing. */
export async function finishStep(
  tx: Tx,
  stepid: number,
  end: { result: Result; state: string; rc: number | null; signal: string | null; at: number },
): Promise<boolean> {
  const done = await tx
    .updateTable('steps')
    .set({
      complete_at: end.at,
      results: resultNumber(end.result),
      state_string: end.state,
      rc: end.rc,
      signal: end.signal,
    })
    .where('stepid', '=', stepid)
    .where('complete_at', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

/** Ends every step of a build that is still open, such as when its worker is given up. */
export async function finishOpenSteps(
  tx: Tx,
  buildid: number,
  end: { result: Result; state: string; at: number },
): Promise<void> {
  await tx
    .updateTable('steps')
    .set({ complete_at: end.at, results: resultNumber(end.result), state_string: end.state })
    .where('buildid', '=', buildid)
    .where('complete_at', 'is', null)
    .execute();
}

/** The steps of a build by number, with their logs: two queries. */
export async function stepRows(db: Db, buildid: number): Promise<StepListRow[]> {
  const steps = await db
    .selectFrom('steps')
    .selectAll()
    .where('buildid', '=', buildid)
    .orderBy('number')
    .execute();
  return withLogs(db, steps);
}

/** A step by its number or its name; of several with one name, the first. */
export async function findStep(
  db: Db,
  buildid: number,
  step: number | string,
): Promise<StepListRow | undefined> {
  const query = db.selectFrom('steps').selectAll().where('buildid', '=', buildid).orderBy('number');
  const row = await (
    typeof step === 'number' ? query.where('number', '=', step) : query.where('name', '=', step)
  ).executeTakeFirst();
  return row === undefined ? undefined : (await withLogs(db, [row]))[0];
}

async function withLogs(db: Db, steps: StepRow[]): Promise<StepListRow[]> {
  const logs = await logsOfSteps(
    db,
    steps.map((step) => step.stepid),
  );
  const byStep = Map.groupBy(logs, (log) => log.stepid);
  return steps.map((step) => ({ ...step, logs: byStep.get(step.stepid) ?? [] }));
}
