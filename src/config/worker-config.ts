import type { CheckedWorker } from './schema/worker.ts';
import type { Address } from '../net/endpoint/address.ts';
import type { Hop } from '../net/endpoint/hop.ts';

/** A worker's configuration as the program uses it. */
export interface WorkerConfig {
  name: string;
  /** Ways to the master, best first. */
  master: Address[];
  /** Accepted keys of the master; empty: pinned at first contact. */
  pins: string[];
  via: Hop[];
  maxBuilds: number;
  /** Tags that it brings itself. */
  tags: string[];
  drainTimeoutMs: number;
  /** null: builds run as the worker's own user. */
  runAs: string | null;
  spoolLimitBytes: number;
}

/** A worker's checked text as the program wants it. */
export function resolveWorker(checked: CheckedWorker): WorkerConfig {
  return {
    name: checked.name,
    master: checked.master,
    pins: checked.pin,
    via: checked.via,
    maxBuilds: checked.maxBuilds,
    tags: checked.tags,
    drainTimeoutMs: checked.drainTimeout,
    runAs: checked.runAs ?? null,
    spoolLimitBytes: checked.spoolLimit,
  };
}
