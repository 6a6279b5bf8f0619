import { sleep } from '../../base/abort.ts';
import { protocolCodes } from '../codes.ts';
import { Admission } from './admission.ts';
import { DIALECTS, agree } from './dialect.ts';
import type { Dialect } from './dialect.ts';
import type { Limits } from './limits.ts';
import type { Line } from './line.ts';
import type { Decision, MasterSessionOptions, WorkerClaim } from './master-contract.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';
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

export type RefusalReason = MessageOf<MasterMessage, 'refused'>['reason'];

/** What an entrance does with its connection. */
export interface EntranceDeps {
  options: MasterSessionOptions;
  limits: Limits;
  line: Line;
  send(message: MasterMessage): void;
  outOfOrder(type: string): void;
  /** Says why, and closes. */
  refuse(reason: RefusalReason, message: string, retryAfter?: number): void;
  /** Both sides speak it from now on, the greeting included. */
  agreed(dialect: Dialect): void;
  /** It has said who it is. */
  named(name: string): void;
  /** The claim was found good. */
  letIn(claim: WorkerClaim, decision: Decision & { let: 'in' }): void | Promise<void>;
}

/** Everything before a worker is let in: its hello, its claim and the decision about it, in time. */
export class Entrance {
  readonly #deps: EntranceDeps;
  #hurry: NodeJS.Timeout;
  #admission: Admission | undefined;
  #greeted = false;

  constructor(deps: EntranceDeps) {
    this.#deps = deps;
    this.#hurry = this.#startHurry(deps.limits.authenticationMs);
  }

  /** Whether it was greeted: before that nobody may ask anything. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** Of its `hello`, for witnesses; nothing once it has claimed to be somebody. */
  get nonce(): Uint8Array {
    return this.#admission?.nonce ?? new Uint8Array(0);
  }

  /** A message of one that is not let in, probes aside. */
  take(message: WorkerMessage): void | Promise<void> {
    if (!this.#greeted && message.type === 'hello') return this.#hello(message);
    if (this.#greeted && message.type === 'authenticate') return this.#authenticate(message);
    return this.#deps.outOfOrder(message.type);
  }

  /** It may rest for so long: its time to authenticate begins after that. */
  rest(ms: number): void {
    clearTimeout(this.#hurry);
    this.#hurry = this.#startHurry(ms + this.#deps.limits.authenticationMs);
  }

  /** The connection is over, or it is let in. */
  end(): void {
    clearTimeout(this.#hurry);
  }

  #hello(hello: MessageOf<WorkerMessage, 'hello'>): void {
    const { options, send, agreed, refuse } = this.#deps;
    const dialects = options.dialects ?? DIALECTS;
    const dialect = agree(dialects, hello.versions);
    if (dialect === undefined) {
      const mine = dialects.map(({ version }) => version).join(', ');
      return refuse('version', `this master speaks ${mine}, the worker offers ${hello.versions.join(', ')}`);
    }
    agreed(dialect);
    this.#greeted = true;
    this.#admission = new Admission(options, hello);
    options.onHello?.(this.#admission.nonce);
    send(this.#admission.greeting(dialect));
  }

  async #authenticate(message: MessageOf<WorkerMessage, 'authenticate'>): Promise<void> {
    const { options, limits, line, letIn, named, outOfOrder, refuse } = this.#deps;
    const { clock } = options;
    const started = clock.monotonic();
    const asked = this.#admission?.claim(message);
    // Its nonce and challenge serve once.
    this.#admission = undefined;
    if (asked === undefined) return outOfOrder(message.type);
    const { claim, isSigned } = asked;
    named(claim.name);
    // A claim without a good signature is nobody's: it is not even looked up, and the answer waits like the others.
    const decision: Decision = isSigned
      ? await options.authenticate(claim)
      : { let: 'out', reason: 'unknown' };
    if (line.ended) return;
    if (decision.let === 'in') {
      this.end();
      return letIn(claim, decision);
    }
    await sleep(Math.max(0, limits.refusalMs - (clock.monotonic() - started)));
    if (decision.reason === 'unknown') return refuse('identity', UNKNOWN, decision.retryAfter);
    refuse(decision.reason, decision.message ?? WORDS[decision.reason], decision.retryAfter);
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
