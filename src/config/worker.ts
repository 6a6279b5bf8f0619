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
