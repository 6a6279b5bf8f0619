import type { Kysely } from 'kysely';
import type { Dialect } from '../database.ts';
import { up as first } from './0001-first.ts';
import { up as cancelReason } from './0002-cancel-reason.ts';
import { up as orphanAfter } from './0003-orphan-after.ts';
import { up as linkHistory } from './0004-link-history.ts';
import { up as logReceipts } from './0005-log-receipts.ts';
import { up as smallLogs } from './0006-small-logs.ts';
import { up as logCut } from './0007-log-cut.ts';

export interface Migration {
  number: number;
  name: string;
  up: (db: Kysely<unknown>, dialect: Dialect) => Promise<void>;
}

/** Every migration there ever was, in order. One that was published is never changed; the next one mends it. */
export const migrations: readonly Migration[] = [
  { number: 1, name: 'first', up: first },
  { number: 2, name: 'cancel-reason', up: cancelReason },
  { number: 3, name: 'orphan-after', up: orphanAfter },
  { number: 4, name: 'link-history', up: linkHistory },
  { number: 5, name: 'log-receipts', up: logReceipts },
  { number: 6, name: 'small-logs', up: smallLogs },
  { number: 7, name: 'log-cut', up: logCut },
];
