import { hostname } from 'node:os';
import { kindOf } from '../../net/address-kind.ts';
import { printHop } from '../../net/endpoint/hop.ts';
import { familyOf } from '../../net/endpoint/host.ts';
import { tryAddress } from '../../net/try-address.ts';
import { usableAddresses, type HostFacts, type SourceFact } from '../facts/host.ts';
import { covers, type ListenerFacts } from '../facts/listeners.ts';
import { candidates, published, type NameFacts } from '../facts/names.ts';
import type { HandshakesFact, LinkFact, RestFact } from '../facts/links.ts';
import type { Attempt, AuthenticationFact, PathFacts, PeerFact } from '../facts/paths.ts';
import type { TlsFacts } from '../facts/tls.ts';
import type { WayFacts } from '../facts/ways.ts';
import { gate, once } from '../asking.ts';
import type { Probes } from '../probes.ts';
import type { ListenerSubject, TargetSubject } from '../subject.ts';
import type { ClockMark } from './clock-moves.ts';
import { readDisks } from './disks.ts';
import { readHost, readSources } from './host.ts';
import { readListener, readRows } from './listeners.ts';
import { readName } from './names.ts';
import { createLinkProbes } from './links.ts';
import { doorOf } from './peer-door.ts';
import { meetPeer } from './peers.ts';
import { readRunAs } from './run-as.ts';
import { readStore } from './store.ts';
import { createFarProbes } from './far.ts';
import { createOwnProbes } from './own.ts';
import { createSystemProbes } from './system.ts';
import { createTroubleProbes } from './trouble.ts';
import { createWayProbes } from './way-probes.ts';
import { askWhetherLetIn } from './worker-key.ts';

/** Connections to one target at a time. */
const PROBES_AT_A_TIME = 4;
/** A target with more addresses than this has the first of each family tried. */
const MOST_ADDRESSES = 16;

export interface ProbeOptions {
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
  software: string;
  /** One connection's own deadline. */
  connectMs: number;
  /** Seconds that connections are to rest (`--soak`). */
  rests?: readonly number[];
  /** Clocks when the call began. */
  began?: ClockMark | undefined;
}

