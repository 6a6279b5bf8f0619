import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { BbxError } from '../../base/error.ts';
import { protocolCodes } from '../codes.ts';
import { encodeLogFrame } from './codec.ts';
import { complaint } from './complaint.ts';
import type { LogFrame } from './codec.ts';
import { DIALECTS, readWith, writeWith } from './dialect.ts';
import type { Dialect } from './dialect.ts';
import { fingerprintOf, signAuthentication, verifyGreeting } from './keys.ts';
import type { SigningKey } from './keys.ts';
import { LIMITS } from './limits.ts';
import type { Limits } from './limits.ts';
import { openLine } from './line.ts';
import type { SessionEnd } from './line.ts';
import { clockDifference, masterMessage } from './messages.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';
import type { PulseReading } from './pulse.ts';
import { Asker, isProbeAnswer, type ProbeAsker } from './probe-asker.ts';
import { refusalError } from './refusal.ts';
import { CLOSE } from './wire.ts';
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
  /** Versions offered, newest first. */
  dialects?: readonly Dialect[];
}

/** A greeted master: its identity is proven, nobody is logged in. The doctor stops here, a worker goes on with `authenticate`. */
export interface GreetedMaster {
  readonly greeting: Greeting;
  /** Of the `hello` that was sent, base64. */
  readonly nonce: string;
  /** `sha256:…` of the key that signed. */
  readonly instance: string;
  /** Probes; all but `echo` only where the master announced `PROBES`. */
  readonly ask: ProbeAsker;
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
  /**
   * How far the master's clock is ahead of this one, seconds, and the error that this may have; measured with the greeting. Undefined where one of
   * them is out of its mind.
   */
  readonly masterClock: { readonly ahead: number; readonly within: number } | undefined;
  /** Bytes of messages and frames so far. */
  readonly traffic: { readonly received: number; readonly sent: number };
  /** Round trips since the last call. */
  takePulse(): PulseReading;
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

/**
 * Greets the master and checks who it is. Rejects with BBX-PRO-WRONG-MASTER, -SIGNATURE, -VERSION, -BUSY, -NOT-BBX, -TOO-SLOW,
 * -MALFORMED, or the signal's reason; the socket is closed then.
 */
export function greetMaster(options: GreetOptions): Promise<GreetedMaster> {
  const { peer, clock, exporter, signal } = options;
  const limits: Limits = options.limits === undefined ? LIMITS : { ...LIMITS, ...options.limits };
  const dialects = options.dialects ?? DIALECTS;
  const nonce = randomBytes(32);
  const greetedMaster = Promise.withResolvers<GreetedMaster>();
  const letIn = Promise.withResolvers<WorkerSession>();
  // Whoever waits for them handles them; a greeting that nobody follows up must not be an unhandled rejection.
  letIn.promise.catch(() => undefined);
  const receiver = Promise.withResolvers<(message: MasterMessage) => void | Promise<void>>();
  let stage: 'greeting' | 'greeted' | 'authenticating' | 'open' = 'greeting';
  let dialect: Dialect | undefined;
  let greeting: Greeting | undefined;
  let helloAt = clock.monotonic();
  let masterClock: WorkerSession['masterClock'];
  let receive: ((message: MasterMessage) => void | Promise<void>) | undefined;
  let name = '';
  let ownFingerprint = '';

  const line = openLine({
    socket: options.socket,
    peer,
    clock,
    limits,
    text: onText,
    binary: () => line.malformed('a binary frame'),
    // What came before anybody listened is nobody's now.
    gone: () => receiver.resolve(() => undefined),
  });
  const startHurry = () =>
    setTimeout(() => {
      const state = `no answer within ${limits.authenticationMs / 1000} s`;
      line.close(CLOSE.tooSlow, 'too slow', protocolCodes['BBX-PRO-TOO-SLOW']({ peer, state }));
    }, limits.authenticationMs);
  let hurry = startHurry();
  const asker = new Asker({
    clock,
    send,
    malformed: (state) => line.malformed(state),
    quiet: (ms) => line.quiet(ms),
    over: () => (line.ended ? line.end.then(early) : undefined),
  });
  let stopped: unknown;
  const onAbort = () => {
    stopped = signal?.reason;
    line.close(CLOSE.normal, 'stopped');
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  void line.end.then((end) => {
    clearTimeout(hurry);
    signal?.removeEventListener('abort', onAbort);
    const error = stopped ?? early(end);
    greetedMaster.reject(error);
    letIn.reject(error);
    asker.end(error);
  });

  /** An end before anything is known of the peer says most probably that it is something else. */
  function early(end: SessionEnd): unknown {
    if (end.error !== undefined && (stage !== 'greeting' || end.code !== 1006)) return end.error;
    const state = 'it ended the connection before it had said who it is';
    return protocolCodes['BBX-PRO-NOT-BBX']({ peer, state }, { cause: end.error });
  }

  function send(message: WorkerMessage): void {
    const lowered = writeWith(dialect, message);
    if (lowered !== null) line.send(lowered);
  }

  function fail(code: number, error: BbxError): void {
    line.close(code, error.code, error);
  }

  function onText(text: string): void | Promise<void> {
    const json = readWith(dialect, text);
    if (json === undefined) return line.malformed('text that is not JSON');
    const parsed = masterMessage.safeParse(json);
    if (!parsed.success) return line.malformed(`a message that cannot be: ${complaint(parsed.error)}`);
    const message = parsed.data;
    if (isProbeAnswer(message)) return asker.answered(message);
    if (message.type === 'refused') {
      return fail(CLOSE.normal, refusalError(message, { peer, name, fingerprint: ownFingerprint }));
    }
    switch (stage) {
      case 'greeting':
        return message.type === 'greeting' ? onGreeting(message) : outOfOrder(message.type);
      case 'greeted':
        return outOfOrder(message.type);
      case 'authenticating':
        return message.type === 'accepted' ? onAccepted(message) : outOfOrder(message.type);
      case 'open':
        if (NOT_IN_SESSION.has(message.type)) return outOfOrder(message.type);
        // The master may speak before the caller has said who listens.
        return receive === undefined ? receiver.promise.then((to) => to(message)) : receive(message);
    }
  }

  function outOfOrder(type: string): void {
    line.malformed(`"${type}" where it does not belong`);
  }

  function onGreeting(message: Greeting): void {
    // The master looked at its clock somewhere between the question and the answer.
    const within = (clock.monotonic() - helloAt) / 2_000;
    const ahead = message.time - (clock.wall() - within);
    masterClock = clockDifference.safeParse({ ahead, within }).data;
    const publicKey = Buffer.from(message.publicKey, 'base64');
    const instance = fingerprintOf(publicKey);
    dialect = dialects.find(({ version }) => version === message.version);
    if (dialect === undefined) {
      const mine = dialects.map(({ version }) => version).join(', ');
      const state = `it chose version ${message.version}, this worker offered ${mine}`;
      return fail(CLOSE.malformed, protocolCodes['BBX-PRO-VERSION']({ peer, state }));
    }
    if (options.pins.length > 0 && !options.pins.includes(instance)) {
      const expected = options.pins;
      return fail(CLOSE.normal, protocolCodes['BBX-PRO-WRONG-MASTER']({ peer, got: instance, expected }));
    }
    const challenge = Buffer.from(message.challenge, 'base64');
    const binding = { nonce, challenge, exporter, epoch: message.epoch };
    if (message.instance !== instance || !verifyGreeting(publicKey, binding, message.signature)) {
      return fail(CLOSE.normal, protocolCodes['BBX-PRO-SIGNATURE']({ peer }));
    }
    greeting = message;
    stage = 'greeted';
    clearTimeout(hurry);
    greetedMaster.resolve({
      greeting: message,
      nonce: nonce.toString('base64'),
      instance,
      ask: asker,
      authenticate(identity) {
        const { key, boot, secret, probe = false } = identity;
        name = identity.name;
        ownFingerprint = key.fingerprint;
        if (line.ended) return letIn.promise;
        hurry = startHurry();
        stage = 'authenticating';
        send({
          type: 'authenticate',
          name,
          publicKey: Buffer.from(key.publicKey).toString('base64'),
          signature: signAuthentication(key, { nonce, challenge, exporter, name, boot }),
          boot,
          probe,
          ...(secret === undefined ? {} : { secret }),
        });
        return letIn.promise;
      },
      close: () => line.close(CLOSE.normal, ''),
    });
  }

  function onAccepted(accepted: Accepted): void {
    if (greeting === undefined) return outOfOrder('accepted');
    clearTimeout(hurry);
    stage = 'open';
    line.raiseLimit();
    letIn.resolve({
      accepted,
      greeting,
      instance: greeting.instance,
      masterClock,
      get traffic() {
        return line.traffic;
      },
      takePulse: () => line.takePulse(),
      send,
      sendLog: (frame) => line.sendBytes(encodeLogFrame(frame)),
      get unsent() {
        return line.unsent;
      },
      drained: () => line.untilDrained(),
      get heardAt() {
        return line.heardAt;
      },
      get ended() {
        return line.ended;
      },
      receive(handler) {
        receive = handler;
        receiver.resolve(handler);
      },
      end: line.end,
      close: (code = CLOSE.normal, reason = '') => line.close(code, reason),
    });
  }

  if (signal?.aborted) onAbort();
  else {
    const versions = dialects.map(({ version }) => version);
    helloAt = clock.monotonic();
    send({ type: 'hello', versions, software: options.software, nonce: nonce.toString('base64') });
  }
  return greetedMaster.promise;
}

const NOT_IN_SESSION: ReadonlySet<MasterMessage['type']> = new Set(['greeting', 'accepted']);
