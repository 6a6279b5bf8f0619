import type { WorkerRow } from '../../../store/workers.ts';
import type { Worker } from './roster.ts';

/** A worker as a row knows it, without a session. */
export function workerOf(row: WorkerRow): Worker {
  const info = row.info as { maxBuilds?: number; facts?: Record<string, string>; aside?: string[] };
  return {
    workerid: row.workerid,
    name: row.name,
    state: row.state,
    publicKey: row.public_key,
    paused: row.paused,
    draining: row.draining_boot !== null,
    drains: row.draining_boot,
    peer: row.last_peer,
    seenAt: row.last_seen_at,
    facts: info.facts ?? {},
    maxBuilds: info.maxBuilds ?? 1,
    attached: undefined,
    aside: new Set(info.aside ?? []),
    builds: new Map(),
    restsUntil: 0,
    refusals: 0,
    refusedWhy: null,
  };
}
