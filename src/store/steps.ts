import type { Selectable } from 'kysely';
import { resultNumber, type Result } from '../build/results.ts';
import type { Db, Tx } from './database.ts';
import { logsOfSteps } from './logs.ts';
import type { LogRow } from './logs.ts';
import { prepared } from './prepared.ts';
import type { Tables } from './tables.ts';

type StepRow = Selectable<Tables['steps']>;

/** A step with its logs, in the order in which they were begun. */
export interface StepListRow extends StepRow {
  logs: LogRow[];
}

/** How a step ended; `at` in epoch seconds. */
export interface StepEnd {
  result: Result;
  state: string;
  rc: number | null;
  signal: string | null;
  at: number;
}

const begin = prepared((db, v: { buildid: number; number: number; name: string; at: number }) =>
  db
    .insertInto('steps')
    .values({
      ...{ buildid: v.buildid, number: v.number, name: v.name, started_at: v.at },
      state_string: 'running',
    })
    .onConflict((conflict) => conflict.columns(['buildid', 'number']).doUpdateSet({ name: v.name }))
    .returning('stepid'),
);

/** Begins a step, or gives the one with that number that was begun before. Gives its id. */
export async function startStep(
  tx: Tx,
  step: { buildid: number; number: number; name: string; at: number },
): Promise<number> {
  return (await begin.first(tx, step))!.stepid;
}

const addEnded = prepared(
  (
    db,
    v: { buildid: number; number: number; name: string; startedAt: number; results: number } & StepEnd,
  ) => {
    const end = { complete_at: v.at, results: v.results, state_string: v.state, rc: v.rc, signal: v.signal };
    return db
      .insertInto('steps')
      .values({ buildid: v.buildid, number: v.number, name: v.name, started_at: v.startedAt, ...end })
      .onConflict((conflict) =>
        conflict.columns(['buildid', 'number']).doUpdateSet((set) => ({
          name: set.ref('excluded.name'),
          complete_at: set.ref('excluded.complete_at'),
          results: set.ref('excluded.results'),
          state_string: set.ref('excluded.state_string'),
          rc: set.ref('excluded.rc'),
          signal: set.ref('excluded.signal'),
        })),
      )
      .returning('stepid');
  },
);

/** Begins and ends a step in one statement. Gives its id. */
export async function addEndedStep(
  tx: Tx,
  step: { buildid: number; number: number; name: string; startedAt: number },
  end: StepEnd,
): Promise<number> {
  return (await addEnded.first(tx, { ...end, ...step, results: resultNumber(end.result) }))!.stepid;
}

const finish = prepared((db, v: { stepid: number; results: number } & StepEnd) =>
  db
    .updateTable('steps')
    .set({ complete_at: v.at, results: v.results, state_string: v.state, rc: v.rc, signal: v.signal })
    .where('stepid', '=', v.stepid)
    .where('complete_at', 'is', null),
);

/** Ends a step. False when it was complete before, which changes nothing. */
export async function finishStep(tx: Tx, stepid: number, end: StepEnd): Promise<boolean> {
  return (await finish.changed(tx, { stepid, ...end, results: resultNumber(end.result) })) > 0;
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
