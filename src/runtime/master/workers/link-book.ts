import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import { BbxError } from '../../../base/error.ts';
import { handlesWith } from '../../../base/handle.ts';
import type { Log } from '../../../base/log.ts';
import type { SteadyClock } from '../../../base/steady-clock.ts';
import { createEchoBudget } from '../../../protocol/bbx/echo-budget.ts';
import type { LinkRecord } from '../../../protocol/bbx/link-facts.ts';
import type { SessionEnd } from '../../../protocol/bbx/line.ts';
import type { MasterSession } from '../../../protocol/bbx/master-contract.ts';
import type { PulseReading } from '../../../protocol/bbx/pulse.ts';
import type { Tx } from '../../../store/database.ts';
import {
  addLinkFacts,
  closeFormerLinks,
  openLinkSession,
  touchLinkSessions,
  trimLinks,
  updateLinkSession,
  type LinkFactRow,
} from '../../../store/links.ts';
import type { Emit, Farm } from '../events.ts';
import { oneLine } from '../trouble.ts';

/** What is written waits so long for company: a thousand workers that come back at once cost a few transactions. */
const TOGETHER_MS = 1_000;
/** Pages in one transaction, so that no other write waits long for it. */
const PAGES = 200;
/** Round trips are taken, and "still there" is written, once a minute. */
const PULSE_MS = 60_000;
/** Messages of history that one session may send at once, and each second more. */
const MESSAGES = 20;
const MESSAGES_PER_S = 0.2;
/** Pages that wait while the store takes nothing; what is over is not kept, and workers tell theirs again. */
const WAITING = 10_000;
/** Sessions and records of a worker are counted against their limits after so many new ones. */
const TRIM_AFTER = 50;

const WHO = { here: 'master', peer: 'worker', nobody: 'nobody' } as const;

/** Rows and events; what is done once they are committed is given back. */
type Page = (tx: Tx, emit: Emit) => Promise<(() => void) | undefined>;

/** The page of one session. */
export interface LinkPage {
  readonly openedAt: number;
  /** Round trip of the last minute, ms; and all pings so far. */
  readonly pulse: PulseReading;
  /** How far the master's clock is ahead of the worker's, seconds. */
  ahead: number | null;
  /** Records that the worker sends; kept, and then acknowledged. */
  told(records: readonly LinkRecord[]): void;
  closed(end: SessionEnd): void;
}

