import type { ZodError } from 'zod';
import { decodeLogFrame } from './codec.ts';
import { protocolCodes } from '../codes.ts';
import { readWith, writeWith } from './dialect.ts';
import type { Dialect } from './dialect.ts';
import { Intake, type StoredLog } from './intake.ts';
import type { Lease } from './lease.ts';
import { LIMITS } from './limits.ts';
import type { Limits } from './limits.ts';
import { openLine, type Line } from './line.ts';
import type {
  Assignment,
  Decision,
  MasterSession,
  MasterSessionHandlers,
  MasterSessionOptions,
  WorkerClaim,
} from './master-contract.ts';
import { Entrance } from './master-entrance.ts';
import { PAUSE, workerMessage } from './messages.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';
import { watchPauses, type PauseWatch } from './pause-watch.ts';
import { isProbe, type ProbeQuestion } from './probe-desk.ts';
import type { PulseReading } from './pulse.ts';
import { CLOSE } from './wire.ts';

/** Serves one connection. Returns at once; everything else comes through the callbacks. */
export function serveMasterSession(options: MasterSessionOptions): MasterSession {
  return new ServedSession(options);
}

class ServedSession implements MasterSession {
  readonly #options: MasterSessionOptions;
  readonly #intake: Intake;
  readonly #line: Line;
  readonly #entrance: Entrance;
  #stage: 'entrance' | 'inventory' | 'open' | 'over' = 'entrance';
  #dialect: Dialect | undefined;
  #handlers: MasterSessionHandlers | undefined;
  #mayPause = false;
  readonly #pauses: PauseWatch;

