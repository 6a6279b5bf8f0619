import { appendFile, readFile, rename, stat, truncate } from 'node:fs/promises';
import * as z from 'zod';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { linkFact, RECORDS_PER_MESSAGE } from '../../protocol/bbx/link-facts.ts';
import type { LinkFact, LinkRecord } from '../../protocol/bbx/link-facts.ts';
import type { Elapsed } from './elapsed.ts';

/** A file of history is set aside at this size, and what was set aside before goes: days of a good link, hours of a bad one. */
const FILE_BYTES = 512 * 1024;
/** Records kept for a master that is away; older ones stay in the file alone. */
const UNTOLD = 1_000;
/** A failure that repeats is written anew this often at most. */
const REPEAT_MS = 60_000;
/** An unremarkable minute is written down here and not told: the master measures its own. */
const SLOW_MS = 1_000;

/** A line of the file: a record with the machine's own time, by which its age is known later. */
const line = z.union([
  z.object({
    n: z.number().int().positive(),
    boot: z.string().max(64),
    at: z.number(),
    host: z.string().max(64),
    up: z.number(),
    fact: linkFact,
  }),
  /** The master has all records up to this number. */
  z.object({ told: z.number().int().nonnegative() }),
]);
export type HistoryLine = Extract<z.infer<typeof line>, { n: number }>;

/** What a worker has written down about its link. */
export interface LinkHistory {
  add(fact: LinkFact): void;
  /** A try came to nothing. The same again is counted, and written with the count once a minute and when something else happens. */
  failed(failure: { target: string; code: string; got: string }): void;
  /** Records that the master does not have, oldest first, at most a message's worth. */
  untold(): LinkRecord[];
  /** The master has everything up to this number. */
  told(number: number): void;
  /** Called when there is something new to tell. */
  onUntold: (() => void) | undefined;
  /** Resolves when all is on the disk. */
  close(): Promise<void>;
}

/**
 * Opens a worker's history of its link: JSON lines that are only added to, each written before anything else is done about it, so that they
 * outlive the process. Nothing here ever fails: a worker whose disk is full builds on, and says once that this is not written down.
 */
export async function openLinkHistory(options: {
  file: string;
  boot: string;
  clock: Clock;
  elapsed: Elapsed;
  log: Log;
}): Promise<LinkHistory> {
  const { file, boot, clock, elapsed, log } = options;
  const known = await readLines(file);
  let next = known.records.reduce((most, { n }) => Math.max(most, n), known.told) + 1;
  let waiting = known.records.filter(({ n, fact }) => n > known.told && isNews(fact)).slice(-UNTOLD);
  let bytes = await mend(file);
  let writing = Promise.resolve();
  let complained = false;
  let repeated: { target: string; code: string; got: string; times: number; since: number } | undefined;

  function write(value: object): void {
    const text = `${JSON.stringify(value)}\n`;
    writing = writing
      .then(async () => {
        if (bytes > FILE_BYTES) {
          await rename(file, `${file}.1`);
          bytes = 0;
        }
        await appendFile(file, text, { mode: 0o600 });
        bytes += Buffer.byteLength(text);
        complained = false;
      })
      .catch((error: unknown) => {
        if (!complained)
          log.warn('what happens to the link cannot be written down', { error: String(error) });
        complained = true;
      });
  }

  function put(fact: LinkFact): void {
    const record = { n: next, boot, at: clock.wall(), host: elapsed.host, up: elapsed.seconds(), fact };
    next += 1;
    write(record);
    if (!isNews(fact)) return;
    waiting.push(record);
    if (waiting.length > UNTOLD) waiting = waiting.slice(-UNTOLD);
    history.onUntold?.();
  }

  function settleRepeated(): void {
    if (repeated !== undefined && repeated.times > 0) {
      const { target, code, got, times } = repeated;
      put({ kind: 'failed', target, code, got, times });
    }
    repeated = undefined;
  }

  const history: LinkHistory = {
    onUntold: undefined,
    add(fact) {
      settleRepeated();
      put(fact);
    },
    failed({ target, code, got }) {
      const now = clock.monotonic();
      const same = repeated?.target === target && repeated.code === code && repeated.got === got;
      if (same && repeated !== undefined) {
        repeated.times += 1;
        if (now - repeated.since < REPEAT_MS) return;
        put({ kind: 'failed', target, code, got, times: repeated.times });
        repeated = { target, code, got, times: 0, since: now };
        return;
      }
      settleRepeated();
      put({ kind: 'failed', target, code, got, times: 1 });
      repeated = { target, code, got, times: 0, since: now };
    },
    untold() {
      const now = elapsed.seconds();
      return waiting.slice(0, RECORDS_PER_MESSAGE).map(({ n, boot: by, at, host, up, fact }) => ({
        number: n,
        boot: by,
        at,
        ago: host === elapsed.host && up <= now ? now - up : null,
        fact,
      }));
    },
    told(number) {
      if (!waiting.some(({ n }) => n <= number)) return;
      waiting = waiting.filter(({ n }) => n > number);
      write({ told: Math.min(number, next - 1) });
    },
    async close() {
      settleRepeated();
      await writing;
    },
  };
  return history;
}

/** What a worker wrote down, oldest first, for whoever looks at its directory; records that cannot be read are left out. */
export async function readLinkHistory(file: string): Promise<HistoryLine[]> {
  return (await readLines(file)).records;
}

async function readLines(file: string): Promise<{ records: HistoryLine[]; told: number }> {
  const records: HistoryLine[] = [];
  let told = 0;
  for (const each of [`${file}.1`, file]) {
    const text = await readFile(each, 'utf8').catch(() => '');
    for (const row of text.split('\n')) {
      const parsed = parse(row);
      if (parsed === undefined) continue;
      if ('told' in parsed) told = Math.max(told, parsed.told);
      else records.push(parsed);
    }
  }
  return { records, told };
}

function parse(row: string): z.infer<typeof line> | undefined {
  if (row === '') return undefined;
  try {
    return line.parse(JSON.parse(row));
  } catch {
    return undefined;
  }
}

/** Cuts a last line that was not finished (a power cut), so that the next one stands by itself. Gives the file's size. */
async function mend(file: string): Promise<number> {
  try {
    const { size } = await stat(file);
    const bytes = await readFile(file);
    const whole = bytes.lastIndexOf(0x0a) + 1;
    if (whole < size) await truncate(file, whole);
    return whole;
  } catch {
    return 0;
  }
}

function isNews(fact: LinkFact): boolean {
  return fact.kind !== 'pulse' || fact.missed > 0 || (fact.maxMs ?? 0) >= SLOW_MS;
}
