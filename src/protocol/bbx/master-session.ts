import type { Clock } from '../../base/clock.ts';
import { protocolCodes } from '../codes.ts';
import { decodeLogFrame } from './codec.ts';
import { complaint } from './complaint.ts';
import type { DialPlace } from './dial-facts.ts';
import { readWith, writeWith } from './dialect.ts';
import type { Dialect } from './dialect.ts';
import type { StoredLog } from './intake.ts';
import type { Lease } from './lease.ts';
import { LIMITS } from './limits.ts';
import type { Limits } from './limits.ts';
import { openLine, type Line, type LineOptions, type SessionEnd } from './line.ts';
import type {
  Assignment,
  Decision,
  MasterSession,
  MasterSessionHandlers,
  MasterSessionOptions,
  WorkerClaim,
} from './master-contract.ts';
import { Entrance, type RefusalReason } from './master-entrance.ts';
import { PAUSE, workerMessage } from './messages.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';
import { SessionWork } from './session-work.ts';
import { isProbe, ProbeDesk, type ProbeQuestion } from './probe-desk.ts';
import type { PulseReading } from './pulse.ts';
import { CLOSE } from './wire.ts';
import type { MessageSocket } from './wire.ts';

/** Serves one connection. Returns at once; everything else comes through the callbacks. */
export function serveMasterSession(options: MasterSessionOptions): MasterSession {
  return new ServedSession(options);
}

/** It stands for its line's options itself: a master holds one for each worker, and what stays of each is small. */
class ServedSession implements MasterSession, LineOptions {
  readonly socket: MessageSocket;
  readonly peer: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly #line: Line;
  /** Until it is let in; nothing of what that takes is held afterwards. */
  #entry: { options: MasterSessionOptions; entrance: Entrance } | undefined;
  #made: SessionWork | undefined;
  #mayPause = false;
  #desk: ProbeDesk | undefined;
  #stage: 'entrance' | 'inventory' | 'open' | 'over' = 'entrance';
  #dialect: Dialect | undefined;
  #handlers: MasterSessionHandlers | undefined;
  /** Who it says it is; empty until it has said so. */
  #name = '';

