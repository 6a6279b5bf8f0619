import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { ADDRCONFIG, lookup } from 'node:dns';
import type { Readable, Writable } from 'node:stream';
import { within } from '../base/abort.ts';
import { errnoOf } from '../base/error.ts';
import { SILENCE } from './explain.ts';
import type { FamilyAnswer, Resolver } from './resolve.ts';
import { builtinAnswer, LOOKUP_LIMIT_MS } from './resolve.ts';

/** getaddrinfo may use half of libuv's threads: 32 at a time, where a process by default has two. */
const POOL_THREADS = 64;
/** After so many lookups that nobody waits for any more, a helper is replaced: half of its 32 places may be blocked. */
const ABANDONED_LIMIT = 16;
/** A helper without work goes away: a worker looks up one name, and then nothing for days. */
const IDLE_MS = 10_000;

// One JSON line in, one out. SIGKILL, because an ordinary exit waits for the threads that hang in getaddrinfo.
const SCRIPT = `
const { lookup, ADDRCONFIG } = require('node:dns');
let text = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (data) => {
  text += data;
  for (let end = text.indexOf('\\n'); end >= 0; end = text.indexOf('\\n')) {
    const { id, name, family } = JSON.parse(text.slice(0, end));
    text = text.slice(end + 1);
    const how = family === 0 ? { hints: ADDRCONFIG, verbatim: true } : { family };
    const from = performance.now();
    lookup(name, { ...how, all: true }, (error, found) => {
      const ms = performance.now() - from;
      const answer = error
        ? { id, ms, errno: error.code, addresses: [] }
        : { id, ms, addresses: found.map((one) => one.address) };
      process.stdout.write(JSON.stringify(answer) + '\\n');
    });
  }
});
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL'));
`;

interface HelperAnswer {
  id: number;
  /** By the helper's clock: its own start, which takes seconds on a machine that is busy, is no part of a lookup. */
  ms?: number;
  errno?: string;
  addresses: string[];
}

/** `lost` when the helper died before it answered. */
type Reply = HelperAnswer | 'lost';

/** 0: both in one lookup, in the system's order. */
type Asked = 0 | 4 | 6;

interface Helper {
  child: ChildProcessByStdio<Writable, Readable, null>;
  waiting: Map<number, (reply: Reply) => void>;
  abandoned: number;
  idle: NodeJS.Timeout | undefined;
}

/** Addresses in the system's own order (RFC 6724, gai.conf). */
export interface OrderedAnswer {
  addresses: readonly string[];
  errno?: string;
  ms: number;
}

