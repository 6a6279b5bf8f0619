import { sleep } from '../../base/abort.ts';
import { protocolCodes } from '../codes.ts';
import { Admission } from './admission.ts';
import { DIALECTS, agree } from './dialect.ts';
import type { Dialect } from './dialect.ts';
import type { Limits } from './limits.ts';
import type { Line } from './line.ts';
import type { Decision, MasterSessionOptions, WorkerClaim } from './master-contract.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';
import { ProbeDesk, type ProbeQuestion } from './probe-desk.ts';
import { CLOSE } from './wire.ts';

/** One answer for a name that nobody knows and for a key that is not the name's: it tells a stranger nothing. */
const UNKNOWN = 'the name is not known here, or it belongs to another key';

const WORDS = {
  pending: 'waiting to be approved',
  expired: 'the join string is used up or has expired',
  alternating: 'two processes use this name in turn',
  busy: 'too many connections',
  removed: 'the worker was removed',
} as const;

/** What an entrance does with its connection. */
export interface EntranceDeps {
  options: MasterSessionOptions;
  limits: Limits;
  line: Line;
  send(message: MasterMessage): void;
  outOfOrder(type: string): void;
  /** Both sides speak it from now on, the greeting included. */
  agreed(dialect: Dialect): void;
  /** The claim was found good. */
  letIn(claim: WorkerClaim, decision: Decision & { let: 'in' }): void | Promise<void>;
}

/** Everything before a worker is let in: its hello, its claim and the decision about it, in time; and the questions of probes. */
export class Entrance {
  readonly #deps: EntranceDeps;
  #hurry: NodeJS.Timeout;
  #admission: Admission | undefined;
  #desk: ProbeDesk | undefined;
  #greeted = false;
  #claim: WorkerClaim | undefined;

  constructor(deps: EntranceDeps) {
    this.#deps = deps;
    this.#hurry = this.#startHurry(deps.limits.authenticationMs);
  }

  /** Who it says it is; undefined until it has said so. */
  get claim(): WorkerClaim | undefined {
    return this.#claim;
  }

  /** Whether it was greeted: before that nobody may ask anything. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** A message of one that is not let in, probes aside. */
  take(message: WorkerMessage): void | Promise<void> {
    if (!this.#greeted && message.type === 'hello') return this.#hello(message);
    if (this.#greeted && message.type === 'authenticate') return this.#authenticate(message);
    return this.#deps.outOfOrder(message.type);
  }

  /** Answers a probe, also of one that was let in. */
  probe(question: ProbeQuestion): void {
    const { options, limits, line, send } = this.#deps;
    this.#desk ??= new ProbeDesk({
      clock: options.clock,
      limits,
      peer: options.peer,
      nonce: this.#admission?.nonce ?? new Uint8Array(0),
      received: () => line.traffic.received,
      send,
      refuse: (reason, message) => this.#refuse(reason, message),
      malformed: (state) => line.malformed(state),
      mayHold: () => options.mayHold?.(),
      quiet: (ms) => {
        line.quiet(ms);
        clearTimeout(this.#hurry);
        this.#hurry = this.#startHurry(ms + limits.authenticationMs);
      },
    });
    this.#desk.answer(question);
  }

  /** The connection is over. */
  end(): void {
    clearTimeout(this.#hurry);
    this.#desk?.end();
  }

  #hello(hello: MessageOf<WorkerMessage, 'hello'>): void {
    const { options, send, agreed } = this.#deps;
    const dialects = options.dialects ?? DIALECTS;
    const dialect = agree(dialects, hello.versions);
    if (dialect === undefined) {
      const mine = dialects.map(({ version }) => version).join(', ');
      return this.#refuse(
        'version',
        `this master speaks ${mine}, the worker offers ${hello.versions.join(', ')}`,
      );
    }
    agreed(dialect);
    this.#greeted = true;
    this.#admission = new Admission(options, hello);
    options.onHello?.(this.#admission.nonce);
    send(this.#admission.greeting(dialect));
  }

  async #authenticate(message: MessageOf<WorkerMessage, 'authenticate'>): Promise<void> {
    const { options, limits, line, letIn, outOfOrder } = this.#deps;
    const { clock } = options;
    const started = clock.monotonic();
    const asked = this.#admission?.claim(message);
    // Its nonce and challenge serve once.
    this.#admission = undefined;
    if (asked === undefined) return outOfOrder(message.type);
    const { claim, isSigned } = asked;
    this.#claim = claim;
    // A claim without a good signature is nobody's: it is not even looked up, and the answer waits like the others.
    const decision: Decision = isSigned
      ? await options.authenticate(claim)
      : { let: 'out', reason: 'unknown' };
    if (line.ended) return;
    if (decision.let === 'in') {
      clearTimeout(this.#hurry);
      return letIn(claim, decision);
    }
    await sleep(Math.max(0, limits.refusalMs - (clock.monotonic() - started)));
    if (decision.reason === 'unknown') return this.#refuse('identity', UNKNOWN, decision.retryAfter);
    this.#refuse(decision.reason, decision.message ?? WORDS[decision.reason], decision.retryAfter);
  }

  #refuse(reason: MessageOf<MasterMessage, 'refused'>['reason'], message: string, retryAfter?: number) {
    const { options, line, send } = this.#deps;
    send({
      type: 'refused',
      reason,
      message: message.slice(0, 1_000),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
    const { peer } = options;
    const name = this.#claim?.name ?? '';
    const error = protocolCodes['BBX-PRO-REFUSED']({ name, peer, reason, message });
    line.close(CLOSE.refused, reason, error);
  }

  #startHurry(ms: number): NodeJS.Timeout {
    const { options, line } = this.#deps;
    return setTimeout(() => {
      const { peer } = options;
      const state = `it did not authenticate within ${ms / 1000} s`;
      line.close(CLOSE.tooSlow, 'too slow', protocolCodes['BBX-PRO-TOO-SLOW']({ peer, state }));
    }, ms);
  }
}
