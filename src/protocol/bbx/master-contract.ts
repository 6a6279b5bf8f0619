import type { Clock } from '../../base/clock.ts';
import type { Channel } from '../../build/command-port.ts';
import type { BuildPlan } from '../../build/plan.ts';
import type { ProgressEvent } from '../../build/progress.ts';
import type { DialPlace } from './dial-facts.ts';
import type { Dialect } from './dialect.ts';
import type { StoredLog } from './intake.ts';
import type { SigningKey } from './keys.ts';
import type { Lease } from './lease.ts';
import type { Limits } from './limits.ts';
import type { SessionEnd } from './line.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';
import type { PulseReading } from './pulse.ts';
import type { MessageSocket } from './wire.ts';

/** What a peer says it is; its signature over this TLS session was already found good. */
export interface WorkerClaim {
  name: string;
  /** SPKI, DER. */
  publicKey: Uint8Array;
  /** `sha256:…` of the key. */
  fingerprint: string;
  secret: string | undefined;
  boot: string;
  /** Only asks: nothing may be enrolled, listed as pending or replaced. */
  probe: boolean;
  /** The peer's address as the master sees it. */
  peer: string;
  software: string;
}

export type Decision =
  | { let: 'in'; session: string; reach: readonly string[]; pins: readonly string[] }
  /** Known or unknown, not (yet) let in. `unknown` covers a name nobody knows and a key that is not the name's: both look the same outside. */
  | {
      let: 'out';
      reason: 'unknown' | 'pending' | 'expired' | 'alternating' | 'busy' | 'removed';
      message?: string;
      retryAfter?: number;
    };

/** A piece of a log, exactly at the end of what this session has handed over before. */
export interface LogBytes extends Lease {
  step: number;
  log: string;
  /** Where the first byte stands in the log. */
  offset: number;
  channel: Channel;
  /** Worker's wall clock, epoch seconds. */
  at: number;
  bytes: Uint8Array;
}

/**
 * What the master does with a session. Called one at a time and in the order of the wire: a returned promise is waited for, and while it
 * runs the socket is read at most `LIMITS.queueBytes` ahead. A rejection closes the session with `CLOSE.fault`; the worker comes back
 * and sends again what was not acknowledged. `onProgress` and `onBytes` see every event and byte once per session, without holes, from
 * where `resume` said (or from zero after `assign`), a log that `pauseLog` held up from there on again; `stepFinished` comes when all bytes that it
 * counts have been handed over, those of logs held up aside, which follow.
 */
export interface MasterSessionHandlers {
  /** The worker was let in. Replacing an older session of the same name is the master's to do, with `bye('replaced')`. */
  onReady?(): void | Promise<void>;
  onInventory(inventory: MessageOf<WorkerMessage, 'inventory'>): void | Promise<void>;
  onAssigned(answer: Lease & { accepted: boolean; why?: string | undefined }): void | Promise<void>;
  onProgress(lease: Lease, sequence: number, event: ProgressEvent): void | Promise<void>;
  onBytes(piece: LogBytes): void | Promise<void>;
  onState(state: { draining: boolean; notes: readonly string[] }): void | Promise<void>;
  /** What the worker has written down about its link while nobody could hear it; hostile text. Answered with `historyStored`. */
  onHistory?(records: MessageOf<WorkerMessage, 'history'>['records']): void;
  /** What became of `dial`; hostile text. */
  onDialled?(answer: MessageOf<WorkerMessage, 'dialled'>): void;
  /** The worker cannot deliver the rest of this build. */
  onAbandoned(lease: Lease, why: string): void | Promise<void>;
  /** Once, after the last other call has ended. */
  onClosed(end: SessionEnd): void;
}

export interface MasterSessionOptions {
  socket: MessageSocket;
  /** The peer's address, for the worker and for errors. */
  peer: string;
  /** TLS exporter value (`EXPORTER_LABEL`); empty over plain TCP. */
  exporter: Uint8Array;
  key: SigningKey;
  epoch: string;
  software: string;
  clock: Clock;
  authenticate(claim: WorkerClaim): Promise<Decision>;
  /** Called when the claim was let in (never for a probe); gives the handlers for what follows. `id` is the session's name on both sides. */
  accept(session: MasterSession, claim: WorkerClaim, id: string): MasterSessionHandlers;
  /** The connection ended without ever being let in (refused, probe, silence, malformed). */
  onRejected?(end: SessionEnd): void;
  capabilities?: readonly string[];
  /** A `hello` has come. */
  onHello?(nonce: Uint8Array): void;
  /** A place among the connections that rest for a probe; gives what frees it, or undefined when all are taken. Without it none may. */
  mayHold?(): (() => void) | undefined;
  limits?: Partial<Limits>;
  /** Versions served, newest first. */
  dialects?: readonly Dialect[];
}

/** What a lease is about. */
export interface Assignment {
  plan: BuildPlan;
  secrets: Readonly<Record<string, string>>;
  orphanAfter: number | null;
}

/** The master's end of one connection. Methods never throw after the end; they do nothing then. */
export interface MasterSession {
  readonly ended: boolean;
  /** Monotonic ms of the last received byte. */
  readonly heardAt: number;
  /** Bytes of messages and frames so far. */
  readonly traffic: { readonly received: number; readonly sent: number };
  /** Round trips since the last call, which forgets them. */
  takePulse(): PulseReading;
  /** Throws BBX-PRO-TOO-LARGE, before anything is sent, when plan and secrets do not fit into a message. */
  assign(lease: Lease, assignment: Assignment): void;
  cancel(lease: Lease, why: string): void;
  /** Ends the lease at the worker; what still arrives of it is ignored. */
  drop(lease: Lease, why: string): void;
  /** Says what is stored of a build from the inventory; the worker sends on from there. */
  resume(lease: Lease, stored: { sequence: number; logs: readonly StoredLog[] }): void;
  /** Says what is stored now (after fdatasync). Only what changed need be named. */
  acknowledge(lease: Lease, stored: { sequence?: number; logs?: readonly StoredLog[] }): void;
  /**
   * Holds one log up, and nothing else: of what came, only the bytes below `from` count (never less than what was acknowledged), and none is handed over
   * until `proceedLog`. The worker keeps them all. False: this worker cannot, and nothing has changed. Asked again it is the same.
   */
  pauseLog(lease: Lease, log: { step: number; log: string; from: number }): boolean;
  /** The worker sends a log that was held up on, from where it was. */
  proceedLog(lease: Lease, log: { step: number; log: string }): void;
  /** The records of the worker's history up to this number are kept: it need not send them again. */
  historyStored(number: number): void;
  settings(settings: Omit<MessageOf<MasterMessage, 'settings'>, 'type'>): void;
  /** Asks a worker that announced `dial` to try its ways to the master, or one that announced `places` to try those; `onDialled` brings what came of it. */
  dial(id: number, places?: readonly DialPlace[]): void;
  /** Last words, then the close. */
  bye(reason: MessageOf<MasterMessage, 'bye'>['reason'], message: string): void;
  close(code: number, reason: string): void;
}