  constructor(options: MasterSessionOptions) {
    this.#options = options;
    const { socket, peer, clock } = options;
    const limits: Limits = options.limits === undefined ? LIMITS : { ...LIMITS, ...options.limits };
    this.#pauses = watchPauses(limits.pauseMs, (stream) => {
      const limit = `${Math.round(limits.pauseMs / 1000)} s`;
      if (this.#intake.owesPause(stream))
        this.#notPausing(`it did not pause stream ${stream} within ${limit}`);
    });
    this.#intake = new Intake(limits);
    this.#line = openLine({
      socket,
      peer,
      clock,
      limits,
      text: (text) => this.#onText(text),
      binary: (bytes) => this.#onBinary(bytes),
    });
    this.#entrance = new Entrance({
      options,
      limits,
      line: this.#line,
      send: (message) => this.#send(message),
      outOfOrder: (type) => this.#outOfOrder(type),
      agreed: (dialect) => void (this.#dialect = dialect),
      letIn: (claim, decision) => this.#letIn(claim, decision),
    });
    void this.#line.end.then((end) => {
      this.#stage = 'over';
      this.#entrance.end();
      this.#pauses.stop();
      if (this.#handlers === undefined) options.onRejected?.(end);
      else this.#handlers.onClosed(end);
    });
  }

  get claim(): WorkerClaim | undefined {
    return this.#entrance.claim;
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

  assign(lease: Lease, { plan, secrets, orphanAfter }: Assignment): void {
    this.#send({ type: 'assign', ...pick(lease), plan, secrets: { ...secrets }, orphanAfter });
    // Asked again within a session it is only answered again: what was sent of it stays.
    if (!this.#intake.knows(lease)) this.#intake.begin(lease, { sequence: 0, logs: [] });
  }

  cancel(lease: Lease, why: string): void {
    this.#send({ type: 'cancel', ...pick(lease), why: why.slice(0, 1_000) });
  }

  drop(lease: Lease, why: string): void {
    this.#intake.forget(lease);
    this.#send({ type: 'drop', ...pick(lease), why: why.slice(0, 1_000) });
  }

  resume(lease: Lease, { sequence, logs }: { sequence: number; logs: readonly StoredLog[] }): void {
    this.#intake.begin(lease, { sequence, logs });
    this.#send({
      type: 'resume',
      ...pick(lease),
      sequence,
      logs: logs.map(({ step, log, bytes }) => ({ step, log, bytes })),
    });
  }

  acknowledge(lease: Lease, stored: { sequence?: number; logs?: readonly StoredLog[] }): void {
    const acknowledgement = this.#intake.stored(lease, stored);
    if (acknowledgement !== undefined) this.#send(acknowledgement);
  }

  pauseLog(lease: Lease, log: { step: number; log: string; from: number }): boolean {
    if (!this.#mayPause) return false;
    const pause = this.#intake.pause(lease, log);
    if (pause === undefined) return true;
    this.#send(pause);
    this.#pauses.asked(pause.stream);
    return true;
  }

  proceedLog(lease: Lease, log: { step: number; log: string }): void {
    const proceed = this.#intake.proceed(lease, log);
    if (proceed !== undefined) this.#send(proceed);
  }

  historyStored(number: number): void {
    this.#send({ type: 'historyStored', number });
  }

  settings({ paused, reach, pins }: Omit<MessageOf<MasterMessage, 'settings'>, 'type'>): void {
    this.#send({ type: 'settings', paused, reach: [...reach], pins: [...pins] });
  }

  dial(id: number): void {
    this.#send({ type: 'dial', id });
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

  #onText(text: string): void | Promise<void> {
    const json = readWith(this.#dialect, text);
    if (json === undefined) return this.#line.malformed('text that is not JSON');
    const parsed = workerMessage.safeParse(json);
    if (!parsed.success) return this.#line.malformed(`a message that cannot be: ${complaint(parsed.error)}`);
    const message = parsed.data;
    if (isProbe(message) && this.#entrance.greeted) return this.#onProbe(message);
    switch (this.#stage) {
      case 'entrance':
        return this.#entrance.take(message);
      case 'inventory':
        if (message.type !== 'inventory') return this.#outOfOrder(message.type);
        this.#stage = 'open';
        this.#mayPause = message.capabilities?.includes(PAUSE) === true;
        return this.#handlers?.onInventory(message);
      case 'open':
        return this.#onWork(message);
      case 'over':
        return undefined;
    }
  }

  #outOfOrder(type: string): void {
    this.#line.malformed(`"${type}" where it does not belong`);
  }

  #onProbe(question: ProbeQuestion): void {
    // What these two ask is about a connection that nobody was let in by.
    const isOfStrangers = question.type === 'witness' || question.type === 'hold';
    if (isOfStrangers && this.#stage !== 'entrance') return this.#outOfOrder(question.type);
    this.#entrance.probe(question);
  }

  #letIn(who: WorkerClaim, decision: Decision & { let: 'in' }): void | Promise<void> {
    const { peer } = this.#options;
    const { session: id, reach, pins } = decision;
    if (!who.probe) {
      this.#line.raiseLimit();
      this.#handlers = this.#options.accept(this, who, id);
      this.#stage = 'inventory';
    }
    this.#send({ type: 'accepted', session: id, peer, reach: [...reach], pins: [...pins] });
    if (who.probe) {
      this.#stage = 'over';
      return this.#line.close(CLOSE.normal, 'probe');
    }
    return this.#handlers?.onReady?.();
  }

  #onWork(message: WorkerMessage): void | Promise<void> {
    const on = this.#handlers;
    if (on === undefined) return undefined;
    switch (message.type) {
      case 'state':
        return on.onState({ draining: message.draining, notes: message.notes });
      case 'history':
        return on.onHistory?.(message.records);
      case 'dialled':
        return on.onDialled?.(message);
      case 'assigned': {
        const { build, token, accepted, why } = message;
        if (!accepted) this.#intake.forget(message);
        return on.onAssigned({ build, token, accepted, why });
      }
      case 'abandoned':
        this.#intake.forget(message);
        return on.onAbandoned({ build: message.build, token: message.token }, message.why);
      case 'progress': {
        const verdict = this.#intake.event(message, message.sequence, message.event);
        return verdict.is === 'fresh'
          ? on.onProgress(verdict.lease, message.sequence, message.event)
          : this.#unused(verdict);
      }
      case 'open': {
        const verdict = this.#intake.open(message);
        return verdict.is === 'fresh' ? undefined : this.#unused(verdict);
      }
      case 'paused': {
        const verdict = this.#intake.paused(message);
        if (verdict.is !== 'fresh') return this.#unused(verdict);
        this.#pauses.answered(message.stream);
        if (verdict.proceed !== undefined) this.#send(verdict.proceed);
        return undefined;
      }
      default:
        return this.#outOfOrder(message.type);
    }
  }

  #notPausing(state: string): void {
    const error = protocolCodes['BBX-PRO-LOST']({ peer: this.#options.peer, state });
    this.#line.close(CLOSE.notPausing, state, error);
  }

  #onBinary(bytes: Uint8Array): void | Promise<void> {
    const frame = decodeLogFrame(bytes);
    if (typeof frame === 'string') return this.#line.malformed(frame);
    if (this.#stage !== 'open' || this.#handlers === undefined) return this.#outOfOrder('binary frame');
    const verdict = this.#intake.bytes(frame);
    if (verdict.is !== 'fresh') return this.#unused(verdict);
    const { lease, step, log, offset, bytes: piece } = verdict;
    return this.#handlers.onBytes({
      ...lease,
      step,
      log,
      offset,
      channel: frame.channel,
      at: frame.at,
      bytes: piece,
    });
  }

  #unused(verdict: Unused): void {
    if (verdict.is === 'malformed') return this.#line.malformed(verdict.state);
    if (verdict.is === 'notPausing') return this.#notPausing(`it sent ${verdict.state}`);
    if (verdict.is === 'foreign' && verdict.tell) {
      this.#send({ type: 'drop', ...verdict.lease, why: 'this try at the build is not this session’s' });
    }
    if (verdict.is !== 'again') return;
    const again = this.#intake.repeat(verdict.lease, verdict.stream);
    if (again !== undefined) this.#send(again);
  }
}

type Unused =
  | { is: 'again'; lease: Lease; stream?: number }
  | { is: 'foreign'; lease: Lease; tell: boolean }
  | { is: 'ignored' }
  | { is: 'malformed' | 'notPausing'; state: string };

function pick({ build, token }: Lease): Lease {
  return { build, token };
}

/** The first thing that zod has against a message, short and without the message's own text. */
function complaint(error: ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown' : `${issue.path.join('.') || 'its type'}: ${issue.code}`;
}
