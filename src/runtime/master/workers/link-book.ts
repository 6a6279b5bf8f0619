import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import { BbxError } from '../../../base/error.ts';
import type { Log } from '../../../base/log.ts';
import type { SteadyClock } from '../../../base/steady-clock.ts';
import type { MasterSession } from '../../../protocol/bbx/master-contract.ts';
import type { Tx } from '../../../store/database.ts';
import { closeFormerLinks, touchLinkSessions, trimLinks } from '../../../store/links.ts';
import type { Farm } from '../events.ts';
import { follow } from '../follow.ts';
import { oneLine } from '../trouble.ts';
import { openPage, type LinkPage, type Shelf, type Writing } from './link-page.ts';

/** What is written waits so long for company: a thousand workers that come back at once cost a few transactions. */
const TOGETHER_MS = 1_000;
/** Pages in one transaction, so that no other write waits long for it. */
const PAGES = 200;
/** Round trips are taken, and "still there" is written, once a minute. */
const PULSE_MS = 60_000;
/** Pages that wait while the store takes nothing; what is over is not kept, and workers tell theirs again. */
const WAITING = 10_000;
/** Sessions and records of a worker are counted against their limits after so many new ones. */
const TRIM_AFTER = 50;

/** A page that is not written yet. */
interface Waiting {
  page: Writing;
  leftOut: (() => void) | undefined;
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
  const open = new Set<{ takePulse(): void }>();
  const waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  let working = Promise.resolve();
  let stopped = false;

  function write(page: Writing, leftOut?: () => void): void {
    if (waiting.length >= WAITING) return leftOut?.();
    waiting.push({ page, leftOut });
    timer ??= setTimeout(flush, TOGETHER_MS);
  }
  async function commit(pages: readonly Waiting[]): Promise<void> {
    const after: (() => void)[] = [];
    await farm.change(async (tx, emit) => {
      after.length = 0;
      for (const { page } of pages) {
        const act = await page(tx, emit);
        if (act !== undefined) after.push(act);
      }
    });
    follow(after, say);
  }
  /** The links' history is worth no failure: what cannot be written is left out. */
  function leave({ leftOut }: Waiting, error: unknown): void {
    leftOut?.();
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
          for (const page of pages) await commit([page]).catch((fault: unknown) => leave(page, fault));
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
    for (const page of open) page.takePulse();
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

  const shelf: Shelf = { clock, steady, life, open, goneAt, write, trim };
  return {
    open: (worker, session, of) => openPage(shelf, worker, session, of),
    settled,
    async stop() {
      stopped = true;
      clearInterval(pulses);
      await settled();
    },
  };
}
