import type { Attempt } from './paths.ts';
import type { Family } from '../intent.ts';

/** A row of /proc/net/tcp or tcp6 in state LISTEN. */
export interface ListenRow {
  readonly family: Family;
  readonly address: string;
  readonly port: number;
  readonly inode: string;
  /** `python3 (pid 812)`, where /proc lets us see it. */
  readonly owner: string | null;
}

export interface BindFact {
  readonly address: string;
  /** System code of the refusal; null: it could be bound (and was let go at once). */
  readonly errno: string | null;
}

export interface ListenerFacts {
  readonly at: string;
  /** Rows on this port; undefined where the kernel's tables cannot be read. */
  readonly rows: readonly ListenRow[] | undefined;
  /** Connections from this host to its own addresses. */
  readonly attempts: readonly Attempt[];
  /** Connections, ours among them, that the program had not accepted a second after them; 0 where it does its work. */
  readonly unaccepted: number;
  /** Tried only where nothing of the plan is running there. */
  readonly binds: readonly BindFact[];
  /** Where one of them is held: ports behind it that could be bound instead, at every address of the listener. */
  readonly free: readonly number[];
}

/** A row that would take connections to this address. `::` also takes IPv4, unless it was told not to. */
export function covers(row: ListenRow, address: string): boolean {
  if (row.address === address) return true;
  return row.address === '0.0.0.0' || row.address === '::';
}

/** `[::]` is bound, no IPv4 row beside it, and IPv4 was tried and refused. */
export function refusesIpv4(facts: ListenerFacts): boolean {
  const rows = facts.rows ?? [];
  if (!rows.some((row) => row.address === '::') || rows.some((row) => row.family === 4)) return false;
  const tries = facts.attempts.filter((attempt) => attempt.family === 4);
  return tries.length > 0 && tries.every((attempt) => attempt.errno === 'ECONNREFUSED');
}
