import type { GitStep, LogMax, Properties } from './plan.ts';

/** Which of a log's channels bytes belong to: the command's own output, its errors, or words of bbx about it. */
export type Channel = 'stdout' | 'stderr' | 'header';

/** A command as a port takes it: everything interpolated, secrets filled in, limits in milliseconds. */
export interface ShellCommand {
  kind: 'shell';
  command: string | readonly string[];
  env: Readonly<Record<string, string>>;
  workdir: string;
  timeoutMs: number | null;
  maxTimeMs: number | null;
  sigtermTimeMs: number;
  /** For a port that writes the log itself. */
  logMax?: LogMax | null;
}

export interface GitCommand {
  kind: 'git';
  step: GitStep;
  env: Readonly<Record<string, string>>;
  /** Text of git's credential store, or null. */
  credentials: string | null;
}

export type Command = ShellCommand | GitCommand;

/** When a command ran, told by a port whose commands go on without the walk; both in ms. */
export interface CommandTimes {
  /** From its beginning to its end. */
  tookMs?: number | undefined;
  /** How long ago it was over. */
  agoMs?: number | undefined;
}

/**
 * How a command came to its end. `rc` is its exit code, null when a signal or bbx ended it; `lost`: what watched it is gone, so nobody knows.
 */
export interface CommandResult extends CommandTimes {
  ended: 'exit' | 'signal' | 'timeout' | 'maxTime' | 'cancelled' | 'notStarted' | 'lost';
  rc: number | null;
  signal: string | null;
  /** Bytes of its output that the log's limit has left out, where the port writes the log itself. */
  cut?: number | undefined;
  /** The log's last words are in it already, where the port writes the log itself. */
  told?: boolean | undefined;
  /** A line that says why, of a command that knows (git). */
  why?: string | undefined;
  /** Properties that the command found, such as `got_revision`. */
  properties?: Properties;
}

/**
 * Where commands run: this machine, a stock worker's far end, or a dummy. One command at a time per build.
 *
 * `onOutput` is called in order; when it returns a promise the port stops reading until it resolves (back-pressure reaches the
 * command's pipe, nothing is dropped). `run` resolves for every end of a command, also one that could not start; it rejects only for
 * faults of the port itself, which end the build as `exception`. An aborted signal ends the whole process tree first.
 */
export interface CommandPort {
  run(
    command: Command,
    options: { signal: AbortSignal; onOutput: OnOutput; into?: LogPlace | undefined },
  ): Promise<CommandResult>;
}

/** Where a step's log stands. A port whose commands run beside the log's file writes their output there itself, masked. */
export interface LogPlace {
  step: number;
  log: { id: number; name: string };
}

export type OnOutput = (channel: Channel, bytes: Uint8Array) => void | Promise<void>;
