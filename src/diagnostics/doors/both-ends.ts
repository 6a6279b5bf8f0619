import * as z from 'zod';
import type { PathObject } from '../../api/path.ts';
import { familyOf } from '../../net/endpoint/host.ts';
import { dialledWay, type DialledAddress, type DialledWay } from '../../protocol/bbx/dial-facts.ts';
import type { BothEnds, Reception } from '../facts/both-ends.ts';
import type { LinkFact } from '../facts/links.ts';
import type { NameFacts } from '../facts/names.ts';
import type { PeerFact } from '../facts/paths.ts';
import type { Probes } from '../probes.ts';
import type { TargetSubject } from '../subject.ts';
import { NO_TROUBLE_PROBES } from './trouble.ts';
import type { SeenFacts } from './probes.ts';

/** A master's answer about a worker, as facts about each of the worker's ways. Behind hops nothing was tried, and that is said. */
export function readBothEnds(answer: PathObject): BothEnds[] {
  const at = new Date(answer.at * 1_000).toISOString();
  const ways = z.array(dialledWay).parse(answer.ways);
  return ways.map((way) => readWay(way, answer, at));
}

function readWay(way: DialledWay, answer: PathObject, at: string): BothEnds {
  const { host, port, addresses } = way;
  const target: TargetSubject = {
    kind: 'target',
    text: way.target,
    host,
    port,
    protocol: 'bbx',
    plane: 'worker',
    pins: [],
    vantage: `worker:${answer.worker}`,
    workerName: answer.worker,
    source: `worker ${answer.worker}`,
  };
  const attempts = addresses.map(({ met: _, ...attempt }) => attempt);
  return {
    target,
    name: toldName(way, at),
    path: {
      ...{ at, attempts, listensHere: null },
      ...(way.behindHops
        ? {
            untried: `worker ${answer.worker} goes there through hops or by WebSocket, which from here it cannot be asked to try`,
          }
        : {}),
    },
    peers: addresses.flatMap(peerOf),
    links: addresses.flatMap((one) => linkOf(one, answer)),
    other: {
      worker: answer.worker,
      receptions: addresses.map(({ address }) => receptionAt(address, answer)),
    },
  };
}

/** What a worker's system gave for a name. */
export function toldName({ host, lookups, behindHops }: DialledWay, at: string): NameFacts {
  const family = familyOf(host);
  const addresses = lookups.flatMap((lookup) => lookup.addresses);
  const errno = lookups.find((lookup) => lookup.errno !== null)?.errno ?? null;
  const ms = Math.round(Math.max(0, ...lookups.map((lookup) => lookup.ms)));
  return {
    at,
    name: host,
    literal: family === 0 ? null : family,
    localhost: host === 'localhost',
    servers: [],
    lookup: family === 0 ? { addresses, errno: addresses.length > 0 ? null : errno, ms } : null,
    hosts: [],
    ownName: false,
    ...(behindHops ? { untold: true } : {}),
  };
}

function peerOf({ address, family, met }: DialledAddress): PeerFact[] {
  if (met === null) return [];
  const { instance, tls, code, problem, ms } = met;
  // No time left says nothing of the peer.
  const silent = !tls || code === 'BBX-NET-TIME' || code === null;
  const kind = instance !== null ? 'bbx' : code === 'BBX-NET-PIN' ? 'tls' : silent ? 'silent' : 'closed';
  return [{ address, family, kind, instance, tls, firstBytes: '', problem, code, version: null, ms }];
}

function linkOf({ address, family, met }: DialledAddress, { arrivals }: PathObject): LinkFact[] {
  if (met === null) return [];
  const { nonce, localEnd, series, problem } = met;
  const own = arrivals.find((arrival) => nonce !== null && arrival.nonce === nonce);
  // The master's own record counts, not what came back over the connection itself.
  const seen = own === undefined ? null : { nonce: own.nonce ?? '', peer: own.peer, bytes: 0 };
  const joined = series === null ? null : { ...series, seen: seen ?? series.seen };
  return [
    {
      ...{ address, family, nonce, series: joined, problem },
      localEnd: localEnd === '' ? null : localEnd,
      able: nonce === null ? null : series !== null || problem !== null,
    },
  ];
}

/** What the master saw for one address of its own. Behind a translator it sees another, and so nothing for this one. */
function receptionAt(address: string, { arrivals, half_open, bound }: PathObject): Reception {
  const at = (end: string) => hostOf(end) === address.replace(/%.*/, '');
  return {
    address,
    accepted: arrivals.filter(({ local }) => at(local)).map(({ peer }) => peer),
    halfOpen: half_open === null ? null : half_open.filter(({ local }) => at(local)).map(({ peer }) => peer),
    bound: bound.some((end) =>
      ['::', address, ...(familyOf(address) === 4 ? ['0.0.0.0'] : [])].includes(hostOf(end)),
    ),
  };
}

/** `[2001:db8::1%eth0]:4711` → `2001:db8::1`. */
function hostOf(end: string): string {
  return end
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .replace(/%.*/, '');
}

/** Answers for what a worker has tried with what it told, in the place of this host's own tries. */
export function answerForWorker(
  probes: Probes & { readonly seen: SeenFacts },
  ends: readonly BothEnds[],
): void {
  const { seen } = probes;
  const of = (target: TargetSubject) => ends.find((one) => one.target === target);
  for (const { target, name, path, peers, links } of ends) {
    seen.names.set(target.host, name);
    seen.paths.set(target.text, path);
    seen.peers.set(target.text, peers);
    seen.links.set(target.text, links);
  }
  const own = { ...probes };
  Object.assign(probes, {
    name: async (host: string, server?: string) =>
      ends.find(({ target }) => target.host === host)?.name ?? own.name(host, server),
    path: async (target: TargetSubject) => of(target)?.path ?? own.path(target),
    peers: async (target: TargetSubject) => of(target)?.peers ?? own.peers(target),
    links: async (target: TargetSubject) => of(target)?.links ?? own.links(target),
    handshakes: async (target: TargetSubject) => (of(target) === undefined ? own.handshakes(target) : []),
    closedPort: async (target: TargetSubject) => (of(target) === undefined ? own.closedPort(target) : []),
    ...NO_TROUBLE_PROBES,
    rests: async (target: TargetSubject) => (of(target) === undefined ? own.rests(target) : undefined),
    authenticate: async (target: TargetSubject) =>
      of(target) === undefined ? own.authenticate(target) : undefined,
    otherEnd: async (target: TargetSubject) => of(target)?.other,
  } satisfies Partial<Probes>);
}