/** The real probes, over `net` and `protocol`. */
export function createProbes(options: ProbeOptions): Probes & { readonly seen: SeenFacts } {
  const { signal, env, software, connectMs } = options;
  const seen: SeenFacts = {
    host: undefined,
    names: new Map(),
    sources: new Map(),
    paths: new Map(),
    peers: new Map(),
    authentications: new Map(),
    ways: new Map(),
    tls: new Map(),
    links: new Map(),
    rests: new Map(),
    handshakes: new Map(),
  };
  const onceHost = once<HostFacts>();
  const onceName = once<NameFacts>();
  const onceSources = once<readonly SourceFact[]>();
  const onceListener = once<ListenerFacts>();
  const oncePath = once<PathFacts>();
  const oncePeers = once<readonly PeerFact[]>();
  const onceAuthentication = once<AuthenticationFact | undefined>();
  const gates = new Map<string, ReturnType<typeof gate>>();
  const gateOf = (key: string) => {
    const known = gates.get(key) ?? gate(PROBES_AT_A_TIME);
    gates.set(key, known);
    return known;
  };
  const keyOf = ({ host, port, protocol, web, via = [] }: TargetSubject) =>
    `${host} ${port ?? ''} ${protocol} ${web?.path ?? ''} ${via.map(printHop).join(' ')}`;

  const connect = async (address: string, port: number, limitMs = connectMs): Promise<Attempt> => {
    const attempt = await tryAddress(address, port, { limitMs: Math.min(limitMs, connectMs), signal });
    return {
      address,
      family: familyOf(address) === 6 ? 6 : 4,
      port,
      outcome:
        attempt.result === 'connected' ? 'connected' : attempt.result === 'silent' ? 'silent' : 'failed',
      errno: attempt.errno ?? null,
      local: attempt.local,
      ms: Math.round(attempt.ms),
    };
  };

  const probes: Probes = {
    ...createSystemProbes({ signal, env, began: options.began }),
    ...createFarProbes({ signal, env, path: (target) => probes.path(target) }),
    ...createWayProbes({
      signal,
      env,
      connectMs,
      path: (target) => probes.path(target),
      name: (host) => probes.name(host),
      through: (target, work) => gateOf(keyOf(target))(work),
      onWay: (target, facts) => seen.ways.set(target.text, facts),
      onTls: (target, facts) => seen.tls.set(target.text, facts),
    }),
    ...createLinkProbes({
      signal,
      software,
      rests: options.rests ?? [],
      path: (target) => probes.path(target),
      connect,
      gate: (target) => gateOf(keyOf(target)),
      seen(target, links, rests) {
        seen.links.set(target.text, links);
        if (rests !== undefined) seen.rests.set(target.text, rests);
      },
      seenHandshakes: (target, handshakes) => seen.handshakes.set(target.text, handshakes),
    }),
    ...createOwnProbes({ signal, listener: (listener) => probes.listener(listener) }),
    ...createTroubleProbes({
      signal,
      soak: (options.rests ?? []).length > 0,
      handshakes: (target) => probes.handshakes(target),
      path: (target) => probes.path(target),
      connect,
      gate: (target) => gateOf(keyOf(target)),
    }),
    host: () =>
      onceHost('host', async () => {
        seen.host = await readHost(env);
        return seen.host;
      }),
    name: (host, server) =>
      onceName(`${host} ${server ?? ''}`, async () => {
        const facts = await readName(host, server, { signal });
        seen.names.set(host, facts);
        return facts;
      }),
    sources: (addresses) =>
      onceSources(addresses.join(' '), async () => {
        const facts = await readSources(addresses);
        for (const fact of facts) seen.sources.set(fact.target, fact);
        return facts;
      }),
    listener: (listener) =>
      onceListener(`${listener.text} ${listener.state}`, async () =>
        readListener(listener, { host: await probes.host(), connect: gateConnect(listener.text) }),
      ),
    listenerPeers: (listener: ListenerSubject) =>
      oncePeers(`listener ${listener.text}`, async () => {
        const facts = await probes.listener(listener);
        const open = facts.attempts.filter((attempt) => attempt.outcome === 'connected');
        const oneEach = ([4, 6] as const).flatMap((family) =>
          open.filter((attempt) => attempt.family === family).slice(0, 1),
        );
        return Promise.all(
          oneEach.map((attempt) => meetPeer(attempt.address, attempt.port, 'bbx', { software, signal })),
        );
      }),
    path: (target) =>
      oncePath(keyOf(target), async () => {
        const facts = await walk(target);
        seen.paths.set(target.text, facts);
        return facts;
      }),
    peers: (target) =>
      oncePeers(keyOf(target), async () => {
        const open = await placesOf(target);
        const through = gateOf(keyOf(target));
        const door = doorOf(target, { software, signal, env });
        const facts = await Promise.all(
          open.map(({ address, port }) => through(() => meetPeer(address, port, target.protocol, door))),
        );
        seen.peers.set(target.text, facts);
        return facts;
      }),
    // One check asks it, once a program.
    runAs: async ({ runAs, dir }) => (runAs === null ? undefined : readRunAs(runAs, dir)),
    disks: ({ parts }) => readDisks(parts),
    store: (program) => readStore(program, { env, signal }),
    authenticate: (target) =>
      onceAuthentication(keyOf(target), async () => {
        const peers = await probes.peers(target);
        const master = peers.find((peer) => peer.kind === 'bbx' && peer.instance !== null);
        if (master === undefined || target.workerDir === undefined || target.port === undefined)
          return undefined;
        const fact = await askWhetherLetIn(
          { dir: target.workerDir, name: target.workerName ?? '' },
          master.address,
          target.port,
          doorOf(target, { software, signal, env }),
        );
        if (fact !== undefined) seen.authentications.set(target.text, fact);
        return fact;
      }),
  };

  function gateConnect(key: string) {
    const through = gateOf(key);
    return (address: string, port: number) => through(() => connect(address, port));
  }

  /** Where somebody answers: addresses of this host's own finding, or, behind hops, the host as the last hop finds it. */
  async function placesOf(target: TargetSubject): Promise<readonly { address: string; port: number }[]> {
    if (target.via === undefined) {
      const { attempts } = await probes.path(target);
      return attempts.filter((attempt) => attempt.outcome === 'connected');
    }
    const { failure } = await probes.way(target);
    return failure === null ? [{ address: target.host, port: target.port ?? 0 }] : [];
  }

  async function walk(target: TargetSubject): Promise<PathFacts> {
    const at = new Date().toISOString();
    const { port } = target;
    if (port === undefined || target.stopped !== undefined) return { at, attempts: [], listensHere: null };
    const name = await probes.name(target.host, target.server);
    const addresses = addressesOf(name);
    const attempts = await Promise.all(addresses.map((address) => gateConnect(keyOf(target))(address, port)));
    const refused = attempts.length > 0 && attempts.every((attempt) => attempt.errno === 'ECONNREFUSED');
    return { at, attempts, listensHere: refused ? await listensHere(addresses, port) : null };
  }

  /** Whether something listens on this host for any of the addresses; null when one of them is not ours. */
  async function listensHere(addresses: readonly string[], port: number): Promise<boolean | null> {
    const host = await probes.host();
    const ours = new Set(
      [...usableAddresses(host, 4), ...usableAddresses(host, 6)].map((address) => address.address),
    );
    if (!addresses.every((address) => ours.has(address) || kindOf(address) === 'loopback')) return null;
    const rows = await readRows(port);
    if (rows === undefined) return null;
    return rows.some((row) =>
      addresses.some(
        (address) => covers(row, address) && (row.family === familyOf(address) || row.address === '::'),
      ),
    );
  }

  return Object.assign(probes, { seen });
}

/** What was answered in a run, for the verdicts; never asked again. */
export interface SeenFacts {
  host: HostFacts | undefined;
  readonly names: Map<string, NameFacts>;
  readonly sources: Map<string, SourceFact>;
  readonly paths: Map<string, PathFacts>;
  readonly peers: Map<string, readonly PeerFact[]>;
  readonly authentications: Map<string, AuthenticationFact>;
  readonly ways: Map<string, WayFacts>;
  readonly tls: Map<string, TlsFacts>;
  readonly links: Map<string, readonly LinkFact[]>;
  readonly rests: Map<string, readonly RestFact[]>;
  readonly handshakes: Map<string, readonly HandshakesFact[]>;
}

function addressesOf(name: NameFacts): string[] {
  const all = candidates(name);
  // What the lookup hides (AAAA on a host without IPv6, a family whose lookup failed) was published all the same.
  const hidden = name.hosts.length > 0 ? [] : [...published(name, 6), ...published(name, 4)];
  return [...new Set([...all, ...hidden])].slice(0, MOST_ADDRESSES);
}

/** This host's own name, for plans. */
export function ownName(): string {
  return hostname().toLowerCase();
}
