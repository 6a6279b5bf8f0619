import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { getMeta, setMeta } from '../../../src/store/meta.ts';
import { createMutex } from '../../../src/store/mutex.ts';
import { openSqliteEngine } from '../../../src/store/sqlite/open.ts';
import { openStore } from '../../../src/store/store.ts';
import { createTransactions } from '../../../src/store/transactions.ts';

async function withDir<T>(act: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'bbx-store-'));
  try {
    return await act(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

describe('the store’s mutex', () => {
  it('lets one in at a time, in the order of asking', async () => {
    const mutex = createMutex();
    const seen: string[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        mutex.run(async () => {
          seen.push(`${name} in`);
          await Promise.resolve();
          seen.push(`${name} out`);
        }),
      ),
    );
    expect(seen).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  });

  it('refuses more waiters than its limit, and those who wait too long, as retryable', async () => {
    const mutex = createMutex({ waiting: 1, waitMs: 20 });
    let leave = () => {};
    const first = mutex.run(() => new Promise<void>((resolve) => (leave = resolve)));
    const second = mutex.run(() => Promise.resolve());
    await expect(mutex.run(() => Promise.resolve())).rejects.toMatchObject({ code: 'BBX-STO-BUSY' });
    await expect(second).rejects.toMatchObject({ code: 'BBX-STO-BUSY', retryable: true });
    leave();
    await first;
    expect(await mutex.run(() => Promise.resolve('free again'))).toBe('free again');
  });
});

describe('a transaction', () => {
  it('that waits for something other than SQL is rolled back at its limit, and the next one goes on', () =>
    withDir(async (dir) => {
      await (await openStore('sqlite:s', { dir })).close();
      const engine = openSqliteEngine(join(dir, 's'), { readOnly: false });
      const transactions = createTransactions(engine, {
        clock: systemClock,
        log: silentLog,
        transactionMs: 50,
      });
      const stuck = transactions.run(async (tx) => {
        await setMeta(tx, 'stuck', 'x');
        await new Promise(() => {});
      });
      await expect(stuck).rejects.toThrow(/waits for something other than SQL/);
      await transactions.run((tx) => setMeta(tx, 'next', 'x'));
      expect(await getMeta(engine.reader, 'stuck')).toBeUndefined();
      expect(await getMeta(engine.reader, 'next')).toBe('x');
      await engine.close();
    }));

  it('waits for another process’s lock without holding up this one', () =>
    withDir(async (dir) => {
      await using store = await openStore('sqlite:s', { dir });
      const other = new DatabaseSync(join(dir, 's'));
      other.exec('begin immediate');
      let ticks = 0;
      const ticking = setInterval(() => (ticks += 1), 5);
      setTimeout(() => other.exec('commit'), 300);
      await store.write((tx) => setMeta(tx, 'a', 'b'));
      clearInterval(ticking);
      other.close();
      expect(ticks).toBeGreaterThan(2);
      expect(await store.read((db) => getMeta(db, 'a'))).toBe('b');
    }));

  it('on a full disk fails as retryable, and works again when there is space', () =>
    withDir(async (dir) => {
      await using store = await openStore('sqlite:s', { dir });
      await store.write(async (tx) => {
        const limit = await tx.selectFrom('meta').select('key').execute();
        expect(limit.length).toBeGreaterThan(0);
      });
      const engine = openSqliteEngine(join(dir, 's'), { readOnly: false });
      const transactions = createTransactions(engine, { clock: systemClock, log: silentLog });
      const { sql } = await import('kysely');
      // SQLite's own limit stands in for the disk's: the same error by the same way.
      await sql`pragma max_page_count = 1`.execute(engine.writer);
      const big = 'x'.repeat(1_000_000);
      await expect(transactions.run((tx) => setMeta(tx, 'big', big))).rejects.toMatchObject({
        code: 'BBX-STO-FULL',
        retryable: true,
      });
      await sql`pragma max_page_count = 1000000`.execute(engine.writer);
      await transactions.run((tx) => setMeta(tx, 'big', big));
      expect(await getMeta(engine.reader, 'big')).toBe(big);
      await engine.close();
    }));
});
