import type { Clock } from '../../../base/clock.ts';
import type { SteadyClock } from '../../../base/steady-clock.ts';
import { createEchoBudget, type EchoBudget } from '../../../protocol/bbx/echo-budget.ts';
import type { LinkRecord } from '../../../protocol/bbx/link-facts.ts';
import type { SessionEnd } from '../../../protocol/bbx/line.ts';
import type { MasterSession } from '../../../protocol/bbx/master-contract.ts';
import type { PulseReading } from '../../../protocol/bbx/pulse.ts';
import type { Tx } from '../../../store/database.ts';
import { addLinkFacts, openLinkSession, updateLinkSession, type LinkFactRow } from '../../../store/links.ts';
import type { Emit } from '../events.ts';

/** Messages of history that one session may send at once, and each second more. */
const MESSAGES = 20;
const MESSAGES_PER_S = 0.2;

const WHO = { here: 'master', peer: 'worker', nobody: 'nobody' } as const;

/** Rows and events; what is done once they are committed is given back. Done again where it was not committed. */
export type Writing = (tx: Tx, emit: Emit) => Promise<(() => void) | undefined>;

/** What the pages of a book share. */
export interface Shelf {
  clock: Clock;
  steady: SteadyClock;
  /** Of this run of the master. */
  life: string;
  /** Pages of sessions that are there. */
  open: Set<{ takePulse(): void }>;
  /** Worker → monotonic ms at which its last session ended. */
  goneAt: Map<number, number>;
  /** `leftOut` is called when it will never be written. */
  write(page: Writing, leftOut?: () => void): void;
  trim(tx: Tx, workerid: number, added: number): Promise<void>;
}

/** The page of one session. */
export interface LinkPage {
  readonly openedAt: number;
  /** Round trip of the last minute, ms; and all pings so far. */
  readonly pulse: PulseReading;
  /** How far the master's clock is ahead of the worker's, seconds. */
  ahead: number | null;
  /** Records that the worker sends; kept, and then acknowledged. What comes before that is ignored: the worker sends it again. */
  told(records: readonly LinkRecord[]): void;
  closed(end: SessionEnd): void;
}

/** Begins the page of a session that was let in, with a row. */
export function openPage(
  shelf: Shelf,
  worker: { workerid: number; name: string },
  session: MasterSession,
  of: { id: string; boot: string; peer: string },
): LinkPage {
  return new SessionPage(shelf, worker, session, of);
}

/** A class, since there is a page for each of thousands of workers. */
class SessionPage implements LinkPage {
  readonly openedAt: number;
  ahead: number | null = null;
  readonly #shelf: Shelf;
  readonly #workerid: number;
  readonly #name: string;
  readonly #session: MasterSession;
  readonly #all: PulseReading = { pings: 0, missed: 0, minMs: null, medianMs: null, maxMs: null };
  #budget: EchoBudget | undefined;
  /** Records wait to be written: so much of each session and no more, however often it sends them. */
  #isTelling = false;
  /** Its row; the transaction that makes it comes before those that change it, or is the same. */
  #linkid: number | undefined;

  constructor(
    shelf: Shelf,
    worker: { workerid: number; name: string },
    session: MasterSession,
    { id, boot, peer }: { id: string; boot: string; peer: string },
  ) {
    const { clock, steady, life, goneAt } = shelf;
    const { workerid, name } = worker;
    this.#shelf = shelf;
    this.#workerid = workerid;
    this.#name = name;
    this.#session = session;
    this.openedAt = steady.wall();
    const gone = goneAt.get(workerid);
    const away_ms = gone === undefined ? null : clock.monotonic() - gone;
    shelf.open.add(this);
    shelf.write(
      async (tx, emit) => {
        this.#linkid = await openLinkSession(tx, {
          ...{
            workerid,
            session: id,
            life,
            boot,
            peer,
            opened_at: this.openedAt,
            away_ms,
            ahead: this.ahead,
          },
        });
        await shelf.trim(tx, workerid, 1);
        emit({ type: 'worker.link', name, what: 'opened' });
        return undefined;
      },
      () => void (this.#linkid = undefined),
    );
  }

  get pulse(): PulseReading {
    this.takePulse();
    return this.#all;
  }

  takePulse(): void {
    const all = this.#all;
    const { pings, missed, minMs, medianMs, maxMs } = this.#session.takePulse();
    all.pings += pings;
    all.missed += missed;
    if (medianMs === null) return;
    all.medianMs = medianMs;
    all.minMs = Math.min(all.minMs ?? Infinity, minMs ?? Infinity);
    all.maxMs = Math.max(all.maxMs ?? 0, maxMs ?? 0);
  }

  told(records: readonly LinkRecord[]): void {
    const { clock, steady, write, trim } = this.#shelf;
    this.#budget ??= createEchoBudget(clock, MESSAGES, MESSAGES_PER_S);
    if (records.length === 0 || this.#isTelling || !this.#budget.take()) return;
    this.#isTelling = true;
    const toldNoMore = () => void (this.#isTelling = false);
    const rows = records.map((record) => placeRecord(record, steady.wall(), this.ahead));
    const last = records.reduce((most, { number }) => Math.max(most, number), 0);
    write(async (tx, emit) => {
      await addLinkFacts(tx, this.#workerid, rows);
      await trim(tx, this.#workerid, rows.length);
      if (rows.some(({ fact: { kind } }) => kind === 'down' || kind === 'up'))
        emit({ type: 'worker.link', name: this.#name, what: 'told' });
      return () => {
        toldNoMore();
        this.#session.historyStored(last);
      };
    }, toldNoMore);
  }

  closed({ code, reason, by, error }: SessionEnd): void {
    const { clock, steady, open, goneAt, write } = this.#shelf;
    open.delete(this);
    this.takePulse();
    const now = clock.monotonic();
    goneAt.set(this.#workerid, now);
    const closed_at = steady.wall();
    const { received, sent } = this.#session.traffic;
    const said = by === 'nobody' ? String(error?.data['state'] ?? reason) : reason;
    const { medianMs, maxMs, pings, missed } = this.#all;
    const values = {
      ...{ closed_at, seen_at: closed_at, code, closed_by: WHO[by], reason: plain(said).slice(0, 300) },
      ...{ silent_ms: Math.max(0, now - this.#session.heardAt), received, sent },
      ...{ rtt_ms: medianMs, rtt_max_ms: maxMs, pings, missed },
    };
    write(async (tx) => {
      if (this.#linkid !== undefined) await updateLinkSession(tx, this.#linkid, values);
      return undefined;
    });
  }
}

/** A peer's text without control characters, which PostgreSQL refuses and terminals obey. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** A worker's record at the master's time. Nothing of a worker is believed that lies in the future. */
function placeRecord(record: LinkRecord, now: number, ahead: number | null): LinkFactRow {
  const { number, boot, at: said_at, ago, fact } = record;
  const at = ago === null ? said_at + (ahead ?? 0) : now - ago;
  return { number, boot, said_at, at: Math.min(at, now), fact };
}
