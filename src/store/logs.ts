import { sql } from 'kysely';
import type { LogEnd, Receipt } from '../build/receipt.ts';
import type { Db, Tx } from './database.ts';
import { prepared } from './prepared.ts';

export interface LogRow {
  logid: number;
  stepid: number;
  name: string;
  /** Bytes known to be on disk when the row was last written. */
  bytes: number;
  complete: boolean;
  sha256: string | null;
  pruned: boolean;
  /** Newlines in it; null while it grows, and for logs of an older bbx; so is `receipt`. */
  lines: number | null;
  receipt: Receipt | null;
  /** Bytes of the command's output that the log's limit has left out. */
  cut: number;
}

/** A log named as the protocol names it. */
export interface BuildLogRow extends LogRow {
  /** Number of its step. */
  step: number;
}

const COLUMNS = [
  'logs.logid',
  'logs.stepid',
  'logs.name',
  'logs.bytes',
  'logs.complete',
  'logs.sha256',
  'logs.pruned',
  'logs.lines',
  'logs.receipt',
  'logs.cut',
] as const;

function rowOf<Row extends { complete: number; pruned: number; receipt: string | null }>(row: Row) {
  const receipt = row.receipt as Receipt | null;
  return { ...row, receipt, complete: row.complete === 1, pruned: row.pruned === 1 };
}

const ensure = prepared((db, v: { stepid: number; name: string }) =>
  db
    .insertInto('logs')
    .values({ stepid: v.stepid, name: v.name, bytes: 0, complete: 0 })
    .onConflict((conflict) => conflict.columns(['stepid', 'name']).doUpdateSet({ name: v.name }))
    .returning('logid'),
);

/** The id of a step's log of that name, made when it is new. */
export async function ensureLog(tx: Tx, stepid: number, name: string): Promise<number> {
  return (await ensure.first(tx, { stepid, name }))!.logid;
}

/** The log with this id. */
export async function logById(db: Db, logid: number): Promise<LogRow | undefined> {
  const row = await db.selectFrom('logs').select(COLUMNS).where('logid', '=', logid).executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** The same, with its bytes where it is so small that they stand in its row; null: they are in its file. */
export async function logWithContent(
  db: Db,
  logid: number,
): Promise<(LogRow & { content: string | null }) | undefined> {
  const row = await db
    .selectFrom('logs')
    .select([...COLUMNS, 'logs.content'])
    .where('logid', '=', logid)
    .executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** A step's log by name. */
export async function findLog(db: Db, stepid: number, name: string): Promise<LogRow | undefined> {
  const row = await db
    .selectFrom('logs')
    .select(COLUMNS)
    .where('stepid', '=', stepid)
    .where('name', '=', name)
    .executeTakeFirst();
  return row === undefined ? undefined : rowOf(row);
}

/** The logs of several steps, in the order in which they were begun: one query. */
export async function logsOfSteps(db: Db, stepids: readonly number[]): Promise<LogRow[]> {
  if (stepids.length === 0) return [];
  const rows = await db
    .selectFrom('logs')
    .select(COLUMNS)
    .where('stepid', 'in', [...stepids])
    .orderBy('logid')
    .execute();
  return rows.map(rowOf);
}

/** Every log of a build with the number of its step: what a worker that comes back is told of. */
export async function logsOfBuild(db: Db, buildid: number): Promise<BuildLogRow[]> {
  const rows = await db
    .selectFrom('logs')
    .innerJoin('steps', 'steps.stepid', 'logs.stepid')
    .select(COLUMNS)
    .select('steps.number as step')
    .where('steps.buildid', '=', buildid)
    .orderBy('logs.logid')
    .execute();
  return rows.map(rowOf);
}

/** Logs that are not complete although their builds have ended, oldest first. Numbers stand in the text, since an index of a part is used for no others. */
export async function leftLogs(db: Db): Promise<number[]> {
  const rows = await db
    .selectFrom('logs')
    .innerJoin('steps', 'steps.stepid', 'logs.stepid')
    .innerJoin('builds', 'builds.buildid', 'steps.buildid')
    .select('logs.logid')
    .where('logs.complete', '=', sql.lit(0))
    .where('logs.pruned', '=', sql.lit(0))
    .where('builds.complete_at', 'is not', null)
    .orderBy('logs.logid')
    .execute();
  return rows.map(({ logid }) => logid);
}

/** Notes sizes that are known to be on disk; a row never shrinks by it. */
export async function setLogSizes(
  tx: Tx,
  sizes: Iterable<readonly [logid: number, bytes: number]>,
): Promise<void> {
  for (const [logid, bytes] of sizes) {
    await tx
      .updateTable('logs')
      .set({ bytes })
      .where('logid', '=', logid)
      .where('bytes', '<', bytes)
      .where('complete', '=', 0)
      .execute();
  }
}

/** What a log's row says of its end. `content`: its bytes, when it has no file. */
export interface WholeLog extends LogEnd {
  content?: string | undefined;
  /** Bytes of the command's output that the log's limit has left out. */
  cut?: number | undefined;
}

type KnownEnd = Pick<WholeLog, 'bytes' | 'sha256'> & Partial<WholeLog>;

interface EndColumns {
  bytes: number;
  sha256: string | null;
  lines: number | null;
  receipt: string | null;
  content: string | null;
  cut: number;
  complete: number;
}

function columnsOf(end: KnownEnd): EndColumns {
  const { bytes, sha256, lines = null, receipt = null, content = null, cut = 0 } = end;
  return { bytes, sha256, lines, receipt, content, cut, complete: 1 };
}

/** The log is whole: what is known of its end. */
export async function completeLog(tx: Tx, logid: number, end: KnownEnd): Promise<void> {
  await tx.updateTable('logs').set(columnsOf(end)).where('logid', '=', logid).execute();
}

const addWhole = prepared((db, v: { stepid: number; name: string } & EndColumns) =>
  db
    .insertInto('logs')
    .values({
      ...{ stepid: v.stepid, name: v.name, bytes: v.bytes, sha256: v.sha256, lines: v.lines },
      ...{ receipt: v.receipt, content: v.content, cut: v.cut, complete: v.complete },
    })
    .onConflict((conflict) =>
      conflict.columns(['stepid', 'name']).doUpdateSet((set) => ({
        bytes: set.ref('excluded.bytes'),
        sha256: set.ref('excluded.sha256'),
        lines: set.ref('excluded.lines'),
        receipt: set.ref('excluded.receipt'),
        content: set.ref('excluded.content'),
        cut: set.ref('excluded.cut'),
        complete: set.ref('excluded.complete'),
      })),
    )
    .returning('logid'),
);

/** A log that is whole when its row is made: one statement. Gives its id. */
export async function addWholeLog(tx: Tx, stepid: number, name: string, end: KnownEnd): Promise<number> {
  return (await addWhole.first(tx, { stepid, name, ...columnsOf(end) }))!.logid;
}

/** Retention has removed the files of these; bytes that stand in their rows go with this. */
export async function markPruned(tx: Tx, logids: readonly number[]): Promise<void> {
  if (logids.length === 0) return;
  await tx
    .updateTable('logs')
    .set({ pruned: 1, content: null })
    .where('logid', 'in', [...logids])
    .execute();
}