/** The master's memory of its links: a row for each session, and what the workers tell of theirs. */
export interface LinkBook {
  open(
    worker: { workerid: number; name: string },
    session: MasterSession,
    of: { id: string; boot: string; peer: string },
  ): LinkPage;
  /** Writes what waits, so that who reads now misses nothing. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const pageHandle = handlesWith<() => PulseReading, Pick<LinkPage, 'pulse'>>({ pulse: (read) => read() });

/** Opens the book: sessions that a killed master left open end now, where it last wrote. */
export async function openLinkBook(options: {
  farm: Farm;
  clock: Clock;
  steady: SteadyClock;
  log: Log;
}): Promise<LinkBook> {
  const { farm, clock, steady, log: say } = options;
  const life = randomBytes(8).toString('hex');
  await farm.store.write((tx) => closeFormerLinks(tx, life, 'the master was killed'));
  const goneAt = new Map<number, number>();
  const fresh = new Map<number, number>();
  const open = new Set<{ pulse(): void }>();
  const waiting: Page[] = [];
  let timer: NodeJS.Timeout | undefined;
  let working = Promise.resolve();
  let stopped = false;

  function write(page: Page): void {
    if (waiting.length >= WAITING) return;
    waiting.push(page);
    timer ??= setTimeout(flush, TOGETHER_MS);
  }
  async function commit(pages: readonly Page[]): Promise<void> {
    const after: ((() => void) | undefined)[] = [];
    await farm.change(async (tx, emit) => {
      after.length = 0;
      for (const page of pages) after.push(await page(tx, emit));
    });
    for (const act of after) act?.();
  }
  /** The links' history is worth no failure: what cannot be written is left out. */
  function complain(error: unknown): void {
    say.debug('A page of the history of links could not be written', { error: oneLine(error) });
  }
  function flush(): void {
    timer = undefined;
    working = working.then(async () => {
      while (waiting.length > 0) {
        const pages = waiting.splice(0, PAGES);
        try {
          await commit(pages);
        } catch (error) {
          if (error instanceof BbxError && error.retryable) {
            // The store takes nothing now: it is asked again later, once for all.
            waiting.unshift(...pages);
            if (!stopped) timer ??= setTimeout(flush, TOGETHER_MS);
            return;
          }
          // One that spoils a transaction (its worker is gone) must not take the others along.
          for (const page of pages) await commit([page]).catch(complain);
        }
      }
    });
  }
  async function settled(): Promise<void> {
    clearTimeout(timer);
    flush();
    await working;
  }
  const pulses = setInterval(() => {
    for (const session of open) session.pulse();
    if (open.size === 0) return;
    write(async (tx) => {
      await touchLinkSessions(tx, life, steady.wall());
      return undefined;
    });
  }, PULSE_MS);
  pulses.unref();

  async function trim(tx: Tx, workerid: number, added: number): Promise<void> {
    const count = (fresh.get(workerid) ?? 0) + added;
    fresh.set(workerid, count >= TRIM_AFTER ? 0 : count);
    if (count >= TRIM_AFTER) await trimLinks(tx, workerid);
  }

  return {
    open(worker, session, { id, boot, peer }) {
      const { workerid, name } = worker;
      const openedAt = steady.wall();
      const gone = goneAt.get(workerid);
      const away_ms = gone === undefined ? null : clock.monotonic() - gone;
      const budget = createEchoBudget(clock, MESSAGES, MESSAGES_PER_S);
      const all: PulseReading = { pings: 0, missed: 0, minMs: null, medianMs: null, maxMs: null };
      let linkid: number | undefined;
      const take = () => {
        const { pings, missed, minMs, medianMs, maxMs } = session.takePulse();
        all.pings += pings;
        all.missed += missed;
        if (medianMs === null) return;
        all.medianMs = medianMs;
        all.minMs = Math.min(all.minMs ?? Infinity, minMs ?? Infinity);
        all.maxMs = Math.max(all.maxMs ?? 0, maxMs ?? 0);
      };
      const mine = { pulse: take };
      open.add(mine);
      const read = () => {
        take();
        return all;
      };
      const acts: Omit<LinkPage, 'pulse'> = {
        openedAt,
        ahead: null,
        told(records) {
          if (records.length === 0 || !budget.take()) return;
          const rows = records.map((record) => placeRecord(record, steady.wall(), page.ahead));
          const last = records.reduce((most, { number }) => Math.max(most, number), 0);
          write(async (tx, emit) => {
            await addLinkFacts(tx, workerid, rows);
            await trim(tx, workerid, rows.length);
            if (rows.some(({ fact: { kind } }) => kind === 'down' || kind === 'up'))
              emit({ type: 'worker.link', name, what: 'told' });
            return () => session.historyStored(last);
          });
        },
        closed({ code, reason, by, error }) {
          open.delete(mine);
          take();
          const now = clock.monotonic();
          goneAt.set(workerid, now);
          const closed_at = steady.wall();
          const { received, sent } = session.traffic;
          const said = by === 'nobody' ? String(error?.data['state'] ?? reason) : reason;
          const values = {
            ...{ closed_at, seen_at: closed_at, code, closed_by: WHO[by], reason: plain(said).slice(0, 300) },
            ...{ silent_ms: Math.max(0, now - session.heardAt), received, sent },
            ...{ rtt_ms: all.medianMs, rtt_max_ms: all.maxMs, pings: all.pings, missed: all.missed },
          };
          write(async (tx) => {
            if (linkid !== undefined) await updateLinkSession(tx, linkid, values);
            return undefined;
          });
        },
      };
      const page = pageHandle(read, acts);
      write(async (tx, emit) => {
        const row = await openLinkSession(tx, {
          ...{ workerid, session: id, life, boot, peer, opened_at: openedAt, away_ms, ahead: page.ahead },
        });
        await trim(tx, workerid, 1);
        emit({ type: 'worker.link', name, what: 'opened' });
        return () => void (linkid = row);
      });
      return page;
    },
    settled,
    async stop() {
      stopped = true;
      clearInterval(pulses);
      await settled();
    },
  };
}

/** A peer's text without control characters, which PostgreSQL refuses and terminals obey. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** A worker's record at the master's time. Nothing of a worker is believed that lies in the future. */
export function placeRecord(record: LinkRecord, now: number, ahead: number | null): LinkFactRow {
  const { number, boot, at: said_at, ago, fact } = record;
  const at = ago === null ? said_at + (ahead ?? 0) : now - ago;
  return { number, boot, said_at, at: Math.min(at, now), fact };
}
