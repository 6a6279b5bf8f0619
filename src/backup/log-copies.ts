import { relative } from 'node:path';
import { sleep } from '../base/abort.ts';
import { placeOf } from '../store/log-files/place.ts';
import type { Db } from '../store/database.ts';
import { SMALL_LOGS_SINCE } from '../store/small-log.ts';
import type { Store } from '../store/store.ts';
import { fileContent, type Content } from './directory-files.ts';

export type LogCopy = { kind: 'content'; content: Content } | { kind: 'pruned' | 'missing'; logid: number };

/** Retention removes a file before its row says so, and one transaction takes at most 10 s. */
const ROW_WAIT_MS = 12_000;
const ROW_PAUSE_MS = 100;

/**
 * The files of logs, one by one. A file that is open stays readable to its end, whatever removes it meanwhile; one that is gone before is
 * `pruned` when its row says so by now, or `missing`. A log that had no byte has no file and is left out, and so is one that stands in its row.
 */
export async function* copyLogs(
  store: Store,
  logsDir: string,
  logids: readonly number[],
): AsyncGenerator<LogCopy, void, undefined> {
  let gone: number[] = [];
  for (const logid of logids) {
    const content = await contentOf(logsDir, logid);
    if (content === undefined) gone.push(logid);
    else yield { kind: 'content', content };
  }
  for (const end = performance.now() + ROW_WAIT_MS; gone.length > 0; await sleep(ROW_PAUSE_MS)) {
    const undecided: number[] = [];
    for (const logid of gone) {
      const row = await store.read((db) => stateOf(db, store.schema, logid));
      if (row === undefined || row.pruned === 1) yield { kind: 'pruned', logid };
      else if (row.bytes === 0 || row.small) continue;
      else if (performance.now() > end) yield { kind: 'missing', logid };
      else undecided.push(logid);
    }
    gone = undecided;
  }
}

/** What a log's row says now. */
async function stateOf(db: Db, schema: number, logid: number) {
  const row = await db
    .selectFrom('logs')
    .select(['bytes', 'pruned'])
    .$if(schema >= SMALL_LOGS_SINCE, (query) => query.select('content'))
    .where('logid', '=', logid)
    .executeTakeFirst();
  return row === undefined ? undefined : { ...row, small: (row.content ?? null) !== null };
}

/** The finished file or the running one; looked for twice, since the one becomes the other. */
async function contentOf(logsDir: string, logid: number): Promise<Content | undefined> {
  const { finished, running } = placeOf(logsDir, logid);
  for (const place of [finished, running, finished]) {
    const content = await fileContent(place, `logs/${relative(logsDir, place)}`);
    if (content !== undefined) return content;
  }
  return undefined;
}
