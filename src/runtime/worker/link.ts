import { sleep } from '../../base/abort.ts';
import { createBackoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { BbxError, errnoOf, sentences } from '../../base/error.ts';
import { EXIT } from '../../base/exit.ts';
import type { Log } from '../../base/log.ts';
import type { Hop } from '../../net/endpoint/hop.ts';
import type { SigningKey } from '../../protocol/bbx/keys.ts';
import type { Limits } from '../../protocol/bbx/limits.ts';
import { greetMaster } from '../../protocol/bbx/worker-session.ts';
import type { GreetedMaster } from '../../protocol/bbx/worker-session.ts';
import type { MessageSocket } from '../../protocol/bbx/wire.ts';
import type { Jobs } from './jobs.ts';
import type { LinkHistory } from './link-history.ts';
import type { Learned } from './link-learned.ts';
import { runLinkSession } from './link-session.ts';
import type { LinkSession, LinkSessionOptions } from './link-session.ts';
import type { Spool } from './spool.ts';

/** First wait after a session or a try has failed, and the longest: a worker is back within seconds when the master is. */
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 3_000;
/** A master that says no is asked less and less often. */
const REFUSED_FIRST_MS = 2_000;
const REFUSED_MAX_MS = 60_000;
/** A session that lasted so long was a good one: the next wait starts small again. */
const GOOD_SESSION_MS = 10_000;

/** A connection for the protocol, however it came about. */
export interface Dialled {
  socket: MessageSocket;
  /** The master's address as it was connected. */
  peer: string;
  /** This worker's own address of it; empty where it has none. */
  local?: string;
  /** TLS exporter value; empty over plain TCP. */
  exporter: Uint8Array;
}

/** One thing that the doctor found about a failed connection, as far as the worker prints it. */
export interface LinkFinding {
  id: string;
  title: string;
  fix: readonly { text: string; commands?: readonly string[] | undefined }[];
}

export type LinkState = 'connecting' | 'waiting' | 'pending' | 'connected' | 'stopped';

export interface LinkOptions {
  name: string;
  key: SigningKey;
  /** Random for each start of the process. */
  boot: string;
  software: string;
  maxBuilds: number;
  facts: Readonly<Record<string, string>>;
  jobs: Jobs;
  spool: Spool;
  clock: Clock;
  log: Log;
  /** Where what happens to the link is written down. */
  history?: LinkHistory | undefined;
  /** Addresses to try, best first; asked before each round. */
  targets(): readonly string[];
  /** Keys to accept; empty: the first that answers is pinned. */
  pins(): readonly string[];
  /** Join secret to send, while there is one. */
  secret(): string | undefined;
  dial(target: string, options: { pins: readonly string[]; signal: AbortSignal }): Promise<Dialled>;
  /** The first contact without a pin: this key is to be trusted from now on. On the disk when it resolves. */
  onFirstContact(pin: string): Promise<void>;
  /** The worker was let in. */
  onAccepted(learned: Learned): Promise<void>;
  onLearned(learned: Learned): void;
  /** Tries the ways to the master anew, when it asks for that. */
  tryWays?: LinkSessionOptions['tryWays'];
  tryPlaces?: LinkSessionOptions['tryPlaces'];
  diagnose?:
    | ((failure: { error: unknown; target: string; via?: readonly Hop[] }) => Promise<readonly LinkFinding[]>)
    | undefined;
  /** Hops of every dial, for the diagnosis. */
  via?: readonly Hop[];
  random?: () => number;
  /** Longest wait before coming back, ms; 3 s unless told otherwise. */
  retryMaxMs?: number;
  limits?: Partial<Limits>;
}

/** The worker's way to its master: kept up for as long as the worker lives. */
export interface Link {
  readonly state: LinkState;
  /** Address of the master while connected. */
  readonly peer: string | undefined;
  /** How long the master has not been heard, ms. */
  readonly silentMs: number;
  /** Resolves with the error that ends the worker (replaced, removed, refused from the start), or undefined after `stop`. */
  readonly ended: Promise<BbxError | undefined>;
  tellState(): void;
  stop(): Promise<void>;
}

/** Keeps a worker connected: dials, waits, dials again, until it is stopped or told not to come again. */
export function startLink(options: LinkOptions): Link {
  const { name, log, jobs, clock, history } = options;
  const stop = new AbortController();
  const random = options.random ?? Math.random;
  const maxMs = options.retryMaxMs ?? RETRY_MAX_MS;
  const retry = createBackoff({ firstMs: RETRY_FIRST_MS, maxMs, jitter: 0.5, random });
  const refused = createBackoff({ firstMs: REFUSED_FIRST_MS, maxMs: REFUSED_MAX_MS, jitter: 0.3, random });
  let state: LinkState = 'connecting';
  let peer: string | undefined;
  let current: LinkSession | undefined;
  let lastHeard = () => began;
  const began = clock.monotonic();
  let wasIn = false;
  let said = '';
  let reporting: Promise<void> | undefined;

  /** One sentence per change: a worker that waits for hours says so once. */
  const say = (level: 'info' | 'warn', text: string, fields?: Readonly<Record<string, unknown>>): boolean => {
    if (text === said) return false;
    said = text;
    log[level](text, fields);
    return true;
  };

  /** One try at one address, and the session when it comes to one. Gives the failure, or undefined after a session. */
  async function visit(target: string): Promise<{ failure?: unknown; fatal?: BbxError }> {
    const { signal } = stop;
    let established: LinkSession;
    const started = clock.monotonic();
    let heardAt = () => started;
    let greeted: GreetedMaster | undefined;
    try {
      const pins = options.pins();
      const { socket, exporter, peer: at, local = '' } = await options.dial(target, { pins, signal });
      const { software, limits } = options;
      const master = (greeted = await greetMaster({
        socket,
        exporter,
        peer: target,
        pins,
        software,
        clock,
        signal,
        ...(limits === undefined ? {} : { limits }),
      }));
      if (pins.length === 0) {
        await options.onFirstContact(master.instance);
        log.warn(`Trusting the master at "${target}" from now on: its key is ${master.instance}`, {
          peer: at,
        });
      }
      const { key, boot } = options;
      const session = await master.authenticate({ name, key, boot, secret: options.secret() });
      heardAt = lastHeard = () => session.heardAt;
      peer = at;
      await options.onAccepted({ pins: session.accepted.pins, reach: session.accepted.reach });
      const { maxBuilds, facts, spool, onLearned } = options;
      const { session: id, peer: seen } = session.accepted;
      const ms = Math.round(clock.monotonic() - started);
      history?.add({ kind: 'up', target, peer: at, local, seen, session: id, ms });
      const recording = history && { history, clock, random };
      established = await runLinkSession({
        recording,
        tryWays: options.tryWays,
        tryPlaces: options.tryPlaces,
        ...{ session, name, maxBuilds, facts, jobs, spool, log, onLearned },
      });
    } catch (failure) {
      greeted?.close();
      if (!signal.aborted) history?.failed(failureOf(target, failure));
      return { failure };
    }
    current = established;
    state = 'connected';
    wasIn = true;
    refused.reset();
    jobs.linkLost(undefined);
    say('info', `Connected to the master at "${target}" as "${name}"`, { peer });
    const { end, fatal } = await established.end;
    current = undefined;
    peer = undefined;
    // Contact was lost when the last byte came, not when it was noticed.
    jobs.linkLost(heardAt());
    if (clock.monotonic() - started >= GOOD_SESSION_MS) retry.reset();
    if (fatal !== undefined) return { fatal };
    state = 'connecting';
    if (!signal.aborted) say('warn', end.error?.message ?? `The master at "${target}" ended the session`);
    return {};
  }

  async function run(): Promise<BbxError | undefined> {
    const { signal } = stop;
    jobs.linkLost(clock.monotonic());
    while (!signal.aborted) {
      const failures: { target: string; error: unknown }[] = [];
      let met = false;
      for (const target of options.targets()) {
        if (signal.aborted) return undefined;
        const { failure, fatal } = await visit(target);
        if (fatal !== undefined) return fatal;
        met = failure === undefined;
        if (met) break;
        failures.push({ target, error: failure });
      }
      if (signal.aborted) return undefined;
      let waitMs = retry.next();
      if (!met) {
        const hopeless = wasIn ? undefined : finalRefusal(failures.map(({ error }) => error));
        if (hopeless !== undefined) return hopeless;
        const refusal = failures.map(({ error }) => error).find(isRefusal);
        state = refusal?.code === 'BBX-PRO-PENDING' ? 'pending' : 'waiting';
        if (refusal !== undefined) waitMs = Math.max(waitMs, askedWait(refusal, random) ?? refused.next());
        // Beside the wait: finding out why takes seconds, and the master may be back before.
        reporting ??= report(failures).finally(() => (reporting = undefined));
      }
      await sleep(waitMs, signal).catch(() => undefined);
    }
    return undefined;
  }

  async function report(failures: readonly { target: string; error: unknown }[]): Promise<void> {
    const text = failures.map(({ error }) => sentences(error)[0]).join('; ');
    const first = failures.find(({ error }) => isRefusal(error)) ?? failures[0];
    if (first === undefined || !say('warn', text)) return;
    const { error } = first;
    if (error instanceof BbxError && error.hint !== undefined) log.info(error.hint);
    if (isRefusal(error) || options.diagnose === undefined) return;
    const findings = await options
      .diagnose({ ...first, via: options.via ?? [] })
      .catch((failure: unknown) => {
        log.debug('the diagnosis itself failed', { error: sentences(failure).join(': ') });
        return [];
      });
    for (const { id, title, fix } of findings) {
      log.warn(`${id}: ${title}`);
      for (const { text: advice, commands = [] } of fix) {
        log.info(commands.length === 0 ? advice : `${advice}:`);
        for (const command of commands) log.info(`  ${command}`);
      }
    }
  }

  const ended = run().finally(() => {
    state = 'stopped';
  });
  // Whoever looks at it handles it; a fault of bbx must not end the process before that.
  ended.catch(() => undefined);
  return {
    get state() {
      return state;
    },
    get peer() {
      return peer;
    },
    get silentMs() {
      return clock.monotonic() - lastHeard();
    },
    ended,
    tellState: () => current?.tellState(),
    async stop() {
      stop.abort(new Error('the worker is stopping'));
      current?.close();
      await ended.catch(() => undefined);
    },
  };
}

/** A failed try, for the history: the last cause is what the system said. */
function failureOf(target: string, error: unknown): { target: string; code: string; got: string } {
  const code = error instanceof BbxError ? error.code : (errnoOf(error) ?? 'fault');
  return {
    target: target.slice(0, 300),
    code: code.slice(0, 60),
    got: sentences(error).join(': ').slice(0, 300),
  };
}

/** The master itself, known and greeted, said no. */
function isRefusal(error: unknown): error is BbxError {
  return error instanceof BbxError && (error.exit === EXIT.unauthenticated || REFUSALS.has(error.code));
}

const REFUSALS = new Set([
  'BBX-PRO-VERSION',
  'BBX-PRO-ALTERNATING',
  'BBX-PRO-BUSY',
  'BBX-PRO-REMOVED',
  'BBX-PRO-MALFORMED',
]);

/** When nobody has let this worker in yet and all that answered have a reason that time does not heal: there is nothing to wait for. */
function finalRefusal(errors: readonly unknown[]): BbxError | undefined {
  const final = errors.filter((error): error is BbxError => isRefusal(error) && !error.retryable);
  return final.length > 0 && final.length === errors.length ? final[0] : undefined;
}

/** The wait that the master asked for, in ms; between half a second and a minute whatever it says, and a little random. */
function askedWait(error: BbxError, random: () => number): number | undefined {
  const seconds = error.data['retryAfter'];
  if (typeof seconds !== 'number') return undefined;
  return Math.min(Math.max(seconds * 1000, 500), REFUSED_MAX_MS) * (0.9 + 0.2 * random());
}
