import type { QueryResult } from 'pg';
import { sleep } from '../../base/abort.ts';
import { createBackoff } from '../../base/backoff.ts';
import { codes } from '../codes.ts';
import { isLost } from './error.ts';
import type { Session } from './session.ts';

/** Connections that read, at most; a list takes milliseconds, so few carry many readers. */
const MOST = 4;

/** How long a read waits for a free connection, or a server that is away. */
const WAIT_MS = 10_000;

/** Reads that may wait at once. */
const WAITING = 1_000;

/**
 * Connections for reading. Each statement stands for itself, so one whose connection was lost is simply asked again, for up to 10 s.
 * `first`: a connection that is there already.
 */
export function createReaders(options: {
  store: string;
  /** From then on no read waits for a server that is away. */
  hurried?: AbortSignal;
  connect: (signal: AbortSignal) => Promise<Session>;
  first?: Session;
}) {
  const { store, connect, hurried } = options;
  const closing = new AbortController();
  const ending = hurried === undefined ? closing.signal : AbortSignal.any([closing.signal, hurried]);
  const idle: Session[] = options.first === undefined ? [] : [options.first];
  const queue: (() => void)[] = [];
  let used = 0;

  const enter = async (): Promise<void> => {
    if (used < MOST) {
      used += 1;
      return;
    }
    if (queue.length >= WAITING) {
      throw codes['BBX-STO-AWAY']({ store, problem: `${WAITING} reads wait for it already` });
    }
    await new Promise<void>((resolve, reject) => {
      const turn = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(turn), 1);
        reject(codes['BBX-STO-AWAY']({ store, problem: `a read had no turn for ${WAIT_MS} ms` }));
      }, WAIT_MS);
      queue.push(turn);
    });
  };
  const leave = () => {
    const next = queue.shift();
    if (next === undefined) used -= 1;
    else next();
  };

  const take = async (): Promise<Session> => {
    for (let one = idle.pop(); one !== undefined; one = idle.pop()) if (!one.dead) return one;
    return connect(closing.signal);
  };

  const ask = async (sql: string, parameters: readonly unknown[]): Promise<QueryResult> => {
    const end = performance.now() + WAIT_MS;
    const backoff = createBackoff({ firstMs: 50, maxMs: 1_000 });
    for (;;) {
      try {
        const session = await take();
        try {
          return await session.query(sql, parameters);
        } finally {
          if (!session.dead) {
            if (closing.signal.aborted) await session.close();
            else idle.push(session);
          }
        }
      } catch (error) {
        if (!isLost(error) || ending.aborted || performance.now() >= end) throw error;
        await sleep(backoff.next(), ending);
      }
    }
  };

  return {
    async query(sql: string, parameters: readonly unknown[] = []): Promise<QueryResult> {
      closing.signal.throwIfAborted();
      await enter();
      try {
        return await ask(sql, parameters);
      } finally {
        leave();
      }
    },
    async close(): Promise<void> {
      closing.abort(codes['BBX-STO-CLOSED']({ what: `store "${store}"` }));
      await Promise.all(idle.splice(0).map((session) => session.close()));
    },
  };
}

export type Readers = ReturnType<typeof createReaders>;
