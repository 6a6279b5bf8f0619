import type { Db, Tx } from './database.ts';

/** A scheduler's memory as it was last set; undefined at its first start. Its own business what it means. */
export async function getSchedulerState(db: Db, scheduler: string): Promise<unknown> {
  const row = await db
    .selectFrom('scheduler_state')
    .select('state_json')
    .where('scheduler', '=', scheduler)
    .executeTakeFirst();
  return row === undefined ? undefined : (JSON.parse(row.state_json) as unknown);
}

/** Sets a scheduler's memory: anything that JSON can hold. */
export async function setSchedulerState(tx: Tx, scheduler: string, state: unknown): Promise<void> {
  const state_json = JSON.stringify(state);
  await tx
    .insertInto('scheduler_state')
    .values({ scheduler, state_json })
    .onConflict((conflict) => conflict.column('scheduler').doUpdateSet({ state_json }))
    .execute();
}

/** Notes changes that the scheduler will build; those noted already stay as they are. (`schedulerChanges` in changes.ts reads them.) */
export async function addSchedulerChanges(
  tx: Tx,
  scheduler: string,
  changeids: readonly number[],
): Promise<void> {
  for (const changeid of changeids) {
    await tx
      .insertInto('scheduler_changes')
      .values({ scheduler, changeid })
      .onConflict((conflict) => conflict.columns(['scheduler', 'changeid']).doNothing())
      .execute();
  }
}

/** Forgets changes, in the transaction that submits their buildset. */
export async function removeSchedulerChanges(
  tx: Tx,
  scheduler: string,
  changeids: readonly number[],
): Promise<void> {
  for (const changeid of changeids) {
    await tx
      .deleteFrom('scheduler_changes')
      .where('scheduler', '=', scheduler)
      .where('changeid', '=', changeid)
      .execute();
  }
}

/** Forgets everything of schedulers that the configuration no longer names. Gives their names. */
export async function forgetSchedulers(tx: Tx, keep: readonly string[]): Promise<string[]> {
  const known = await tx
    .selectFrom('scheduler_state')
    .select('scheduler')
    .union(tx.selectFrom('scheduler_changes').select('scheduler'))
    .execute();
  const gone = known.map((row) => row.scheduler).filter((name) => !keep.includes(name));
  for (const scheduler of gone) {
    await tx.deleteFrom('scheduler_state').where('scheduler', '=', scheduler).execute();
    await tx.deleteFrom('scheduler_changes').where('scheduler', '=', scheduler).execute();
  }
  return gone;
}
