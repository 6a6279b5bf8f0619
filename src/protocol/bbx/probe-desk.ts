import type { Clock } from '../../base/clock.ts';
import { createEchoBudget, type EchoBudget } from './echo-budget.ts';
import type { Limits } from './limits.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';

/** A question of a probe: whoever was greeted may ask, let in or not. */
export type ProbeQuestion = MessageOf<WorkerMessage, 'echo' | 'push' | 'pull' | 'witness' | 'hold'>;

const QUESTIONS: ReadonlySet<string> = new Set<ProbeQuestion['type']>([
  'echo',
  'push',
  'pull',
  'witness',
  'hold',
]);

/** Whether a message is a probe. */
export function isProbe(message: WorkerMessage): message is ProbeQuestion {
  return QUESTIONS.has(message.type);
}

/** The master's word for all of them in `capabilities`. */
export const PROBES = 'probes';

export interface ProbeDeskOptions {
  clock: Clock;
  limits: Limits;
  peer: string;
  nonce: Uint8Array;
  /** Bytes of messages received so far. */
  received(): number;
  send(message: MasterMessage): void;
  refuse(reason: 'busy', message: string): void;
  malformed(state: string): void;
  /** A place among the connections that rest, and what gives it back; undefined: all are taken, or none is given at all. */
  mayHold(): (() => void) | undefined;
  /** Nothing is sent for so long, and no silence counts. */
  quiet(ms: number): void;
}

/** Answers the probes of one connection. No answer is longer than what was sent before; over the budget the peer is refused. */
export class ProbeDesk {
  readonly #options: ProbeDeskOptions;
  readonly #budget: EchoBudget;
  #earned = 0;
  #release: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProbeDeskOptions) {
    this.#options = options;
    const { clock, limits } = options;
    this.#budget = createEchoBudget(clock, limits.echoBurst, limits.echoPerSecond);
  }

  answer(message: ProbeQuestion): void {
    const { send, refuse, malformed, peer, nonce, received } = this.#options;
    if (!this.#budget.take()) return refuse('busy', 'too many echoes');
    switch (message.type) {
      case 'echo':
        return send({ type: 'echoed', id: message.id, payload: message.payload });
      case 'push': {
        const bytes = Buffer.byteLength(message.payload, 'base64');
        this.#earned += bytes;
        return send({ type: 'pushed', id: message.id, bytes });
      }
      case 'pull': {
        const { id, bytes } = message;
        if (bytes > this.#earned) return malformed('a pull of more bytes than it has pushed');
        this.#earned -= bytes;
        return send({ type: 'pulled', id, payload: Buffer.alloc(bytes).toString('base64') });
      }
      case 'witness':
        return send({
          type: 'witnessed',
          id: message.id,
          nonce: Buffer.from(nonce).toString('base64'),
          peer,
          bytes: received(),
        });
      case 'hold':
        return this.#hold(message);
    }
  }

  /** The connection is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#release?.();
    this.#release = undefined;
  }

  #hold({ id, seconds, by }: MessageOf<WorkerMessage, 'hold'>): void {
    const { mayHold, quiet, send, refuse } = this.#options;
    // Each begins the time to authenticate anew: one after the other, a stranger would stay for ever.
    if (this.#release !== undefined) return refuse('busy', 'this connection has rested already');
    this.#release = mayHold();
    if (this.#release === undefined) return refuse('busy', 'too many connections rest already');
    quiet(seconds * 1_000);
    if (by === 'master') this.#timer = setTimeout(() => send({ type: 'held', id }), seconds * 1_000);
  }
}
