import { writeFile } from 'node:fs/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../../../src/base/abort.ts';
import { BbxError } from '../../../src/base/error.ts';
import { startPostgres, type PostgresServer } from '../../../src/exec/postgres-server.ts';
import { appendEvent, eventsAfter } from '../../../src/store/events.ts';
import { getMeta, setMeta } from '../../../src/store/meta.ts';
import { restoredFrom } from '../../../src/store/restored.ts';
import { openStore, type Store, type StoreOptions } from '../../../src/store/store.ts';
import { hasPostgres, makeDatabase } from '../../rigs/postgres.ts';
import { startPostgresProxy, type PostgresProxy } from '../../rigs/postgres-proxy.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { until } from '../../rigs/wait.ts';

const PASSWORD = 'geheim';

describe.skipIf(!hasPostgres())('a store on a PostgreSQL with trouble', () => {
  let server: PostgresServer;
  let proxy: PostgresProxy;
  const port = 20_000 + (process.pid % 20_000);

  beforeAll(async () => {
    server = await startPostgres({ password: PASSWORD, settings: { max_connections: 20 } });
    proxy = await startPostgresProxy(server.dir);
  });
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  /** A database with a number in it that each write makes greater by one. */
  const counted = async (options: Partial<StoreOptions> = {}) => {
    const database = await makeDatabase({ server });
    const url = proxy.url(server.user, database.name);
    const store = await openStore(url, { dir: '/farm', sole: true, ...options });
    await store.write((tx) => setMeta(tx, 'n', '0'));
    return { database, url, store };
  };
  const number = async (store: Store) => Number(await store.read((db) => getMeta(db, 'n')));
  const add = (store: Store) =>
    store.write(async (tx) => {
      const next = Number(await getMeta(tx, 'n')) + 1;
      await setMeta(tx, 'n', String(next));
      return next;
    });
  /** As the master does: what may be tried again is tried again. */
  const insist = async (store: Store, act = add): Promise<number> => {
    for (;;) {
      try {
        return await act(store);
      } catch (error) {
        if (!(error instanceof BbxError && error.retryable)) throw error;
        await sleep(20);
      }
    }
  };

  it.each(['lose-commit', 'lose-answer'] as const)(
    'applies a write once when the connection breaks while it is committed (%s)',
    async (fate) => {
      const { store, database } = await counted();
      await using _closed = store;
      for (let round = 1; round <= 5; round += 1) {
        proxy.set(fate);
        expect(await insist(store)).toBe(round);
        expect((await database.query(`select value from meta where key = 'n'`))[0]?.['value']).toBe(
          String(round),
        );
      }
    },
  );

  it.each([true, false])(
    'never calls a change made whose failed statement was overlooked (sole: %s)',
    async (sole) => {
      const { store } = await counted({ sole });
      await using _closed = store;
      const written = store.write(async (tx) => {
        await setMeta(tx, 'n', '7');
        await sql`select 1 from nowhere`.execute(tx).catch(() => undefined);
      });
      await expect(written).rejects.toThrow();
      expect(await number(store)).toBe(0);
      expect(await add(store)).toBe(1);
    },
  );

  it('knows of a commit whose answer was lost that it happened, without trying again', async () => {
    const { store } = await counted();
    await using _closed = store;
    proxy.set('lose-answer');
    expect(await add(store)).toBe(1);
    expect(await number(store)).toBe(1);
  });

  it('says of a lost answer that nobody knows, where it is not the master’s own', async () => {
    const { store } = await counted({ sole: false });
    await using _closed = store;
    proxy.set('lose-answer');
    await expect(add(store)).rejects.toMatchObject({ code: 'BBX-STO-UNSURE', exit: 3, retryable: false });
  });

  it('loses and doubles nothing while the server crashes again and again', { timeout: 120_000 }, async () => {
    const away: (BbxError | undefined)[] = [];
    const { store } = await counted({ onAway: (error) => void away.push(error) });
    await using _closed = store;
    let done = 0;
    let stop = false;
    const writing = (async () => {
      while (!stop) {
        await insist(store);
        done += 1;
      }
    })();
    const reading = (async () => {
      while (!stop) expect(await insist(store, number)).toBeGreaterThanOrEqual(0);
    })();
    for (let round = 0; round < 5; round += 1) {
      const before = done;
      await until('some writes', () => done > before + 3, 40_000);
      await server.stop('immediate');
      await sleep(300);
      await server.start();
    }
    const before = done;
    await until('writes again', () => done > before + 3, 40_000);
    stop = true;
    await Promise.all([writing, reading]);
    expect(await number(store)).toBe(done);
    expect(away.at(-1)).toBeUndefined();
    expect(away.find((error) => error !== undefined)).toMatchObject({
      code: 'BBX-STO-AWAY',
      retryable: true,
    });
  });

  it('loses and doubles nothing while its connections are ended by an administrator', async () => {
    const { store, database } = await counted();
    await using _closed = store;
    let done = 0;
    let stop = false;
    const writing = (async () => {
      while (!stop) {
        await insist(store);
        done += 1;
      }
    })();
    for (let round = 0; round < 15; round += 1) {
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      );
      await sleep(Math.random() * 60);
    }
    const before = done;
    await until('writes again', () => done > before + 3);
    stop = true;
    await writing;
    expect(await number(store)).toBe(done);
  });

  it('writes nothing of a broken transaction into the next connection', async () => {
    const { store, database } = await counted();
    await using _closed = store;
    const broken = store.write(async (tx) => {
      await setMeta(tx, 'first', 'x');
      proxy.cut();
      await until('the connection is back', async () => {
        const rows = await database.query(
          `select 1 from pg_stat_activity where datname = current_database() and application_name like 'bbx write%'`,
        );
        return rows.length === 1;
      });
      await sleep(300);
      await setMeta(tx, 'second', 'x');
    });
    await expect(broken).rejects.toMatchObject({ code: 'BBX-STO-AWAY', retryable: true });
    expect(await database.query(`select key from meta where value = 'x'`)).toEqual([]);
    expect(await add(store)).toBe(1);
  });

  it('is given back as busy or away within its limits, and goes on when there is room for connections again', async () => {
    const { store, database } = await counted();
    await using _closed = store;
    const taken: { end(): Promise<void> }[] = [];
    for (;;) {
      const client = new pg.Client({ host: server.dir, user: server.user, database: database.name });
      client.on('error', () => undefined);
      try {
        await client.connect();
        taken.push(client);
      } catch {
        break;
      }
    }
    // What is connected goes on; what must connect is held up.
    expect(await add(store)).toBe(1);
    proxy.cut();
    const held = add(store);
    const read = number(store);
    await sleep(1_000);
    for (const client of taken) await client.end();
    expect(await held).toBe(2);
    expect(await read).toBeGreaterThan(0);
  });

  it('works, slowly, over a slow line', async () => {
    const { store } = await counted();
    await using _closed = store;
    proxy.delayMs = 300;
    try {
      expect(await add(store)).toBe(1);
      expect(await number(store)).toBe(1);
    } finally {
      proxy.delayMs = 0;
    }
  });

  it('is full when the server’s disk is, and goes on when there is room', async () => {
    const { store, database } = await counted();
    await using _closed = store;
    await database.query(`create function full_disk() returns trigger language plpgsql as $$
      begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`);
    await database.query(
      `create trigger full_disk before insert or update on builders execute function full_disk()`,
    );
    const insert = () =>
      store.write((tx) => tx.insertInto('builders').values({ name: 'a', active: 1 }).execute());
    await expect(insert()).rejects.toMatchObject({ code: 'BBX-STO-FULL', retryable: true });
    await database.query('drop trigger full_disk on builders');
    await insert();
  });

  describe('with two masters', () => {
    it('refuses the second, and says who holds it', async () => {
      const { store, url } = await counted();
      await using _closed = store;
      const second = openStore(url, { dir: '/other', sole: true });
      await expect(second).rejects.toMatchObject({ code: 'BBX-STO-HELD', exit: 8 });
      await expect(second).rejects.toThrow(
        /another master holds it \(\/farm on .+, process \d+, since 2.+PostgreSQL's process \d+/,
      );
      // Commands that write beside a master still may.
      await using third = await openStore(url, { dir: '/other' });
      await add(third);
      expect(await add(store)).toBe(2);
    });

    it('lets the next one in when the first has ended', async () => {
      const { store, url } = await counted();
      await store.close();
      await using second = await openStore(url, { dir: '/other', sole: true });
      expect(await add(second)).toBe(1);
    });

    it('fences one that was cut off while another began, and tells it who has the store', async () => {
      const lost = Promise.withResolvers<BbxError>();
      const { store, database } = await counted({ onTaken: lost.resolve });
      await using _closed = store;
      proxy.set('refuse');
      const direct = `postgres://${server.user}@${encodeURIComponent(server.dir)}/${database.name}`;
      await using other = await openStore(direct, { dir: '/other', sole: true });
      await add(other);
      proxy.set('through');
      expect(await lost.promise).toMatchObject({ code: 'BBX-STO-TAKEN', exit: 8 });
      expect((await lost.promise).message).toContain('/other on ');
      await expect(add(store)).rejects.toMatchObject({ code: 'BBX-STO-TAKEN' });
      expect(await number(other)).toBe(1);
    });

    it('fences it also when the other has ended meanwhile', async () => {
      const lost = Promise.withResolvers<BbxError>();
      const { store, database } = await counted({ onTaken: lost.resolve });
      await using _closed = store;
      proxy.set('refuse');
      const direct = `postgres://${server.user}@${encodeURIComponent(server.dir)}/${database.name}`;
      await (await openStore(direct, { dir: '/other', sole: true })).close();
      proxy.set('through');
      expect(await lost.promise).toMatchObject({ code: 'BBX-STO-TAKEN' });
    });
  });

  it('notices that the database has lost what it confirmed, renews the epoch, and ends', async () => {
    const lost = Promise.withResolvers<BbxError>();
    const { store, database, url } = await counted({ onTaken: lost.resolve });
    await using _closed = store;
    await add(store);
    const [before] = await database.query(`select value from meta where key = 'writer'`);
    await add(store);
    // As a standby that was behind would have it.
    await database.query(`update meta set value = $1 where key = 'writer'`, [before?.['value']]);
    await expect(add(store)).rejects.toMatchObject({ code: 'BBX-STO-REWOUND' });
    expect(await lost.promise).toMatchObject({ code: 'BBX-STO-REWOUND', exit: 8 });
    await store.close();
    await using again = await openStore(url, { dir: '/farm', sole: true });
    expect(again.epoch).not.toBe(store.epoch);
    // Builds of that life are ended at once, as after a restore.
    expect(await again.read((db) => restoredFrom(db))).toMatchObject({
      from: store.epoch,
      lastBuild: 0,
      rewound: true,
    });
  });

  it(
    'goes on at the server that took over, with everything that was confirmed',
    { timeout: 60_000 },
    async () => {
      await using first = await startPostgres();
      await using second = await startPostgres({ standbyOf: first });
      // Each commit waits for the standby, so that nothing confirmed is lost with the first.
      const admin = await makeDatabase({ server: first });
      await admin.query(`alter system set synchronous_standby_names = '*'`);
      await admin.query('select pg_reload_conf()');
      const hosts = [first, second].map(({ dir }) => encodeURIComponent(dir)).join(',');
      // A standby is passed over, wherever it stands in the list.
      for (const list of [hosts, hosts.split(',').reverse().join(',')]) {
        await (await openStore(`postgres://bbx@${list}/${admin.name}`, { dir: '.' })).close();
      }
      const lost: BbxError[] = [];
      await using store = await openStore(`postgres://bbx@${hosts}/${admin.name}`, {
        dir: '/farm',
        sole: true,
        onTaken: (error) => void lost.push(error),
      });
      await insist(store, (by) => by.write((tx) => setMeta(tx, 'n', '0')).then(() => 0));
      let done = 0;
      let stop = false;
      const writing = (async () => {
        while (!stop) {
          await insist(store);
          done += 1;
        }
      })();
      await until('some writes', () => done > 5);
      await first.stop('immediate');
      await second.promote();
      const before = done;
      await until('writes at the second', () => done > before + 5, 30_000);
      stop = true;
      await writing;
      expect(lost).toEqual([]);
      expect(await insist(store, number)).toBe(done);
    },
  );

  it('gives events positions in the order of commits, whoever writes', async () => {
    const { store, url } = await counted();
    await using one = store;
    await using two = await openStore(url, { dir: '/other' });
    const seen: number[] = [];
    let stop = false;
    const reading = (async () => {
      while (!stop || (await one.read((db) => eventsAfter(db, seen.at(-1) ?? 0, 10))).length > 0) {
        for (const { eventid } of await one.read((db) => eventsAfter(db, seen.at(-1) ?? 0, 10)))
          seen.push(eventid);
      }
    })();
    const append = (by: Store, type: string) =>
      by.write(async (tx) => {
        const id = await appendEvent(tx, { at: 1, type, payload: {} });
        await sleep(Math.random() * 10);
        return id;
      });
    const ids = (
      await Promise.all(
        [one, two].map(async (by, index) => {
          const mine: number[] = [];
          for (let n = 0; n < 25; n += 1) mine.push(await append(by, `of ${index}`));
          return mine;
        }),
      )
    ).flat();
    stop = true;
    await reading;
    expect(seen).toEqual(ids.sort((a, b) => a - b));
  });

  describe('at the opening', () => {
    const open = (url: string, options: Partial<StoreOptions> = {}) =>
      openStore(url, { dir: '.', ...options });

    it('waits for a server that starts, and says so once', async () => {
      const database = await makeDatabase({ server });
      await server.stop();
      const said: (string | undefined)[] = [];
      const opening = open(database.url, {
        waitMs: 20_000,
        onAway: (error) => void said.push(error?.message),
      });
      await until('it was tried', () => said.length > 0);
      await server.start();
      await using store = await opening;
      expect(store.dialect).toBe('postgres');
      expect(said[0]).toMatch(/^Cannot reach store "postgres:\/\/bbx@.+": /);
      expect(said.at(-1)).toBeUndefined();
    });

    it('says what is in the way', async () => {
      const database = await makeDatabase({ server });
      await server.stop();
      await expect(open(database.url)).rejects.toMatchObject({ code: 'BBX-STO-AWAY', exit: 3 });
      await server.start();
      await expect(open(server.url('nowhere'))).rejects.toMatchObject({
        code: 'BBX-STO-NO-DATABASE',
        exit: 6,
      });
      await database.query('create role guest login');
      const guest = database.url.replace('//bbx@', '//guest@');
      await expect(open(guest)).rejects.toMatchObject({ code: 'BBX-STO-RIGHTS', exit: 5 });
      await expect(open(`${database.url}?schema=missing`)).rejects.toMatchObject({ code: 'BBX-STO-RIGHTS' });
      await database.query(`create database latin encoding 'LATIN1' template template0 locale 'C'`);
      await expect(open(server.url('latin'))).rejects.toThrow('its encoding is LATIN1');
    });

    it('leaves a database of another program alone', async () => {
      const database = await makeDatabase({ server });
      await database.query('create table people (name text)');
      await expect(open(database.url)).rejects.toMatchObject({ code: 'BBX-STO-FOREIGN', exit: 8 });
      expect(await database.query(`select tablename from pg_tables where schemaname = 'public'`)).toEqual([
        { tablename: 'people' },
      ]);
      // A schema of its own is its own.
      await database.query('create schema farm');
      await using store = await open(`${database.url}?schema=farm`);
      await store.write((tx) => setMeta(tx, 'a', 'b'));
    });

    it('asks for the password where the address, the environment or ~/.pgpass say, and shows it nowhere', async () => {
      await using dir = await tempDir();
      await using own = await startPostgres({
        password: PASSWORD,
        port,
        settings: { listen_addresses: 'localhost' },
      });
      await writeFile(`${dir.path}/right`, `${PASSWORD}\n`);
      await writeFile(`${dir.path}/wrong`, 'falsch');
      const url = `postgres://${own.user}@[::1]:${port},127.0.0.1:${port}/postgres`;
      const env = { HOME: dir.path };
      await (await open(`${url}?password=@right`, { dir: dir.path, env })).close();
      await (await open(url, { env: { ...env, PGPASSWORD: PASSWORD } })).close();
      for (const [address, given] of [
        [`${url}?password=@wrong`, env],
        [url, { ...env, PGPASSWORD: 'falsch' }],
        [url, { ...env, PGPASSFILE: '/nowhere' }],
      ] as const) {
        const error: unknown = await open(address, { dir: dir.path, env: given }).catch(
          (caught: unknown) => caught,
        );
        expect(error).toMatchObject({ code: 'BBX-STO-LOGIN', exit: 4 });
        expect(JSON.stringify(error) + String((error as Error).stack)).not.toMatch(/falsch|geheim/);
      }
      await expect(
        open(`${url}?password=@right&sslmode=require`, { dir: dir.path, env }),
      ).rejects.toMatchObject({
        code: 'BBX-STO-TLS',
      });
    });
  });
});
