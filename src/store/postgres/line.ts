import type { QueryResult } from 'pg';
import { aborted, sleep } from '../../base/abort.ts';
import { createBackoff } from '../../base/backoff.ts';
import { BbxError } from '../../base/error.ts';
import { codes } from '../codes.ts';
import { lockOf, type Hold } from './hold.ts';
import { PATIENCE_MS, type Session } from './session.ts';

/** The one connection that writes: comes back by itself, and knows of every commit whether it happened. */
export interface Line {
  query(sql: string, parameters?: readonly unknown[]): Promise<QueryResult>;
  /** Begins a transaction that no other writer of the store is in. Waits up to 10 s for a server that is away: BBX-STO-AWAY. */
  begin(): Promise<void>;
  /**
   * When it resolves the transaction is on the disk, when it rejects it is not. A commit whose answer was lost is asked for when the server
   * is back, however long that takes; only `close` and `hurried` end that wait, with BBX-STO-UNSURE.
   */
  commit(): Promise<QueryResult>;
  rollback(): Promise<QueryResult>;
  /** From now on transactions are marked as this master's. */
  own(): Promise<void>;
  /** Limit of one statement, ms; undefined: the usual one. */
  patience(ms: number | undefined): void;
  /** Ends every wait for a server that is away, and the line with it. */
  interrupt(): void;
  /** Drops the connection: what runs in it is rolled back. */
  drop(why: string): void;
  close(): Promise<void>;
}

/** How long a transaction waits for a server that is away before it is given back. */
const BEGIN_MS = 10_000;

/** Pauses between tries to connect again: quick, since a restart takes a second, and then as a person would knock. */
const BACKOFF = { firstMs: 100, maxMs: 2_000 };

export interface LineOptions {
  /** For messages. */
  store: string;
  /** From then on nobody waits for a server that is away. */
  hurried: AbortSignal;
  connect: (signal: AbortSignal) => Promise<Session>;
  hold: Hold | undefined;
  /** The connection is lost, with what is known of why, or back. */
  onAway: (error: BbxError | undefined) => void;
  /** This process may write no more, whatever happens. */
  onTaken: (error: BbxError) => void;
  /** How long the first connection is waited for, ms. */
  waitMs: number;
  /** Ends that wait. */
  signal: AbortSignal | undefined;
}

