import { within } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { BbxError, errnoOf, sentences } from '../../base/error.ts';
import { dial } from '../../net/dial.ts';
import { parseAddress } from '../../net/endpoint/address.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import type { Hop } from '../../net/endpoint/hop.ts';
import { systemResolver } from '../../net/system-resolver.ts';
import { tryAddress } from '../../net/try-address.ts';
import { openWebSocket } from '../../net/web-socket.ts';
import {
  MOST_ADDRESSES,
  MOST_WAYS,
  type DialledAddress,
  type DialledWay,
} from '../../protocol/bbx/dial-facts.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../../protocol/bbx/keys.ts';
import { PROBES } from '../../protocol/bbx/probe-desk.ts';
import { runSeries } from '../../protocol/bbx/probe-series.ts';
import { WORKER_SUBPROTOCOL } from '../../protocol/bbx/wire.ts';
import { greetMaster } from '../../protocol/bbx/worker-session.ts';

/** All ways together: a person waits for the answer. */
const ALL_MS = 12_000;
/** One connection: longer than an absent neighbour takes to be noticed (3.1 s). */
const CONNECT_MS = 4_000;
/** TLS, and then the greeting. */
const GREET_MS = 3_000;

export interface WaysOptions {
  targets: readonly string[];
  via: readonly Hop[];
  pins: readonly string[];
  software: string;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Tries the worker's own ways to its master, each address of each way alone, beside the session that stands: what the master cannot see
 * from where it is. Rejects only with the signal's reason.
 */
export async function tryWays(options: WaysOptions): Promise<DialledWay[]> {
  const limit = AbortSignal.timeout(ALL_MS);
  const signal = AbortSignal.any([options.signal, limit]);
  const targets = options.targets.slice(0, MOST_WAYS);
  const ways = await Promise.all(targets.map((target) => tryWay(target, { ...options, signal })));
  options.signal.throwIfAborted();
  return ways.filter((way) => way !== undefined);
}

async function tryWay(target: string, options: WaysOptions): Promise<DialledWay | undefined> {
  const address = parseAddress(target);
  if (address.kind === 'unix') return undefined;
  const { host, port } = address;
  const way = { target: target.slice(0, 300), host, port, lookups: [], addresses: [], raced: null };
  if (options.via.length > 0 || address.kind === 'web-socket') return { ...way, behindHops: true };
  const lookups = familyOf(host) === 0 ? await lookUp(host, options.signal) : [];
  const literals = familyOf(host) === 0 ? lookups.flatMap(({ addresses }) => addresses) : [host];
  const [addresses, raced] = await Promise.all([
    Promise.all([...new Set(literals)].slice(0, MOST_ADDRESSES).map((each) => tryOne(each, port, options))),
    race(host, port, options.signal),
  ]);
  return { ...way, behindHops: false, lookups, addresses, raced };
}

/** What this host's system gives for a name, each family apart. */
export async function lookUp(host: string, signal: AbortSignal): Promise<DialledWay['lookups']> {
  const answers = await Promise.all(
    ([6, 4] as const).map((family) => systemResolver.resolve(host, family, { signal, limitMs: CONNECT_MS })),
  ).catch(() => []);
  return answers.map(({ family, addresses, errno = null, ms }) => ({
    ...{ family, addresses: addresses.slice(0, 64), errno, ms },
  }));
}

/** Which address the worker itself would take, by the race that it runs. */
async function race(host: string, port: number, signal: AbortSignal): Promise<DialledWay['raced']> {
  const started = performance.now();
  try {
    const connection = await dial(
      { to: { kind: 'tcp', host, port }, via: [] },
      { signal, timeoutMs: CONNECT_MS },
    );
    connection.stream.destroy();
    return { peer: connection.peer, ms: Math.round(performance.now() - started) };
  } catch {
    return null;
  }
}

async function tryOne(address: string, port: number, options: WaysOptions): Promise<DialledAddress> {
  const tried = await tryAlone(address, port, options.signal);
  return tried.outcome === 'connected' ? { ...tried, met: await meet(address, port, options) } : tried;
}

/** Connects to one address, and greets nobody. */
export async function tryAlone(address: string, port: number, signal: AbortSignal): Promise<DialledAddress> {
  const family = familyOf(address) === 6 ? 6 : 4;
  const base = { address, family, port, met: null } as const;
  const silent = { ...base, outcome: 'silent', errno: null, local: false } as const;
  const started = performance.now();
  try {
    const tried = await tryAddress(address, port, { limitMs: CONNECT_MS, signal });
    const ms = Math.round(tried.ms);
    if (tried.result === 'silent') return { ...silent, ms };
    const { local, errno = null } = tried;
    if (tried.result !== 'connected') return { ...base, outcome: 'failed', errno, local, ms };
    return { ...base, outcome: 'connected', errno: null, local: false, ms };
  } catch {
    return { ...silent, ms: Math.round(performance.now() - started) };
  }
}

/** Greets whoever answers there as this worker would, with a first message that fits into any packet, and sends probes. */
async function meet(
  address: string,
  port: number,
  { pins, software, clock, signal }: WaysOptions,
): Promise<DialledAddress['met']> {
  const started = performance.now();
  const peer = printHostPort(address, port);
  const met: NonNullable<DialledAddress['met']> = {
    ...{
      nonce: null,
      instance: null,
      tls: false,
      code: null,
      problem: null,
      localEnd: '',
      ms: 0,
      series: null,
    },
  };
  const done = (more: Partial<typeof met>) =>
    Object.assign(met, more, { ms: Math.round(performance.now() - started) });
  let close: (() => void) | undefined;
  try {
    const key = pins.length > 0 ? { pins } : { firstContact: true };
    const connection = await dial(
      { to: { kind: 'tcp', host: address, port }, via: [], tls: { ...key, smallHello: true } },
      { signal, timeoutMs: GREET_MS },
    );
    close = () => void connection.stream.destroy();
    done({ tls: true, localEnd: connection.local });
    const { stream, secured } = connection;
    const greeting = openWebSocket(stream, { target: peer, protocol: WORKER_SUBPROTOCOL, signal }).then(
      (socket) => {
        const exporter = secured?.exporter(EXPORTER_LABEL, EXPORTER_BYTES) ?? new Uint8Array(0);
        return greetMaster({ socket, peer, exporter, pins, software, clock, signal });
      },
    );
    const master = await within(greeting, GREET_MS, signal);
    if (master === undefined) return done({ problem: `TLS came up, then nothing for ${GREET_MS / 1_000} s` });
    done({ nonce: master.nonce, instance: master.instance });
    if (!master.greeting.capabilities.includes(PROBES)) return met;
    return done({ series: await runSeries(master.ask, { signal }) });
  } catch (error) {
    const code = error instanceof BbxError ? error.code : (errnoOf(error) ?? null);
    return done({
      code,
      problem: signal.aborted ? 'no time was left' : sentences(error).join(': ').slice(0, 300),
    });
  } finally {
    close?.();
  }
}
