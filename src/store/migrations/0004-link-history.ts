import { sql } from 'kysely';
import type { ColumnDefinitionBuilder, Kysely } from 'kysely';
import type { Dialect } from '../database.ts';
import { columnTypes } from './types.ts';

/** What master and workers saw of their links; and a drain that was asked at the master outlives the master. */
export async function up(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { schema } = db;
  const { integer, real, text, id } = columnTypes(dialect);
  const needed = (column: ColumnDefinitionBuilder) => column.notNull();
  const zero = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0);
  const worker = (column: ColumnDefinitionBuilder) =>
    column.notNull().references('workers.workerid').onDelete('cascade');

  await schema.alterTable('workers').addColumn('draining_boot', text).execute();

  await schema
    .createTable('link_sessions')
    .addColumn('linkid', integer, id)
    .addColumn('workerid', integer, worker)
    .addColumn('session', text, needed)
    .addColumn('life', text, needed)
    .addColumn('boot', text, needed)
    .addColumn('peer', text, needed)
    .addColumn('opened_at', real, needed)
    .addColumn('away_ms', real)
    .addColumn('ahead', real)
    .addColumn('seen_at', real, needed)
    .addColumn('closed_at', real)
    .addColumn('silent_ms', real)
    .addColumn('code', integer)
    .addColumn('reason', text)
    .addColumn('closed_by', text)
    .addColumn('rtt_ms', real)
    .addColumn('rtt_max_ms', real)
    .addColumn('pings', integer, zero)
    .addColumn('missed', integer, zero)
    .addColumn('received', integer, zero)
    .addColumn('sent', integer, zero)
    .execute();
  await schema
    .createIndex('link_sessions_by_worker')
    .on('link_sessions')
    .columns(['workerid', 'linkid'])
    .execute();
  await sql`create index link_sessions_open on link_sessions (linkid) where closed_at is null`.execute(db);
  await schema.createIndex('link_sessions_by_time').on('link_sessions').column('opened_at').execute();

  await schema
    .createTable('link_facts')
    .addColumn('factid', integer, id)
    .addColumn('workerid', integer, worker)
    .addColumn('boot', text, needed)
    .addColumn('number', integer, needed)
    .addColumn('at', real, needed)
    .addColumn('said_at', real, needed)
    .addColumn('fact_json', text, needed)
    .addUniqueConstraint('link_facts_once', ['workerid', 'boot', 'number'])
    .execute();
  await schema.createIndex('link_facts_by_worker').on('link_facts').columns(['workerid', 'at']).execute();
  await schema.createIndex('link_facts_by_time').on('link_facts').column('at').execute();
}