export interface SystemResolver extends Resolver {
  /** Both families in one lookup, as most programs ask: with ADDRCONFIG, and in the order in which they try. For the doctor; bbx itself asks apart. */
  order(
    name: string,
    options?: { signal?: AbortSignal | undefined; limitMs?: number },
  ): Promise<OrderedAnswer>;
  close(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The system's own resolver (getaddrinfo, and so hosts file, nsswitch, search domains), each family asked apart and without
 * ADDRCONFIG, which would hide addresses of a family that this host lacks. getaddrinfo cannot be cancelled, and two dead lookups
 * block every other one of a process; so they run in a helper process, which is started on demand, replaced when lookups hang in it,
 * and gone after ten seconds without work.
 */
export function createSystemResolver(options: { lookupInProcess?: boolean } = {}): SystemResolver {
  let helper: Helper | undefined;
  let lastId = 0;
  let closed = false;
  let helperWorks = options.lookupInProcess !== true;
  const all = new Set<Helper>();

  function retire(one: Helper) {
    if (helper === one) helper = undefined;
    if (one.waiting.size === 0) one.child.kill('SIGKILL');
  }

  function startHelper(): Helper {
    // Options meant for this process, an inspector's port for instance, are not meant for the helper.
    const { NODE_OPTIONS: _, ...inherited } = process.env;
    const env = { ...inherited, UV_THREADPOOL_SIZE: String(POOL_THREADS) };
    const child = spawn(process.execPath, ['-e', SCRIPT], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    const one: Helper = { child, waiting: new Map(), abandoned: 0, idle: undefined };
    all.add(one);
    const lost = () => {
      all.delete(one);
      clearTimeout(one.idle);
      if (helper === one) helper = undefined;
      for (const reply of one.waiting.values()) reply('lost');
      one.waiting.clear();
    };
    child.on('error', () => {
      helperWorks = false;
      lost();
    });
    child.on('exit', lost);
    child.stdin.on('error', () => undefined);
    let text = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (data: string) => {
      text += data;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const answer = JSON.parse(text.slice(0, end)) as HelperAnswer;
        text = text.slice(end + 1);
        const reply = one.waiting.get(answer.id);
        if (reply === undefined) one.abandoned = Math.max(0, one.abandoned - 1);
        else reply(answer);
      }
    });
    child.unref();
    return one;
  }

  /** The helper keeps its parent alive only while somebody waits for it. */
  function settle(one: Helper) {
    const pipe = one.child.stdout as Readable & { ref?(): void; unref?(): void };
    const input = one.child.stdin as Writable & { unref?(): void };
    input.unref?.();
    clearTimeout(one.idle);
    if (one.waiting.size > 0) {
      pipe.ref?.();
      return;
    }
    pipe.unref?.();
    if (helper !== one) {
      one.child.kill('SIGKILL');
      return;
    }
    one.idle = setTimeout(() => retire(one), IDLE_MS);
    one.idle.unref();
  }

  function ask(name: string, family: Asked): { reply: Promise<Reply>; abandon(): void } {
    helper ??= startHelper();
    const one = helper;
    lastId += 1;
    const id = lastId;
    const reply = new Promise<Reply>((resolve) => {
      one.waiting.set(id, (got) => {
        one.waiting.delete(id);
        settle(one);
        resolve(got);
      });
    });
    settle(one);
    one.child.stdin.write(`${JSON.stringify({ id, name, family })}\n`);
    const abandon = () => {
      if (!one.waiting.delete(id)) return;
      one.abandoned += 1;
      if (one.abandoned >= ABANDONED_LIMIT) retire(one);
      settle(one);
    };
    return { reply, abandon };
  }

  return {
    async resolve(name, family, { signal, limitMs = LOOKUP_LIMIT_MS } = {}) {
      signal?.throwIfAborted();
      const known = builtinAnswer(name, family);
      if (known !== undefined) return known;
      const started = performance.now();
      const done = (part: {
        errno?: string | undefined;
        addresses: readonly string[];
        ms?: number;
      }): FamilyAnswer => ({
        name,
        family,
        addresses: part.addresses,
        ms: part.ms ?? performance.now() - started,
        source: 'system',
        ...(part.errno === undefined ? {} : { errno: part.errno }),
      });
      if (closed) return done({ errno: 'ECANCELLED', addresses: [] });
      const asked = helperWorks ? ask(name, family) : undefined;
      const answer = asked?.reply.then((got) => (got === 'lost' ? lookupHere(name, family) : got));
      const got = await inTime(answer ?? lookupHere(name, family), limitMs, signal, () => asked?.abandon());
      return done(got ?? { errno: SILENCE, addresses: [] });
    },
    async order(name, { signal, limitMs = LOOKUP_LIMIT_MS } = {}) {
      signal?.throwIfAborted();
      const started = performance.now();
      const asked = helperWorks && !closed ? ask(name, 0) : undefined;
      const answer = asked?.reply.then((got) => (got === 'lost' ? lookupHere(name, 0) : got));
      const got = await inTime(answer ?? lookupHere(name, 0), limitMs, signal, () => asked?.abandon());
      const elapsed = performance.now() - started;
      const { addresses, errno, ms = elapsed } = got ?? { addresses: [], errno: SILENCE };
      return { addresses, ms, ...(errno === undefined ? {} : { errno }) };
    },
    close() {
      closed = true;
      for (const one of all) one.child.kill('SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      const ends = [...all].map(
        ({ child }) => new Promise<void>((resolve) => child.once('exit', () => resolve())),
      );
      this.close();
      await Promise.all(ends);
    },
  };
}

/** For hosts where no helper can be started: its places are few, but a name still resolves. */
function lookupHere(name: string, family: Asked): Promise<Omit<HelperAnswer, 'id'>> {
  const how = family === 0 ? { hints: ADDRCONFIG, verbatim: true } : { family };
  return new Promise((resolve) => {
    lookup(name, { ...how, all: true }, (error, found) => {
      if (error === null) resolve({ addresses: found.map(({ address }) => address) });
      else resolve({ errno: errnoOf(error) ?? 'EAI_FAIL', addresses: [] });
    });
  });
}

/** The answer of a lookup in time; one that nobody waits for any more is given up. Undefined after `limitMs`; rejects with the signal's reason. */
async function inTime(
  answer: Promise<Omit<HelperAnswer, 'id'>>,
  limitMs: number,
  signal: AbortSignal | undefined,
  giveUp: () => void,
): Promise<Omit<HelperAnswer, 'id'> | undefined> {
  let got: Omit<HelperAnswer, 'id'> | undefined;
  try {
    got = await within(answer, limitMs, signal);
  } finally {
    if (got === undefined) giveUp();
  }
  return got;
}

/** One for the process: helpers are shared by everything that dials. It keeps no process alive by itself. */
export const systemResolver: SystemResolver = createSystemResolver();
