import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { sleep } from '../../base/abort.ts';
import { codes } from '../codes.ts';
import { RESTORED, type Restored } from '../restored.ts';
import type { Session } from './session.ts';

/**
 * How one master at a time writes to a store, told in meta:
 * - a lock of the writing session says that a master is there; the server frees it when the session ends;
 * - `writer` holds that master's name (random, of one life) and the number of its last commit. Each transaction begins by reading it, and
 *   the commit writes the next number with it. Another name: somebody took the store while we were away. An older number: the database
 *   lost what it had confirmed. The number that we were about to write: a commit whose answer was lost has happened.
 */
export interface Hold {
  /** Takes the lock in a new session, and looks whether everything is still ours. Errors: BBX-STO-HELD, -TAKEN, -REWOUND. */
  takeUp(session: Session, signal: AbortSignal): Promise<void>;
  /** Writes who we are; from now on transactions are marked. */
  begin(session: Session): Promise<void>;
  /** Checks what a transaction's beginning has read. */
  check(session: Session, value: unknown): Promise<void>;
  /** The SQL that marks the next commit. */
  mark(): string;
  /** The marked commit was confirmed. */
  confirmed(): void;
  /** Whether the marked commit happened, after `takeUp`. */
  readonly happened: boolean;
  readonly begun: boolean;
}

/** How long a new master waits for the lock: that of one which has just been killed is free when the server has noticed. */
const LOCK_MS = 10_000;
const LOCK_PAUSE_MS = 100;

/** First halves of the names of our locks, "bbx" and a number; the second half is the schema's. */
const LOCK = { hold: 0x62627801n, write: 0x62627802n };

/** The name of a lock of the session's schema, as PostgreSQL's bigint. */
export function lockOf(session: Session, which: keyof typeof LOCK): string {
  return String((LOCK[which] << 32n) + BigInt(session.schemaId));
}

export function createHold(store: string, who: { dir: string }): Hold {
  const life = randomBytes(8).toString('hex');
  /** What the last confirmed commit wrote, and what the one under way writes. */
  let last = 0;
  let pending: number | undefined;
  let happened = false;
  let begun = false;
  let before: { pid: number; startedAt: string } | undefined;
  const valueOf = (number: number) => `${life} ${number}`;

  const readWriter = async (session: Session): Promise<string | undefined> => {
    const { rows } = await session.query(`select value from meta where key = 'writer'`);
    return (rows[0] as { value: string } | undefined)?.value;
  };

  const check = async (session: Session, value: unknown): Promise<void> => {
    if (value === valueOf(last)) return;
    if (typeof value !== 'string' || value.split(' ')[0] !== life) {
      throw codes['BBX-STO-TAKEN']({ store, holder: await holderOf(session) });
    }
    // Nothing of the time that was lost may be mixed with what comes: spools and leases carry the epoch.
    await beginOtherLife(session);
    throw codes['BBX-STO-REWOUND']({ store });
  };

  return {
    get happened() {
      return happened;
    },
    get begun() {
      return begun;
    },
    check,
    async takeUp(session, signal) {
      const lock = `select pg_try_advisory_lock(${lockOf(session, 'hold')}) as got`;
      const end = performance.now() + LOCK_MS;
      for (;;) {
        const { rows } = await session.query(lock);
        if ((rows[0] as { got: boolean }).got) break;
        if (begun) {
          const writer = await readWriter(session);
          if (writer?.split(' ')[0] !== life) {
            throw codes['BBX-STO-TAKEN']({ store, holder: await holderOf(session) });
          }
        }
        // Our own connection of before, which the server has not given up yet.
        if (before !== undefined) {
          await session.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2`,
            [before.pid, before.startedAt],
          );
        }
        if (performance.now() > end) throw codes['BBX-STO-HELD']({ store, holder: await holderOf(session) });
        await sleep(LOCK_PAUSE_MS, signal);
      }
      before = { pid: session.pid, startedAt: session.startedAt };
      if (!begun) return;
      const writer = await readWriter(session);
      happened = pending !== undefined && writer === valueOf(pending);
      if (happened) last = pending as number;
      pending = undefined;
      await check(session, writer);
    },
    async begin(session) {
      const holder = { host: hostname(), dir: who.dir, pid: process.pid, since: new Date().toISOString() };
      await session.query(
        `insert into meta (key, value) values ('writer', $1), ('holder', $2)
          on conflict (key) do update set value = excluded.value`,
        [valueOf(last), JSON.stringify(holder)],
      );
      begun = true;
    },
    mark() {
      pending = last + 1;
      return `update meta set value = '${valueOf(pending)}' where key = 'writer'`;
    },
    confirmed() {
      last = pending ?? last;
      pending = undefined;
    },
  };
}

/** Gives the store a new epoch, and notes which builds ran in the life before, as `bbx restore` does: the next master ends them at once. */
async function beginOtherLife(session: Session): Promise<void> {
  const epoch = randomBytes(16).toString('hex');
  const { rows } = await session.query(
    `select (select value from meta where key = 'epoch') as "from", coalesce(max(buildid), 0)::text as last from builds`,
  );
  const { from, last } = rows[0] as { from: string; last: string };
  const now = Date.now() / 1000;
  const restored: Restored = { at: now, takenAt: now, from, lastBuild: Number(last), rewound: true };
  await session.query(
    `insert into meta (key, value) values ('epoch', $1), ('${RESTORED}', $2)
      on conflict (key) do update set value = excluded.value`,
    [epoch, JSON.stringify(restored)],
  );
}

/** Who holds the lock, as far as the server and the store's own rows tell. */
async function holderOf(session: Session): Promise<string> {
  const said = await session
    .query(`select value from meta where key = 'holder'`)
    .then(({ rows }) => JSON.parse((rows[0] as { value: string }).value) as Record<string, unknown>)
    .catch(() => ({}) as Record<string, unknown>);
  const { rows } = await session.query(
    `select a.pid, host(a.client_addr) as address, a.application_name as name from pg_locks l
      join pg_stat_activity a on a.pid = l.pid where l.locktype = 'advisory' and l.granted
      and (l.classid::bigint << 32) + l.objid::bigint = ${lockOf(session, 'hold')}`,
  );
  const held = rows[0] as { pid: number; address: string | null; name: string | null } | undefined;
  return [
    typeof said['host'] === 'string'
      ? `${String(said['dir'])} on ${said['host']}, process ${String(said['pid'])}, since ${String(said['since'])}`
      : undefined,
    held === undefined
      ? undefined
      : `PostgreSQL's process ${held.pid}${held.address === null ? '' : ` for ${held.address}`}`,
  ]
    .filter((part) => part !== undefined)
    .join('; ');
}
