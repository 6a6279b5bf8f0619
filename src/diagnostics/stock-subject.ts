import type { StockListener, StockMaster } from '../config/stock/master-file.ts';
import type { StockWorker } from '../config/stock/tac-file.ts';
import type { Unwritten, Written } from '../config/stock/written.ts';
import type { StockFile, StockRun } from './facts/stock.ts';

/** One endpoint string (or port number) of stock Buildbot; where a condition chooses among several, each is one. */
export interface StockEndpointSubject extends StockFile {
  readonly kind: 'stock-endpoint';
  /** `c['protocols']['pb']['port']`, `connection_string`. */
  readonly key: string;
  /** `client`: what a worker dials; the others: what a master listens on. */
  readonly way: StockListener['way'] | 'client';
  readonly written: Written | undefined;
  /** Set instead of `written`. */
  readonly unknown: Unwritten | undefined;
  /** The master's process, where it runs. */
  readonly pid: number | null;
  /** Files of its own that are not there, as they are written. */
  readonly missing: readonly string[];
}

/** How a stock worker is told to connect. */
export interface StockWorkerSubject extends StockFile {
  readonly kind: 'stock-worker';
  readonly worker: StockWorker;
}

/** A stock master's configuration as a whole. */
export interface StockMasterSubject extends StockFile {
  readonly kind: 'stock-master';
  readonly master: StockMaster;
  readonly run?: StockRun;
  /** Names and addresses that workers dial, where somebody said so. */
  readonly reach: readonly string[];
}

export type StockSubject = StockEndpointSubject | StockWorkerSubject | StockMasterSubject;

/** True for subjects that a file of stock Buildbot gave. */
export function isStock<Other extends { kind: string }>(
  subject: Other,
): subject is Extract<Other, StockSubject> {
  return subject.kind.startsWith('stock-');
}

/** `master/master.cfg:12: c['protocols']['pb']['port']`. */
export function stockName(subject: StockSubject): string {
  if (subject.kind !== 'stock-endpoint') return subject.shown;
  return `${subject.shown}:${(subject.written ?? subject.unknown)?.line ?? 1}: ${subject.key}`;
}
