import type { Db, Tx } from './database.ts';

export interface PollRow {
  repository: string;
  polled_at: number;
  /** What the last poll failed with, as it was given; null when it went well. */
  error: unknown;
}

/** Where each branch of a repository stood at the last look. Empty when there never was one. */
export async function pollState(db: Db, repository: string): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('poll_state')
    .select(['branch', 'revision'])
    .where('repository', '=', repository)
    .execute();
  return new Map(rows.map((row) => [row.branch, row.revision]));
}

/** Makes the branches of a repository those of `branches`; others are forgotten. Only what differs is written. */
export async function setPollState(
  tx: Tx,
  repository: string,
  branches: ReadonlyMap<string, string>,
): Promise<void> {
  const before = await pollState(tx, repository);
  for (const branch of before.keys()) {
    if (branches.has(branch)) continue;
    await tx
      .deleteFrom('poll_state')
      .where('repository', '=', repository)
      .where('branch', '=', branch)
      .execute();
  }
  for (const [branch, revision] of branches) {
    if (before.get(branch) === revision) continue;
    await tx
      .insertInto('poll_state')
      .values({ repository, branch, revision })
      .onConflict((conflict) => conflict.columns(['repository', 'branch']).doUpdateSet({ revision }))
      .execute();
  }
}

/** Notes how a poll ended. `error` is kept as JSON; null: it went well. */
export async function recordPoll(tx: Tx, repository: string, at: number, error: unknown): Promise<void> {
  const row = { polled_at: at, error_json: error === null ? null : JSON.stringify(error) };
  await tx
    .insertInto('polls')
    .values({ repository, ...row })
    .onConflict((conflict) => conflict.column('repository').doUpdateSet(row))
    .execute();
}

/** How the last poll of each repository ended, by name; one that was never polled has no row. */
export async function pollRows(db: Db, filter: { repository?: string } = {}): Promise<PollRow[]> {
  let query = db.selectFrom('polls').selectAll().orderBy('repository');
  if (filter.repository !== undefined) query = query.where('repository', '=', filter.repository);
  const rows = await query.execute();
  return rows.map(({ repository, polled_at, error_json }) => ({
    repository,
    polled_at,
    error: error_json === null ? null : (JSON.parse(error_json) as unknown),
  }));
}
