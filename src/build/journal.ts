import type { Channel, LogPlace } from './command-port.ts';
import type { ProgressEvent } from './progress.ts';

/** Where a walked build puts what happens. A rejected promise means that nothing more can be kept: the walk stops and rejects with it. */
export interface Journal {
  /** Events come in the order in which the plan's walk made them, one at a time. */
  event(event: ProgressEvent): void | Promise<void>;
  /** Opens a log of a step; its bytes follow until `finish`. The same log again is the same, when a walk goes on. */
  log(step: number, name: string): LogWriter;
}

export interface LogWriter {
  /** Where the log stands, for a port that can write there itself. */
  readonly place?: LogPlace | undefined;
  /** Masked bytes, in order. While a returned promise is pending nothing more is written: that is how a full spool holds a step up. */
  write(channel: Channel, bytes: Uint8Array): void | Promise<void>;
  /** The final size and the SHA-256 (hex) of all bytes of all channels in order; called once. */
  finish(): Promise<{ bytes: number; sha256: string }>;
}
