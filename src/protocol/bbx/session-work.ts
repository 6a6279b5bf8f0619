import type { Clock } from '../../base/clock.ts';
import { protocolCodes } from '../codes.ts';
import type { LogFrame } from './codec.ts';
import { Intake, type StoredLog } from './intake.ts';
import type { Lease } from './lease.ts';
import type { Limits } from './limits.ts';
import type { Line } from './line.ts';
import type { Assignment, MasterSessionHandlers } from './master-contract.ts';
import type { MasterMessage, WorkerMessage } from './messages.ts';
import { watchPauses, type PauseWatch } from './pause-watch.ts';
import { CLOSE } from './wire.ts';

/** The builds of one session: leases, what comes of them in order, and what is said about it. The methods are those of `MasterSession`. */
export class SessionWork {
  readonly #line: Line;
  readonly #peer: string;
  readonly #send: (message: MasterMessage) => void;
  readonly #intake: Intake;
  readonly #pauses: PauseWatch;

  constructor(of: {
    line: Line;
    peer: string;
    clock: Clock;
    limits: Limits;
    send(message: MasterMessage): void;
  }) {
    const { line, peer, clock, limits, send } = of;
    this.#line = line;
    this.#peer = peer;
    this.#send = send;
    this.#intake = new Intake(limits);
    // The worker may have answered long ago while nothing of it was taken.
    const takenMs = () => clock.monotonic() - line.heldMs;
    this.#pauses = watchPauses(limits.pauseMs, takenMs, (stream) => {
      const limit = `${Math.round(limits.pauseMs / 1000)} s`;
      if (this.#intake.owesPause(stream))
        this.#notPausing(`it did not pause stream ${stream} within ${limit}`);
    });
  }

  assign(lease: Lease, { plan, secrets, orphanAfter }: Assignment): void {
    this.#send({ type: 'assign', ...pick(lease), plan, secrets: { ...secrets }, orphanAfter });
    // Asked again within a session it is only answered again: what was sent of it stays.
    if (!this.#intake.knows(lease)) this.#intake.begin(lease, { sequence: 0, logs: [] });
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

  pauseLog(lease: Lease, log: { step: number; log: string; from: number }): true {
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

  /** A message of the worker about its builds, of so many bytes; any other does not belong here. */
  take(message: WorkerMessage, on: MasterSessionHandlers, bytes: number): void | Promise<void> {
    switch (message.type) {
      case 'assigned': {
        const { build, token, accepted, why } = message;
        if (!accepted) this.#intake.forget(message);
        return on.onAssigned({ build, token, accepted, why });
      }
      case 'abandoned':
        this.#intake.forget(message);
        return on.onAbandoned({ build: message.build, token: message.token }, message.why);
      case 'progress': {
        const verdict = this.#intake.event(message, message.sequence, message.event, bytes);
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
        return this.#line.malformed(`"${message.type}" where it does not belong`);
    }
  }

  /** A piece of a log. */
  bytes(frame: LogFrame, on: MasterSessionHandlers): void | Promise<void> {
    const verdict = this.#intake.bytes(frame);
    if (verdict.is !== 'fresh') return this.#unused(verdict);
    const { lease, step, log, offset, bytes } = verdict;
    return on.onBytes({ ...lease, step, log, offset, channel: frame.channel, at: frame.at, bytes });
  }

  /** The session is over. */
  end(): void {
    this.#pauses.stop();
  }

  #notPausing(state: string): void {
    const error = protocolCodes['BBX-PRO-LOST']({ peer: this.#peer, state });
    this.#line.close(CLOSE.notPausing, state, error);
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