  constructor(options: MasterSessionOptions) {
    const { socket, peer, clock } = options;
    this.socket = socket;
    this.peer = peer;
    this.clock = clock;
    this.limits = options.limits === undefined ? LIMITS : { ...LIMITS, ...options.limits };
    this.#line = openLine(this);
    const entrance = new Entrance({
      options,
      limits: this.limits,
      line: this.#line,
      send: (message) => this.#send(message),
      outOfOrder: (type) => this.#outOfOrder(type),
      refuse: (reason, message, retryAfter) => this.#refuse(reason, message, retryAfter),
      agreed: (dialect) => void (this.#dialect = dialect),
      named: (name) => void (this.#name = name),
      letIn: (claim, decision) => this.#letIn(claim, decision),
    });
    this.#entry = { options, entrance };
  }

  get ended(): boolean {
    return this.#line.ended;
  }

  get heardAt(): number {
    return this.#line.heardAt;
  }

  get traffic(): Line['traffic'] {
    return this.#line.traffic;
  }

  takePulse(): PulseReading {
    return this.#line.takePulse();
  }

  assign(lease: Lease, assignment: Assignment): void {
    this.#work.assign(lease, assignment);
  }

  cancel(lease: Lease, why: string): void {
    this.#send({ type: 'cancel', build: lease.build, token: lease.token, why: why.slice(0, 1_000) });
  }

  drop(lease: Lease, why: string): void {
    this.#work.drop(lease, why);
  }

  resume(lease: Lease, stored: { sequence: number; logs: readonly StoredLog[] }): void {
    this.#work.resume(lease, stored);
  }

  acknowledge(lease: Lease, stored: { sequence?: number; logs?: readonly StoredLog[] }): void {
    this.#work.acknowledge(lease, stored);
  }

  pauseLog(lease: Lease, log: { step: number; log: string; from: number }): boolean {
    return this.#mayPause && this.#work.pauseLog(lease, log);
  }

  proceedLog(lease: Lease, log: { step: number; log: string }): void {
    this.#work.proceedLog(lease, log);
  }

  historyStored(number: number): void {
    this.#send({ type: 'historyStored', number });
  }

  settings({ paused, reach, pins }: Omit<MessageOf<MasterMessage, 'settings'>, 'type'>): void {
    this.#send({ type: 'settings', paused, reach: [...reach], pins: [...pins] });
  }

  dial(id: number, places?: readonly DialPlace[]): void {
    this.#send({ type: 'dial', id, ...(places === undefined ? {} : { places: [...places] }) });
  }

  bye(reason: MessageOf<MasterMessage, 'bye'>['reason'], message: string): void {
    this.#send({ type: 'bye', reason, message: message.slice(0, 1_000) });
    this.#line.close(reason === 'replaced' ? CLOSE.replaced : CLOSE.stopping, reason);
  }

  close(code: number, reason: string): void {
    this.#line.close(code, reason);
  }

  #send(message: MasterMessage): void {
    const lowered = writeWith(this.#dialect, message);
    if (lowered !== null) this.#line.send(lowered);
  }

  text(text: string): void | Promise<void> {
    const json = readWith(this.#dialect, text);
    if (json === undefined) return this.#line.malformed('text that is not JSON');
    const parsed = workerMessage.safeParse(json);
    if (!parsed.success) return this.#line.malformed(`a message that cannot be: ${complaint(parsed.error)}`);
    const message = parsed.data;
    if (isProbe(message) && this.#isGreeted) return this.#onProbe(message);
    switch (this.#stage) {
      case 'entrance':
        return this.#entry?.entrance.take(message);
      case 'inventory':
        if (message.type !== 'inventory') return this.#outOfOrder(message.type);
        this.#stage = 'open';
        this.#mayPause = message.capabilities?.includes(PAUSE) === true;
        return this.#handlers?.onInventory(message);
      case 'open':
        return this.#onWork(message, text.length);
      case 'over':
        return undefined;
    }
  }

  binary(bytes: Uint8Array): void | Promise<void> {
    const frame = decodeLogFrame(bytes);
    if (typeof frame === 'string') return this.#line.malformed(frame);
    if (this.#stage !== 'open' || this.#handlers === undefined) return this.#outOfOrder('binary frame');
    return this.#work.bytes(frame, this.#handlers);
  }

  over(end: SessionEnd): void {
    this.#stage = 'over';
    this.#entry?.entrance.end();
    this.#desk?.end();
    this.#made?.end();
    if (this.#handlers === undefined) this.#entry?.options.onRejected?.(end);
    else this.#handlers.onClosed(end);
  }

  /** Made for the first build: most sessions have none at a time. */
  get #work(): SessionWork {
    return (this.#made ??= new SessionWork({
      line: this.#line,
      peer: this.peer,
      clock: this.clock,
      limits: this.limits,
      send: (message) => this.#send(message),
    }));
  }

  /** Before it was greeted nobody may ask anything. */
  get #isGreeted(): boolean {
    return this.#entry === undefined || this.#entry.entrance.greeted;
  }

  #outOfOrder(type: string): void {
    this.#line.malformed(`"${type}" where it does not belong`);
  }

  #onProbe(question: ProbeQuestion): void {
    // What these two ask is about a connection that nobody was let in by.
    const isOfStrangers = question.type === 'witness' || question.type === 'hold';
    if (isOfStrangers && this.#stage !== 'entrance') return this.#outOfOrder(question.type);
    this.#desk ??= new ProbeDesk({
      clock: this.clock,
      limits: this.limits,
      peer: this.peer,
      nonce: this.#entry?.entrance.nonce ?? new Uint8Array(0),
      received: () => this.#line.traffic.received,
      send: (message) => this.#send(message),
      refuse: (reason, message) => this.#refuse(reason, message),
      malformed: (state) => this.#line.malformed(state),
      mayHold: () => this.#entry?.options.mayHold?.(),
      quiet: (ms) => {
        this.#line.quiet(ms);
        this.#entry?.entrance.rest(ms);
      },
    });
    this.#desk.answer(question);
  }

  #refuse(reason: RefusalReason, message: string, retryAfter?: number): void {
    this.#send({
      type: 'refused',
      reason,
      message: message.slice(0, 1_000),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
    const error = protocolCodes['BBX-PRO-REFUSED']({ name: this.#name, peer: this.peer, reason, message });
    this.#line.close(CLOSE.refused, reason, error);
  }

  #letIn(who: WorkerClaim, decision: Decision & { let: 'in' }): void | Promise<void> {
    const { session: id, reach, pins } = decision;
    if (!who.probe) {
      this.#line.raiseLimit();
      this.#handlers = this.#entry?.options.accept(this, who, id);
      this.#entry = undefined;
      this.#stage = 'inventory';
    }
    this.#send({ type: 'accepted', session: id, peer: this.peer, reach: [...reach], pins: [...pins] });
    if (who.probe) {
      this.#stage = 'over';
      return this.#line.close(CLOSE.normal, 'probe');
    }
    return this.#handlers?.onReady?.();
  }

  #onWork(message: WorkerMessage, bytes: number): void | Promise<void> {
    const on = this.#handlers;
    if (on === undefined) return undefined;
    switch (message.type) {
      case 'state':
        return on.onState({ draining: message.draining, notes: message.notes });
      case 'history':
        return on.onHistory?.(message.records);
      case 'dialled':
        return on.onDialled?.(message);
      default:
        return this.#work.take(message, on, bytes);
    }
  }
}
