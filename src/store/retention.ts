import type { Db, Tx } from './database.ts';
import { pruneEvents } from './events.ts';
import { pruneLinks } from './links.ts';
import type { LogFiles } from './log-files.ts';
import { markPruned } from './logs.ts';
import { pruneChanges, pruneUnbuilt, withoutBuilds } from './prune-requests.ts';
import type { Store } from './store.ts';

export interface Retention {
  /** Logs of builds that ended longer ago than this go; the build stays. ms; null: they stay as long as their build. */
  logsMs: number | null;
  /** Finished builds kept per builder, the newest; null: all. */
  builds: number | null;
  /** Events older than this go. ms; null: all stay. */
  eventsMs: number | null;
  /** Links' history older than this goes. ms; null: all stays. */
  linksMs: number | null;
  /** Requests that ended longer ago than this without a build go, and changes that came before and belong to nothing. ms; null: all stay. */
  unbuiltMs: number | null;
}

export interface Pruned {
  builds: number;
  logs: number;
  events: number;
  /** Rows about links. */
  links: number;
  /** Sets of requests without a build, and changes. */
  unbuilt: number;
  changes: number;
  /** Bytes of disk that the logs' files took. */
  freed: number;
}

/** Rows per transaction: some milliseconds in which no other write gets in. */
const BATCH = 100;

/** Events per transaction; their rows are small and nothing refers to them. */
const EVENTS_BATCH = 1_000;

/**
 * Removes what the farm need not keep, in small transactions with room for others between them. Builds without a result are never
 * touched. A log's file goes before its row says so: a crash between the two leaves a row that the next run finds again.
 */
export async function prune(
  store: Store,
  logFiles: LogFiles,
  retention: Retention,
  now: number,
  signal?: AbortSignal,
): Promise<Pruned> {
  const pruned: Pruned = { builds: 0, logs: 0, events: 0, links: 0, unbuilt: 0, changes: 0, freed: 0 };
  const { logsMs, builds, eventsMs, linksMs, unbuiltMs } = retention;
  const go = () => signal?.aborted !== true;

  const removeFiles = async (logids: readonly number[]) => {
    for (const logid of logids) pruned.freed += await logFiles.remove(logid);
    pruned.logs += logids.length;
  };

  while (logsMs !== null && go()) {
    const buildids = await store.read((db) => buildsWithOldLogs(db, now - logsMs / 1000));
    if (buildids.length === 0) break;
    const logids = await store.read((db) => logsOfBuilds(db, buildids));
    await removeFiles(logids);
    await store.write(async (tx) => {
      await markPruned(tx, logids);
      await tx.updateTable('builds').set({ logs_pruned: 1 }).where('buildid', 'in', buildids).execute();
    });
  }

  while (builds !== null && go()) {
    const surplus = await store.read((db) => surplusBuilds(db, builds));
    if (surplus.length === 0) break;
    await removeFiles(await store.read((db) => logsOfBuilds(db, surplus)));
    await store.write((tx) => deleteBuilds(tx, surplus));
    pruned.builds += surplus.length;
  }

  while (eventsMs !== null && go()) {
    const gone = await store.write((tx) => pruneEvents(tx, now - eventsMs / 1000, EVENTS_BATCH));
    pruned.events += gone;
    if (gone < EVENTS_BATCH) break;
  }
  while (linksMs !== null && go()) {
    const gone = await store.write((tx) => pruneLinks(tx, now - linksMs / 1000, EVENTS_BATCH));
    pruned.links += gone;
    if (gone < EVENTS_BATCH) break;
  }
  while (unbuiltMs !== null && go()) {
    const before = now - unbuiltMs / 1000;
    const unbuilt = await store.write((tx) => pruneUnbuilt(tx, before, BATCH));
    // Those of requests that are gone now, too.
    const changes = unbuilt === BATCH ? 0 : await store.write((tx) => pruneChanges(tx, before, BATCH));
    pruned.unbuilt += unbuilt;
    pruned.changes += changes;
    if (unbuilt < BATCH && changes < BATCH) break;
  }
  const { links, events, unbuilt, changes } = pruned;
  if (pruned.builds + pruned.logs + events + links + unbuilt + changes > 0) await store.vacuum(signal);
  return pruned;
}

/** Builds that ended before a time and whose logs are still there, oldest first. */
async function buildsWithOldLogs(db: Db, before: number): Promise<number[]> {
  const rows = await db
    .selectFrom('builds')
    .select('buildid')
    .where('complete_at', 'is not', null)
    .where('logs_pruned', '=', 0)
    .where('complete_at', '<', before)
    .orderBy('complete_at')
    .limit(BATCH)
    .execute();
  return rows.map((row) => row.buildid);
}

/** Finished builds of any builder that has more than `keep` newer finished ones. */
async function surplusBuilds(db: Db, keep: number): Promise<number[]> {
  const builders = await db.selectFrom('builders').select('builderid').execute();
  for (const { builderid } of builders) {
    const oldest = await db
      .selectFrom('builds')
      .select('number')
      .where('builderid', '=', builderid)
      .where('complete_at', 'is not', null)
      .orderBy('number', 'desc')
      .limit(1)
      .offset(keep)
      .executeTakeFirst();
    if (oldest === undefined) continue;
    const rows = await db
      .selectFrom('builds')
      .select('buildid')
      .where('builderid', '=', builderid)
      .where('complete_at', 'is not', null)
      .where('number', '<=', oldest.number)
      .orderBy('number')
      .limit(BATCH)
      .execute();
    return rows.map((row) => row.buildid);
  }
  return [];
}

async function logsOfBuilds(db: Db, buildids: readonly number[]): Promise<number[]> {
  const rows = await db
    .selectFrom('steps')
    .innerJoin('logs', 'logs.stepid', 'steps.stepid')
    .select('logs.logid')
    .where('steps.buildid', 'in', [...buildids])
    .where('logs.pruned', '=', 0)
    .execute();
  return rows.map((row) => row.logid);
}

/** Removes builds with their steps and log rows, and the buildsets that have no build left. */
async function deleteBuilds(tx: Tx, buildids: readonly number[]): Promise<void> {
  const buildsets = tx
    .selectFrom('builds')
    .innerJoin('buildrequests', 'buildrequests.buildrequestid', 'builds.buildrequestid')
    .select('buildrequests.buildsetid')
    .distinct()
    .where('builds.buildid', 'in', [...buildids]);
  const ids = (await buildsets.execute()).map((row) => row.buildsetid);
  await tx
    .deleteFrom('builds')
    .where('buildid', 'in', [...buildids])
    .execute();
  await tx
    .deleteFrom('buildsets')
    .where('buildsetid', 'in', ids)
    .where('complete_at', 'is not', null)
    .where(withoutBuilds)
    .execute();
}
