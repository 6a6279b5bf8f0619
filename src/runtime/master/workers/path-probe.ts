import { sleep } from '../../../base/abort.ts';
import type { Clock } from '../../../base/clock.ts';
import type { MessageOf, WorkerMessage } from '../../../protocol/bbx/messages.ts';
import type { PathObject, PlacesObject } from '../../../api/path.ts';
import { PLACES, type DialPlace } from '../../../protocol/bbx/dial-facts.ts';
import { codes } from '../codes.ts';
import type { Arrivals, HalfOpen } from './arrivals.ts';
import type { Worker } from './roster.ts';

/** A worker takes 12 s for all of its ways; what takes longer does not come. */
const ANSWER_MS = 14_000;
/** Half-open connections are looked for so often; each lasts for seconds. */
const LOOK_MS = 250;

type Dialled = MessageOf<WorkerMessage, 'dialled'>;

/** Asks attached workers to try their ways here, and watches what arrives meanwhile. */
export interface PathProbe {
  /** Throws BBX-API-WORKER-STATE, -WORKER-OLD, -WORKER-SILENT. */
  ask(worker: Worker): Promise<PathObject>;
  /** Asks it to try other places instead. Throws the same. */
  askPlaces(worker: Worker, places: readonly DialPlace[]): Promise<PlacesObject>;
  /** A worker has told what became of it. */
  answered(worker: Worker, answer: Dialled): void;
}

export function createPathProbe(options: {
  arrivals: Arrivals;
  /** Addresses that are really bound for workers. */
  bound: () => readonly string[];
  clock: Clock;
}): PathProbe {
  const { arrivals, bound, clock } = options;
  const waiting = new Map<number, { worker: string; done(answer: Dialled): void }>();
  const asking = new Map<string, Promise<PathObject>>();
  let next = 0;

  /** Sends the question, and gives the worker's answer to it. */
  async function question(
    { name, attached }: Worker,
    over: AbortController,
    places?: readonly DialPlace[],
  ): Promise<Dialled> {
    if (attached?.ready !== true)
      throw codes['BBX-API-WORKER-STATE']({ name, state: 'not attached', wanted: 'ask' });
    if (!attached.capabilities.includes(places === undefined ? 'dial' : PLACES))
      throw codes['BBX-API-WORKER-OLD']({ name });
    const id = (next += 1);
    const answer = new Promise<Dialled>((done) => waiting.set(id, { worker: name, done }));
    try {
      attached.session.dial(id, places);
      const told = await Promise.race([answer, sleep(ANSWER_MS, over.signal).then(() => undefined)]);
      if (told === undefined) throw codes['BBX-API-WORKER-SILENT']({ name, seconds: ANSWER_MS / 1_000 });
      return told;
    } finally {
      waiting.delete(id);
    }
  }

  async function askPlaces(worker: Worker, places: readonly DialPlace[]): Promise<PlacesObject> {
    const at = clock.wall();
    const over = new AbortController();
    try {
      const told = await question(worker, over, places);
      return { worker: worker.name, at, places: told.places ?? [] };
    } finally {
      over.abort();
    }
  }

  async function ask(worker: Worker): Promise<PathObject> {
    const { name, attached } = worker;
    if (attached?.ready !== true)
      throw codes['BBX-API-WORKER-STATE']({ name, state: 'not attached', wanted: 'ask' });
    const from = clock.monotonic();
    const at = clock.wall();
    const over = new AbortController();
    const ports = new Set(bound().map((address) => Number(/:(\d+)$/.exec(address)?.[1])));
    // They stay for a minute: those of an earlier trouble are no answer to this question.
    const before = await arrivals.halfOpen(ports);
    const halfOpen = watch(ports, before ?? [], over.signal);
    try {
      const told = await question(worker, over);
      over.abort();
      return {
        worker: name,
        at,
        peer: attached.peer,
        bound: [...bound()],
        ways: told.ways,
        arrivals: arrivals.since(from).map(({ peer, local, nonce }) => ({ peer, local, nonce })),
        half_open: await halfOpen,
      };
    } finally {
      over.abort();
    }
  }

  /** Every half-open connection that came until the end. */
  async function watch(
    ports: ReadonlySet<number>,
    before: readonly HalfOpen[],
    signal: AbortSignal,
  ): Promise<HalfOpen[] | null> {
    const nameOf = ({ peer, local }: HalfOpen) => `${peer} ${local}`;
    const old = new Set(before.map(nameOf));
    const seen = new Map<string, HalfOpen>();
    for (;;) {
      const now = await arrivals.halfOpen(ports);
      if (now === undefined) return null;
      for (const one of now) if (!old.has(nameOf(one))) seen.set(nameOf(one), one);
      if (signal.aborted) return [...seen.values()];
      await sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }

  return {
    askPlaces,
    ask(worker) {
      // Who asks meanwhile gets the same answer: a worker tries its ways once at a time.
      const already = asking.get(worker.name);
      if (already !== undefined) return already;
      const asked = ask(worker).finally(() => asking.delete(worker.name));
      asking.set(worker.name, asked);
      return asked;
    },
    answered(worker, answer) {
      const one = waiting.get(answer.id);
      if (one?.worker === worker.name) one.done(answer);
    },
  };
}