/** Connects, and takes the store's lock where there is a `hold`. Errors: those of `connect` and of `Hold.takeUp`. */
export async function openLine(options: LineOptions): Promise<Line> {
  const { store, hurried, connect, hold, onAway, onTaken, waitMs, signal } = options;
  const closing = new AbortController();
  let session: Session | undefined;
  /** The session of the transaction under way: what is left of it must never get into another one. */
  let inside: Session | undefined;
  let patienceMs = PATIENCE_MS;
  /** Why there is no connection now. */
  let problem: BbxError | undefined;
  let over: BbxError | undefined;
  let back = Promise.withResolvers<void>();

  /** One try. */
  const reach = async (): Promise<void> => {
    const fresh = await connect(closing.signal);
    try {
      await hold?.takeUp(fresh, closing.signal);
      closing.signal.throwIfAborted();
    } catch (error) {
      await fresh.close();
      throw error;
    }
    fresh.patienceMs = patienceMs;
    session = fresh;
    problem = undefined;
    back.resolve();
    fresh.onEnd((why) => {
      session = undefined;
      if (closing.signal.aborted || over !== undefined) return;
      back = Promise.withResolvers();
      problem = codes['BBX-STO-AWAY']({ store, problem: why });
      void returning();
    });
  };

  const giveUp = (error: BbxError): void => {
    over = error;
    onTaken(error);
    back.resolve();
    session?.destroy(error.message);
  };

  /** Tries until it is there. */
  const returning = async (): Promise<void> => {
    const backoff = createBackoff(BACKOFF);
    while (!closing.signal.aborted) {
      try {
        await reach();
        onAway(undefined);
        return;
      } catch (error) {
        if (closing.signal.aborted) return;
        if (isEnd(error)) return giveUp(error);
        // Also what does not pass by itself, such as a password that was changed, may be mended while we wait.
        const failure = error instanceof BbxError ? error : undefined;
        const said =
          failure?.code === 'BBX-STO-AWAY' ? String(failure.data['problem']) : String(failure ?? error);
        problem = codes['BBX-STO-AWAY']({ store, problem: said }, { cause: error });
        onAway(problem);
        await sleep(backoff.next(), closing.signal).catch(() => undefined);
      }
    }
  };

  /** The connection, when it is there. */
  const ready = async (limitMs: number): Promise<Session> => {
    const end = performance.now() + limitMs;
    while (session === undefined) {
      if (over !== undefined) throw over;
      const limit = AbortSignal.timeout(Math.max(1, Math.ceil(end - performance.now())));
      const either = AbortSignal.any([limit, closing.signal, hurried]);
      await Promise.race([back.promise, aborted(either)]).catch(() => {
        closing.signal.throwIfAborted();
        throw problem ?? codes['BBX-STO-AWAY']({ store, problem: 'it does not answer' });
      });
    }
    if (over !== undefined) throw over;
    return session;
  };

  const there = (): Session => {
    if (over !== undefined) throw over;
    if (session === undefined) throw problem ?? codes['BBX-STO-AWAY']({ store, problem: 'it was closed' });
    return session;
  };

  /** A commit was sent and no answer came: whether it happened is known when the old connection is surely gone. */
  const ask = async (cause: unknown): Promise<void> => {
    if (hold === undefined || !hold.begun) {
      throw codes['BBX-STO-UNSURE']({ store, problem: String((cause as Error).message) }, { cause });
    }
    for (;;) {
      try {
        await ready(60_000);
        break;
      } catch (error) {
        if (over !== undefined) throw over;
        if (closing.signal.aborted || hurried.aborted) {
          throw codes['BBX-STO-UNSURE']({ store, problem: 'the master was stopped' }, { cause: error });
        }
      }
    }
    if (!hold.happened) throw cause;
  };

  const line: Line = {
    query: (sql, parameters) => (inside ?? there()).query(sql, parameters),
    async begin() {
      const end = performance.now() + BEGIN_MS;
      for (;;) {
        const here = await ready(end - performance.now());
        try {
          const lock = `begin; select pg_advisory_xact_lock(${lockOf(here, 'write')})`;
          if (hold?.begun !== true) {
            await here.query(lock);
            inside = here;
            return;
          }
          const { rows } = await here.query(`${lock}; select value from meta where key = 'writer'`);
          await hold.check(here, (rows[0] as { value: string } | undefined)?.value);
          inside = here;
          return;
        } catch (error) {
          if (isEnd(error)) {
            // A new epoch was written in this transaction.
            await here.query('commit').catch(() => undefined);
            giveUp(error);
            throw error;
          }
          // A connection that was found dead did nothing: the next one may.
          if (!here.dead) {
            await here.query('rollback').catch(() => undefined);
            throw error;
          }
          if (performance.now() >= end) throw error;
        }
      }
    },
    async commit() {
      const here = inside ?? there();
      const marked = hold?.begun === true;
      try {
        const result = await here.query(marked ? `${hold.mark()}; commit` : 'commit');
        if (marked && result.command === 'COMMIT') hold.confirmed();
        inside = undefined;
        return result;
      } catch (error) {
        if (!here.dead) throw error;
        inside = undefined;
        await ask(error);
        return { command: 'COMMIT', rowCount: null, oid: 0, fields: [], rows: [] };
      }
    },
    async rollback() {
      const here = inside ?? there();
      inside = undefined;
      return here.query('rollback');
    },
    async own() {
      await hold?.begin(there());
    },
    patience(ms) {
      patienceMs = ms ?? PATIENCE_MS;
      if (session !== undefined) session.patienceMs = patienceMs;
    },
    interrupt: () => closing.abort(codes['BBX-STO-CLOSED']({ what: `store "${store}"` })),
    drop: (why) => (inside ?? session)?.destroy(why),
    async close() {
      const here = session;
      line.interrupt();
      await here?.close();
    },
  };

  const end = performance.now() + waitMs;
  const backoff = createBackoff(BACKOFF);
  for (let waited = false; ; waited = true) {
    try {
      await reach();
      if (waited) onAway(undefined);
      return line;
    } catch (error) {
      const passing = error instanceof BbxError && error.code === 'BBX-STO-AWAY';
      if (!passing || performance.now() >= end) throw error;
      onAway(error);
      await sleep(backoff.next(), signal);
    }
  }
}

/** Whether this process may write no more. */
function isEnd(error: unknown): error is BbxError {
  return error instanceof BbxError && ['BBX-STO-TAKEN', 'BBX-STO-REWOUND'].includes(error.code);
}
