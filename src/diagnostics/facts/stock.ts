import type { StockMaster } from '../../config/stock/master-file.ts';
import type { StockWorker } from '../../config/stock/tac-file.ts';

/** Stock Buildbot's files, read and never run. */
export interface StockFacts {
  readonly masters: readonly StockMasterFile[];
  readonly workers: readonly StockWorkerFile[];
  readonly troubles: readonly StockTrouble[];
}

export interface StockFile {
  /** Absolute path. */
  readonly file: string;
  /** As people would type it. */
  readonly shown: string;
  /** It stands on the command line, or in a directory that does: `--fix` may change it. */
  readonly named: boolean;
  /** Bytes of it that nobody is shown. */
  readonly covered: readonly { readonly from: number; readonly to: number }[];
}

export interface StockMasterFile extends StockFile {
  readonly master: StockMaster;
  /** Its process, where `twistd.pid` beside it names one that runs. */
  readonly pid: number | null;
  /** Files of `ssl:` ports that are not there, or not to be read by this user, as they are written. */
  readonly missing: readonly string[];
  /** What became of it when it was run (`--exec-config`). */
  readonly run?: StockRun;
}

/** A master's configuration, loaded by Buildbot itself. */
export interface StockRun {
  readonly at: string;
  /** `failed`: it ended without an answer. */
  readonly outcome: 'good' | 'errors' | 'late' | 'no buildbot' | 'failed';
  /** Buildbot's program whose Python was taken. */
  readonly program: string | null;
  readonly version: string | null;
  /** In Buildbot's words. */
  readonly errors: readonly string[];
  readonly ms: number;
}

export interface StockWorkerFile extends StockFile {
  readonly worker: StockWorker;
  readonly pid: number | null;
}

/** A file that cannot be read, or that Python would refuse. */
export interface StockTrouble extends Omit<StockFile, 'covered'> {
  readonly problem: string;
  readonly line: number | null;
  readonly excerpt: readonly string[];
}

export const NO_STOCK: StockFacts = { masters: [], workers: [], troubles: [] };
