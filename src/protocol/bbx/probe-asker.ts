import { sleep } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';

/** What the master saw of this very connection. */
export interface Witness {
  /** Of the `hello` that it got, base64. */
  nonce: string;
  /** This end as the master sees it, `[2001:db8::1]:4711`. */
  peer: string;
  /** Bytes of messages that it had received. */
  bytes: number;
}

/** Asks the probes of a greeted master. Times are ms; a connection that ends rejects what waits. None has a limit of its own. */
export interface ProbeAsker {
  /** Sends bytes there and back (at most `LIMITS.frameBytes`). */
  echo(payload: Uint8Array): Promise<number>;
  /** Sends so many bytes; the answer is short. */
  push(bytes: number): Promise<number>;
  /** Has so many bytes sent, at most as many as were pushed and not yet pulled; the question is short. */
  pull(bytes: number): Promise<number>;
  witness(): Promise<Witness>;
  /** Lets the connection rest: neither side sends anything. With `by: 'master'` it resolves with the master's first word after that. */
  hold(seconds: number, by: 'master' | 'worker'): Promise<void>;
}

type Answer = MessageOf<MasterMessage, 'echoed' | 'pushed' | 'pulled' | 'witnessed' | 'held'>;
type Question = MessageOf<WorkerMessage, 'echo' | 'push' | 'pull' | 'witness' | 'hold'>;

const ANSWERS: ReadonlySet<string> = new Set<Answer['type']>([
  'echoed',
  'pushed',
  'pulled',
  'witnessed',
  'held',
]);

/** Whether a message answers a probe. */
export function isProbeAnswer(message: MasterMessage): message is Answer {
  return ANSWERS.has(message.type);
}

interface Waiting {
  at: number;
  /** False: an answer to something else. */
  fits(answer: Answer): boolean;
  done(answer: { answer: Answer; ms: number }): void;
  fail(error: unknown): void;
}

export interface AskerOptions {
  clock: Clock;
  send(message: Question): void;
  malformed(state: string): void;
  quiet(ms: number): void;
  /** The error of a connection that has ended; undefined while it is open. */
  over(): Promise<unknown> | undefined;
}

/** The asking end of `ProbeDesk`. */
export class Asker implements ProbeAsker {
  readonly #options: AskerOptions;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(options: AskerOptions) {
    this.#options = options;
  }

  async echo(payload: Uint8Array): Promise<number> {
    const text = Buffer.from(payload).toString('base64');
    const question = { type: 'echo', payload: text } as const;
    const { ms } = await this.#ask(question, (answer) => answer.type === 'echoed' && answer.payload === text);
    return ms;
  }

  async push(bytes: number): Promise<number> {
    const question = { type: 'push', payload: Buffer.alloc(bytes).toString('base64') } as const;
    const { ms } = await this.#ask(question, (answer) => answer.type === 'pushed' && answer.bytes === bytes);
    return ms;
  }

  async pull(bytes: number): Promise<number> {
    const isWhole = (answer: Answer) =>
      answer.type === 'pulled' && Buffer.byteLength(answer.payload, 'base64') === bytes;
    const { ms } = await this.#ask({ type: 'pull', bytes }, isWhole);
    return ms;
  }

  async witness(): Promise<Witness> {
    const { answer } = await this.#ask({ type: 'witness' }, ({ type }) => type === 'witnessed');
    const { nonce, peer, bytes } = answer as MessageOf<MasterMessage, 'witnessed'>;
    return { nonce, peer, bytes };
  }

  async hold(seconds: number, by: 'master' | 'worker'): Promise<void> {
    this.#options.quiet(seconds * 1_000);
    if (by === 'master') {
      await this.#ask({ type: 'hold', seconds, by }, ({ type }) => type === 'held');
      return;
    }
    this.#options.send({ type: 'hold', id: (this.#next += 1), seconds, by });
    const over = new AbortController();
    const rest = sleep(seconds * 1_000, over.signal);
    const ended = Promise.withResolvers<never>();
    this.#waiting.set(-1, { at: 0, fits: () => false, done: () => undefined, fail: ended.reject });
    try {
      await Promise.race([rest, ended.promise]);
    } finally {
      over.abort();
      rest.catch(() => undefined);
      this.#waiting.delete(-1);
    }
  }

  /** An answer has come. */
  answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined || !waiting.fits(answer)) {
      const what = answer.type === 'echoed' ? 'an echo' : `"${answer.type}"`;
      return this.#options.malformed(`${what} of something else`);
    }
    this.#waiting.delete(answer.id);
    waiting.done({ answer, ms: this.#options.clock.monotonic() - waiting.at });
  }

  /** The connection has ended with this error. */
  end(error: unknown): void {
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }

  #ask(
    question: Question extends infer Each ? (Each extends unknown ? Omit<Each, 'id'> : never) : never,
    fits: Waiting['fits'],
  ): Promise<{ answer: Answer; ms: number }> {
    return new Promise((done, fail) => {
      const over = this.#options.over();
      if (over !== undefined) return void over.then(fail);
      const id = (this.#next += 1);
      this.#waiting.set(id, { at: this.#options.clock.monotonic(), fits, done, fail });
      this.#options.send({ ...question, id } as Question);
    });
  }
}
