import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Db, Dialect } from './database.ts';
import type { Migration } from './migrations/list.ts';
import { columnTypes } from './migrations/types.ts';

/** The number of the last migration that a store has seen; 0 for an empty database, undefined for tables that are not bbx's. */
export async function schemaOf(db: Db, dialect: Dialect): Promise<number | undefined> {
  const tables = await tableNames(db, dialect);
  if (tables.length === 0) return 0;
  if (!tables.includes('meta') || !tables.includes('builders')) return undefined;
  const row = await db.selectFrom('meta').select('value').where('key', '=', 'schema').executeTakeFirst();
  const number = Number(row?.value);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

async function tableNames(db: Db, dialect: Dialect): Promise<string[]> {
  const rows =
    dialect === 'sqlite'
      ? await sql<{
          name: string;
        }>`select name from sqlite_master where type = 'table' and name not like 'sqlite_%'`.execute(db)
      : await sql<{
          name: string;
        }>`select tablename as name from pg_catalog.pg_tables where schemaname = current_schema()`.execute(
          db,
        );
  return rows.rows.map((row) => row.name);
}

/**
 * Runs what is missing, each migration in a transaction of its own together with its number: a crash between two leaves a store that
 * the next start upgrades further. Gives the numbers that ran.
 */
export async function migrate(options: {
  db: Db;
  dialect: Dialect;
  migrations: readonly Migration[];
  from: number;
  /** Runs in the first migration's transaction. */
  first: (db: Db) => Promise<void>;
}): Promise<number[]> {
  const { db, dialect, migrations, from, first } = options;
  const { text } = columnTypes(dialect);
  const ran: number[] = [];
  for (const { number, up } of migrations) {
    if (number <= from) continue;
    await db.transaction().execute(async (tx) => {
      // Somebody else may have opened the same store meanwhile; only in the transaction it is sure.
      if (((await schemaOf(tx, dialect)) ?? 0) >= number) return;
      if (number === 1) {
        await tx.schema
          .createTable('meta')
          .addColumn('key', text, (column) => column.primaryKey().notNull())
          .addColumn('value', text, (column) => column.notNull())
          .execute();
      }
      await up(tx as unknown as Kysely<unknown>, dialect);
      await tx
        .insertInto('meta')
        .values({ key: 'schema', value: String(number) })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: String(number) }))
        .execute();
      if (number === 1) await first(tx);
      ran.push(number);
    });
  }
  return ran;
}
