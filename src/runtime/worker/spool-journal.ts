import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { progressEvent } from '../../build/progress.ts';
import type { ProgressEvent } from '../../build/progress.ts';
import { JOURNAL } from './spool-directory.ts';
import { openAppendFile, readRecords } from './spool-file.ts';
import { RECORD_MAX_BYTES, encodeRecord } from './spool-record.ts';
import type { SpoolDeps } from './spool-segment.ts';

const logEntry = z.object({ id: z.number().int(), step: z.number().int(), name: z.string() });
/** A log's name and number. */
type LogEntry = z.infer<typeof logEntry>;

/** A line of the journal: an event, or a log before its first byte. */
const entry = z.union([z.object({ event: progressEvent }), z.object({ log: logEntry })]);

/** An attempt's journal on the disk. */
export interface SpoolJournal {
  /** All events so far. */
  readonly events: readonly ProgressEvent[];
  /** Logs that a former process wrote down. */
  readonly formerLogs: readonly LogEntry[];
  readonly bytes: number;
  /** Resolves when the event is in the file. */
  event(event: ProgressEvent): Promise<void>;
  /** Resolves when the log is. */
  log(log: LogEntry): Promise<void>;
  /** Resolves when all so far is, or cannot be. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** The journal of an attempt that begins. */
export async function createSpoolJournal(dir: string, deps: SpoolDeps): Promise<SpoolJournal> {
  return openJournal(dir, deps, { events: [], logs: [], size: 0 });
}

/** A journal as a former process left it, cut behind the last line that is whole. */
export async function recoverSpoolJournal(dir: string, deps: SpoolDeps): Promise<SpoolJournal> {
  const events: ProgressEvent[] = [];
  const logs: LogEntry[] = [];
  let size = 0;
  const file = await open(join(dir, JOURNAL), 'a+', 0o600);
  try {
    for await (const record of readRecords(file, 0)) {
      const line = entry.safeParse(JSON.parse(record.content.toString('utf8')));
      if (!line.success) break;
      if ('event' in line.data) events.push(line.data.event);
      else logs.push(line.data.log);
      size = record.next;
    }
    await file.truncate(size);
  } finally {
    await file.close();
  }
  deps.budget.force(size);
  return openJournal(dir, deps, { events, logs, size });
}

async function openJournal(
  dir: string,
  deps: SpoolDeps,
  former: { events: ProgressEvent[]; logs: LogEntry[]; size: number },
): Promise<SpoolJournal> {
  const { events } = former;
  const file = await openAppendFile(join(dir, JOURNAL), former.size, deps.disk);
  let last: Promise<unknown> = Promise.resolve();
  const append = (line: z.infer<typeof entry>): Promise<void> => {
    const next = last.then(async () => {
      const record = encodeRecord(Buffer.from(JSON.stringify(line)));
      if (record.length > RECORD_MAX_BYTES) throw new Error(`an event of ${record.length} bytes`);
      deps.budget.force(record.length);
      // Not synced: a killed process loses nothing that is written, and after a power cut the build says what is missing.
      await file.append(record);
    });
    last = next.catch(() => undefined);
    return next;
  };
  return {
    events,
    formerLogs: former.logs,
    get bytes() {
      return file.size;
    },
    async event(event) {
      await append({ event });
      events.push(event);
    },
    log: (log) => append({ log }),
    async settle() {
      await last;
    },
    close: () => file.close(),
  };
}
