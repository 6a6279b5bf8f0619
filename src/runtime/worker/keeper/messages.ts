import type { Channel, CommandTimes } from '../../../build/command-port.ts';
import type { LogMax, Properties } from '../../../build/plan.ts';
import type { Identity } from '../../../exec/identity.ts';

/** What worker and keeper speak. A worker that finds a keeper of another version tells it to quit, which every version understands. */
export const KEEPER_VERSION = 1;

/** One build attempt, as the worker leaves it with the keeper. */
export interface HeldBuild {
  /** Name of the attempt's directory in the spool: `<build>-<token>`. */
  key: string;
  /** The attempt's directory. */
  dir: string;
  builddir: string;
  /** Finds everything again that the build's steps started. */
  marker: string;
  uids: readonly number[];
  /** Seconds without the master after which nothing of the build may run; null: it goes on. */
  orphanAfter: number | null;
  /** Values, which stay in the keeper's memory: for masking, and for the next worker process. */
  secrets: Readonly<Record<string, string>>;
}

/** A command of a step, to be run once however often it is asked for. */
export interface RunOrder {
  key: string;
  step: number;
  /** The log that its output goes into. */
  log: { id: number; name: string };
  command: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  marker: string;
  /** The marker of the farm that this one runs in, if it does. */
  inheritedMarker: string | undefined;
  scratch: string | undefined;
  identity: Identity | null;
  timeoutMs: number | null;
  maxTimeMs: number | null;
  sigtermTimeMs: number;
  logMax?: LogMax | null;
  /** The log's last words are the keeper's to write. An older worker does not say so, and writes them itself. */
  tellsEnd?: boolean | undefined;
}

/** How a command ended; as `TreeEnd`, with the error's words alone. */
export interface RunEnd extends CommandTimes {
  ended: 'exit' | 'signal' | 'timeout' | 'maxTime' | 'cancelled' | 'notStarted';
  rc: number | null;
  signal: string | null;
  error?: string | undefined;
  leftovers: number;
  alive: readonly number[];
  /** Bytes of its output that the log's limit has left out. */
  cut?: number | undefined;
  properties?: Properties;
  /** The log's last words are in it: nothing more comes. */
  told?: boolean | undefined;
  /** The whole of a log that has its last words. */
  log?: LogEnd | undefined;
}

/** Size and SHA-256 (hex) of a whole log. */
export interface LogEnd {
  bytes: number;
  sha256: string;
}

/** How far a log is: told whenever it has grown, and to a worker that adopts it. */
export interface LogState {
  key: string;
  id: number;
  step: number;
  name: string;
  size: number;
  /** First byte that is still on the disk. */
  base: number;
  /** Where files of it begin: all, or those that were not told before. */
  files: readonly number[];
  /** How many writes of the worker are in it. */
  turns: number;
}

/** What a former worker process left with the keeper. */
export interface KeptState {
  build: HeldBuild;
  logs: readonly LogState[];
  /** Steps whose command was started. */
  runs: readonly number[];
  /** Everything was ended, since no worker came back in time. */
  orphaned: boolean;
}

/** Questions of the worker, each with its answer. */
export interface Calls {
  /**
   * The first of a connection: from now on it is the worker's, and the one before is closed. Brings the `hello`. `wall`: what the worker's steady clock shows,
   * which a keeper without builds follows.
   */
  attach: { ask: { wall?: number | undefined }; answer: null };
  hold: { ask: { build: HeldBuild }; answer: null };
  run: { ask: RunOrder; answer: RunEnd };
  cancel: { ask: { key: string; step: number }; answer: null };
  /** `turn` counts the worker's writes to a log from 1; one that the keeper has already is not written again. */
  write: {
    ask: {
      key: string;
      step: number;
      log: { id: number; name: string };
      turn: number;
      channel: Channel;
      bytes: Uint8Array;
      /** Never waits for room. */
      force: boolean;
    };
    answer: null;
  };
  finish: {
    ask: { key: string; step: number; log: { id: number; name: string } };
    answer: LogEnd;
  };
  free: { ask: { key: string; log: number; offset: number }; answer: null };
  /** Output that waits for room fails, now and later. */
  giveUp: { ask: { key: string; why: string }; answer: null };
  /** Ends what runs, closes the logs, forgets the build. */
  release: { ask: { key: string }; answer: null };
  /** The master was heard so long ago, ms. */
  contact: { ask: { ageMs: number }; answer: null };
  /** The spool's limit, and what it holds beside the keeper's logs. */
  room: { ask: { limit: number; other: number }; answer: null };
  /** Ends everything and goes. */
  quit: { ask: Record<never, never>; answer: null };
}
export type CallName = keyof Calls;

/** What the keeper says unasked. */
export type Notice =
  | {
      type: 'hello';
      version: number;
      software: string;
      pid: number;
      /** What its steady clock shows, epoch seconds: it may have begun before somebody set the machine's time. An older keeper does not say. */
      wall?: number;
      contactAgeMs: number;
      builds: readonly KeptState[];
    }
  | { type: 'grew'; logs: readonly LogState[] }
  /** This build has been without its master for too long as the keeper counts: all that it runs is being ended. */
  | { type: 'orphaned'; key: string }
  | { type: 'spool'; own: number; waiting: number; fullDisk: string | undefined };

/** The worker's end of a way to a keeper, in this process or another. */
export interface KeeperCalls {
  /** Rejects with `KeeperLost` when the keeper is gone. */
  call<Name extends CallName>(name: Name, ask: Calls[Name]['ask']): Promise<Calls[Name]['answer']>;
}

/** A keeper answers its worker at once; to take one for hung on a machine that is only busy would cost its builds. */
export const HELLO_MS = 20_000;

/** The keeper ended, or does not answer any more. */
export class KeeperLost extends Error {}
