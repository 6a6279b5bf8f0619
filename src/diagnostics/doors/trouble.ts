import { monitorEventLoopDelay } from 'node:perf_hooks';
import { sleep } from '../../base/abort.ts';
import { kindOf } from '../../net/address-kind.ts';
import { fastestOf, type HandshakesFact } from '../facts/links.ts';
import type { Attempt, PathFacts } from '../facts/paths.ts';
import type { NobodyFacts, PingFacts, SeriesFact, TraceFacts } from '../facts/trouble.ts';
import { once } from '../asking.ts';
import type { TargetSubject } from '../subject.ts';
import { ping, toolsOf, trace } from './route-tools.ts';

/** The system sends a lost first packet again after 1 s (RFC 6298): so long a connection has most likely lost one. */
export const LOST_MS = 900;
/** Two lost ones of so many are a share that does not come by chance on a good line. */
const SERIES = 20;
/** Spread, so that one short trouble does not hit them all; over in 2 s. */
const SERIES_EVERY_MS = 100;
const SERIES_LIMIT_MS = 4_000;
const NOBODY_LIMIT_MS = 1_500;
/** Of TEST-NET-1 (RFC 5737) and of the documentation prefix of IPv6 (RFC 3849): no host has them, so only somebody between can answer there. */
const NOBODY = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
const NS_PER_MS = 1e6;

/** Doors that are only opened where something is wrong already: each of them sends a few packets more. */
export interface TroubleProbes {
  /** Of each family that is silent, an address, asked by ICMP; undefined where nothing is silent. */
  pings(target: TargetSubject): Promise<PingFacts | undefined>;
  /** Of each family that is silent, the way to an address, as far as it can be seen; undefined where nothing is silent. */
  traces(target: TargetSubject): Promise<TraceFacts | undefined>;
  /** Addresses whose first connection seems to have lost a packet (with `--soak`: one of each family), connected to again and again. */
  series(target: TargetSubject): Promise<readonly SeriesFact[]>;
  /** Whether a connection comes up where nobody can be; asked for families in which somebody answered. */
  nobody(target: TargetSubject): Promise<NobodyFacts>;
}

export interface TroubleDoor {
  signal: AbortSignal;
  /** `--soak`: there is time, so series are made without a reason. */
  soak: boolean;
  path(target: TargetSubject): Promise<PathFacts>;
  connect(address: string, port: number, limitMs?: number): Promise<Attempt>;
  /** Addresses that were slow, measured again. */
  handshakes(target: TargetSubject): Promise<readonly HandshakesFact[]>;
  /** Lets only some connections to a target be open at a time. */
  gate(target: TargetSubject): <Value>(work: () => Promise<Value>) => Promise<Value>;
}

/** The real doors. */
export function createTroubleProbes(door: TroubleDoor): TroubleProbes {
  const { signal } = door;
  const oncePings = once<PingFacts | undefined>();
  const onceTraces = once<TraceFacts | undefined>();
  const onceSeries = once<readonly SeriesFact[]>();
  const onceNobody = once<NobodyFacts>();
  const ask = toolsOf(signal);
  const keyOf = ({ host, port }: TargetSubject) => `${host} ${port ?? ''}`;
  /** Somewhere else, and nothing came back of it: one address of each family of which none connects. */
  const silent = async (target: TargetSubject): Promise<Attempt[]> => {
    const { attempts } = await door.path(target);
    return ([6, 4] as const).flatMap((family) => {
      const own = attempts.filter((attempt) => attempt.family === family);
      if (own.some(({ outcome }) => outcome === 'connected')) return [];
      return own.filter((one) => one.outcome === 'silent' && isElsewhere(one)).slice(0, 1);
    });
  };
  return {
    pings: (target) =>
      oncePings(keyOf(target), async () => {
        const addresses = await silent(target);
        if (addresses.length === 0) return undefined;
        const at = new Date().toISOString();
        const answers = await Promise.all(addresses.map(({ address }) => ping(address, ask)));
        return { at, ...answered(answers, 'answers') };
      }),
    traces: (target) =>
      onceTraces(keyOf(target), async () => {
        const addresses = await silent(target);
        if (addresses.length === 0) return undefined;
        const at = new Date().toISOString();
        const traces = await Promise.all(addresses.map(({ address, port }) => trace(address, port, ask)));
        return { at, ...answered(traces, 'traces') };
      }),
    series: (target) =>
      onceSeries(keyOf(target), async () => {
        const { attempts } = await door.path(target);
        const open = attempts.filter((one) => one.outcome === 'connected' && isElsewhere(one));
        const late = open.filter(({ ms }) => ms >= LOST_MS);
        // What is late each time has lost nothing by chance, and is told of already.
        const known = late.length === 0 ? [] : await door.handshakes(target);
        const lateEachTime = new Set(
          known.filter((one) => fastestOf(one) >= LOST_MS).map(({ address }) => address),
        );
        const wanted = (door.soak ? open : late).filter(({ address }) => !lateEachTime.has(address));
        const chosen = ([6, 4] as const).flatMap((family) =>
          wanted.filter((one) => one.family === family).slice(0, 1),
        );
        const through = door.gate(target);
        const connect: TroubleDoor['connect'] = (...words) => through(() => door.connect(...words));
        return Promise.all(chosen.map((first) => seriesTo(first, { connect, signal })));
      }),
    nobody: (target) =>
      onceNobody(keyOf(target), async () => {
        const { attempts } = await door.path(target);
        const families = ([6, 4] as const).filter((family) =>
          attempts.some((one) => one.family === family && one.outcome === 'connected' && isElsewhere(one)),
        );
        return {
          at: new Date().toISOString(),
          attempts: await Promise.all(
            families.map((family) => door.connect(NOBODY[family], target.port ?? 0, NOBODY_LIMIT_MS)),
          ),
        };
      }),
  };
}

async function seriesTo(
  { address, family, port }: Attempt,
  { connect, signal }: Pick<TroubleDoor, 'connect' | 'signal'>,
): Promise<SeriesFact> {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  try {
    const attempts: Promise<Attempt>[] = [];
    while (attempts.length < SERIES) {
      const one = connect(address, port, SERIES_LIMIT_MS);
      // Awaited only when all are on their way: an abort meanwhile is nobody's to handle.
      one.catch(() => undefined);
      attempts.push(one);
      await sleep(SERIES_EVERY_MS, signal);
    }
    return {
      ...{ address, family },
      attempts: await Promise.all(attempts),
      heldUpMs: Math.round(delay.max / NS_PER_MS),
    };
  } finally {
    delay.disable();
  }
}

function answered<Key extends string, Fact>(
  facts: readonly (Fact | undefined)[],
  key: Key,
): { tool: boolean } & Record<Key, Fact[]> {
  const there = facts.filter((fact) => fact !== undefined);
  return { tool: there.length > 0, [key]: there } as { tool: boolean } & Record<Key, Fact[]>;
}

/** Our own addresses of loopback tell nothing of any way. */
function isElsewhere({ address, local }: Attempt): boolean {
  return !local && kindOf(address) !== 'loopback';
}

/** For targets that are looked at from elsewhere: from here nothing can be said of that way. */
export const NO_TROUBLE_PROBES: TroubleProbes = {
  pings: async () => undefined,
  traces: async () => undefined,
  series: async () => [],
  nobody: async () => ({ at: new Date().toISOString(), attempts: [] }),
};
