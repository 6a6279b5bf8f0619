import type { Clock } from '../../base/clock.ts';
import type { SigningKey } from './keys.ts';
import type { Limits } from './limits.ts';
import type { SessionEnd } from './master-session.ts';
import type { LogFrame } from './codec.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';
import type { MessageSocket } from './wire.ts';

export type Greeting = MessageOf<MasterMessage, 'greeting'>;
export type Accepted = MessageOf<MasterMessage, 'accepted'>;

export interface GreetOptions {
  socket: MessageSocket;
  /** The master's address, for errors. */
  peer: string;
  /** TLS exporter value (`EXPORTER_LABEL`); empty over plain TCP. */
  exporter: Uint8Array;
  /** Keys to trust; empty: whatever answers (first contact, or the doctor). */
  pins: readonly string[];
  software: string;
  clock: Clock;
  signal?: AbortSignal;
  limits?: Partial<Limits>;
}

/** A greeted master: its identity is proven, nobody is logged in. The doctor stops here, a worker goes on with `authenticate`. */
export interface GreetedMaster {
  readonly greeting: Greeting;
  /** `sha256:…` of the key that signed. */
  readonly instance: string;
  /** Sends bytes there and back (at most `LIMITS.frameBytes`); gives the time in ms. */
  echo(payload: Uint8Array): Promise<number>;
  /** Resolves when let in; rejects with the BbxError of the refusal. With `probe` the master only answers, then both close. */
  authenticate(identity: {
    name: string;
    key: SigningKey;
    boot: string;
    secret?: string | undefined;
    probe?: boolean;
  }): Promise<WorkerSession>;
  close(): void;
}

/** A session that was let in. `send` and `sendLog` queue; the caller keeps `unsent` low by waiting for `drained()`. */
export interface WorkerSession {
  readonly accepted: Accepted;
  readonly greeting: Greeting;
  readonly instance: string;
  send(message: WorkerMessage): void;
  sendLog(frame: LogFrame): void;
  readonly unsent: number;
  /** Resolves when `unsent` is under `LIMITS.unsentBytes`, or at once after the end. */
  drained(): Promise<void>;
  /** Monotonic ms of the last received byte. */
  readonly heardAt: number;
  readonly ended: boolean;
  /** Sets who takes the master's messages, in order, one at a time; called once. */
  receive(handler: (message: MasterMessage) => void | Promise<void>): void;
  /** Resolves at the end, never rejects. */
  readonly end: Promise<SessionEnd>;
  close(code?: number, reason?: string): void;
}

/** Greets the master and checks who it is. Rejects with BBX-PRO-WRONG-MASTER, -SIGNATURE, -VERSION, -NOT-BBX, -TOO-SLOW, -MALFORMED. */
export declare function greetMaster(options: GreetOptions): Promise<GreetedMaster>;
