import { sql } from 'kysely';
import type { ColumnDefinitionBuilder, Kysely } from 'kysely';
import type { Dialect } from '../database.ts';
import { columnTypes } from './types.ts';

/**
 * The first schema. Ids are never used again, not even after the row is gone: log files are named by them and readers of events
 * keep them as positions.
 */
export async function up(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { schema } = db;
  const { integer, real, text, id } = columnTypes(dialect);
  const needed = (column: ColumnDefinitionBuilder) => column.notNull();
  const zero = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0);
  const refers = (to: string) => (column: ColumnDefinitionBuilder) =>
    column.notNull().references(to).onDelete('cascade');

  await schema
    .createTable('builders')
    .addColumn('builderid', integer, id)
    .addColumn('name', text, (column) => column.notNull().unique())
    .addColumn('active', integer, needed)
    .addColumn('next_number', integer, (column) => column.notNull().defaultTo(1))
    .execute();

  await schema
    .createTable('workers')
    .addColumn('workerid', integer, id)
    .addColumn('name', text, (column) => column.notNull().unique())
    .addColumn('state', text, needed)
    .addColumn('public_key', text)
    .addColumn('paused', integer, zero)
    .addColumn('info_json', text, needed)
    .addColumn('last_peer', text)
    .addColumn('last_seen_at', real)
    .addColumn('created_at', real, needed)
    .execute();

  await schema
    .createTable('joins')
    .addColumn('joinid', integer, id)
    .addColumn('secret_sha256', text, (column) => column.notNull().unique())
    .addColumn('names', text, needed)
    .addColumn('uses', integer, needed)
    .addColumn('used', integer, zero)
    .addColumn('expires_at', real, needed)
    .addColumn('created_at', real, needed)
    .execute();
  await schema
    .createTable('join_uses')
    .addColumn('joinid', integer, refers('joins.joinid'))
    .addColumn('worker_name', text, needed)
    .addColumn('public_key', text, needed)
    .addColumn('used_at', real, needed)
    .addPrimaryKeyConstraint('join_uses_once', ['joinid', 'worker_name'])
    .execute();

  await schema
    .createTable('changes')
    .addColumn('changeid', integer, id)
    .addColumn('repository', text, needed)
    .addColumn('branch', text, needed)
    .addColumn('revision', text, needed)
    .addColumn('author', text, needed)
    .addColumn('comments', text, needed)
    .addColumn('files_json', text, needed)
    .addColumn('when_timestamp', real, needed)
    .addColumn('received_at', real, needed)
    .addColumn('properties_json', text, needed)
    .execute();
  await schema
    .createIndex('changes_by_branch')
    .on('changes')
    .columns(['repository', 'branch', 'changeid'])
    .execute();
  await schema.createIndex('changes_by_revision').on('changes').column('revision').execute();

  await schema
    .createTable('poll_state')
    .addColumn('repository', text, needed)
    .addColumn('branch', text, needed)
    .addColumn('revision', text, needed)
    .addPrimaryKeyConstraint('poll_state_key', ['repository', 'branch'])
    .execute();
  await schema
    .createTable('polls')
    .addColumn('repository', text, (column) => column.primaryKey().notNull())
    .addColumn('polled_at', real, needed)
    .addColumn('error_json', text)
    .execute();

  await schema
    .createTable('scheduler_state')
    .addColumn('scheduler', text, (column) => column.primaryKey().notNull())
    .addColumn('state_json', text, needed)
    .execute();
  await schema
    .createTable('scheduler_changes')
    .addColumn('scheduler', text, needed)
    .addColumn('changeid', integer, refers('changes.changeid'))
    .addPrimaryKeyConstraint('scheduler_changes_key', ['scheduler', 'changeid'])
    .execute();
  await schema
    .createIndex('scheduler_changes_by_change')
    .on('scheduler_changes')
    .column('changeid')
    .execute();

  await schema
    .createTable('buildsets')
    .addColumn('buildsetid', integer, id)
    .addColumn('reason', text, needed)
    .addColumn('scheduler', text)
    .addColumn('repository', text)
    .addColumn('branch', text)
    .addColumn('revision', text)
    .addColumn('properties_json', text, needed)
    .addColumn('submitted_at', real, needed)
    .addColumn('complete_at', real)
    .addColumn('results', integer)
    .execute();
  await schema.createIndex('buildsets_by_revision').on('buildsets').column('revision').execute();
  await schema
    .createTable('buildset_changes')
    .addColumn('buildsetid', integer, refers('buildsets.buildsetid'))
    .addColumn('changeid', integer, refers('changes.changeid'))
    .addPrimaryKeyConstraint('buildset_changes_key', ['buildsetid', 'changeid'])
    .execute();
  await schema.createIndex('buildset_changes_by_change').on('buildset_changes').column('changeid').execute();

  await schema
    .createTable('buildrequests')
    .addColumn('buildrequestid', integer, id)
    .addColumn('buildsetid', integer, refers('buildsets.buildsetid'))
    .addColumn('builderid', integer, refers('builders.builderid'))
    .addColumn('priority', integer, needed)
    .addColumn('submitted_at', real, needed)
    .addColumn('claimed_at', real)
    .addColumn('attempts', integer, zero)
    .addColumn('complete_at', real)
    .addColumn('results', integer)
    .execute();
  await schema.createIndex('buildrequests_by_buildset').on('buildrequests').column('buildsetid').execute();
  await schema
    .createIndex('buildrequests_by_builder')
    .on('buildrequests')
    .columns(['builderid', 'buildrequestid'])
    .execute();
  // The dispatcher's list: only what waits is in it, in the order in which it is taken.
  await sql`create index buildrequests_pending on buildrequests (priority desc, submitted_at, buildrequestid)
    where complete_at is null and claimed_at is null`.execute(db);
  await sql`create index buildrequests_open on buildrequests (buildrequestid) where complete_at is null`.execute(
    db,
  );
  await sql`create index buildrequests_unfinished on buildrequests (builderid, buildrequestid)
    where complete_at is null`.execute(db);

  await schema
    .createTable('builds')
    .addColumn('buildid', integer, id)
    .addColumn('builderid', integer, refers('builders.builderid'))
    .addColumn('number', integer, needed)
    .addColumn('buildrequestid', integer, refers('buildrequests.buildrequestid'))
    .addColumn('workerid', integer, refers('workers.workerid'))
    .addColumn('attempt', integer, needed)
    .addColumn('token', text, needed)
    .addColumn('lost_at', real)
    .addColumn('sequence', integer, zero)
    .addColumn('plan_json', text, needed)
    .addColumn('started_at', real, needed)
    .addColumn('complete_at', real)
    .addColumn('results', integer)
    .addColumn('state_string', text, needed)
    .addColumn('properties_json', text, needed)
    .addColumn('cancel_reason', text)
    .addColumn('logs_pruned', integer, zero)
    .addUniqueConstraint('builds_by_number', ['builderid', 'number'])
    .execute();
  await schema.createIndex('builds_by_request').on('builds').column('buildrequestid').execute();
  await schema.createIndex('builds_by_worker').on('builds').columns(['workerid', 'buildid']).execute();
  // What retention has still to do, oldest first.
  await sql`create index builds_with_logs on builds (complete_at)
    where complete_at is not null and logs_pruned = 0`.execute(db);
  await sql`create index builds_unfinished on builds (buildid) where complete_at is null`.execute(db);
  await sql`create index builds_running on builds (workerid) where complete_at is null`.execute(db);
  // "The last finished build of this builder" without walking over those that run.
  await sql`create index builds_finished on builds (builderid, number) where complete_at is not null`.execute(
    db,
  );

  await schema
    .createTable('steps')
    .addColumn('stepid', integer, id)
    .addColumn('buildid', integer, refers('builds.buildid'))
    .addColumn('number', integer, needed)
    .addColumn('name', text, needed)
    .addColumn('started_at', real)
    .addColumn('complete_at', real)
    .addColumn('results', integer)
    .addColumn('state_string', text, needed)
    .addColumn('rc', integer)
    .addColumn('signal', text)
    .addUniqueConstraint('steps_by_number', ['buildid', 'number'])
    .execute();

  await schema
    .createTable('logs')
    .addColumn('logid', integer, id)
    .addColumn('stepid', integer, refers('steps.stepid'))
    .addColumn('name', text, needed)
    .addColumn('bytes', integer, zero)
    .addColumn('complete', integer, zero)
    .addColumn('sha256', text)
    .addColumn('pruned', integer, zero)
    .addUniqueConstraint('logs_by_name', ['stepid', 'name'])
    .execute();

  await schema
    .createTable('events')
    .addColumn('eventid', integer, id)
    .addColumn('at', real, needed)
    .addColumn('type', text, needed)
    .addColumn('payload_json', text, needed)
    .execute();
  await schema.createIndex('events_by_time').on('events').column('at').execute();
}
