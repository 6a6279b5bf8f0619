import { AUTO, type Intent } from '../../../src/diagnostics/intent.ts';
import { catalogue } from '../../../src/diagnostics/catalogue.ts';
import type { Topic } from '../../../src/diagnostics/check.ts';
import type { HostAddress, HostFacts, SourceFact } from '../../../src/diagnostics/facts/host.ts';
import type { OtherEnd } from '../../../src/diagnostics/facts/both-ends.ts';
import type { HandshakesFact, LinkFact, RestFact } from '../../../src/diagnostics/facts/links.ts';
import type { ListenerFacts } from '../../../src/diagnostics/facts/listeners.ts';
import type { DnsReply, NameFacts } from '../../../src/diagnostics/facts/names.ts';
import type {
  Attempt,
  AuthenticationFact,
  PathFacts,
  PeerFact,
} from '../../../src/diagnostics/facts/paths.ts';
import type { DiskFact, DiskFacts } from '../../../src/diagnostics/facts/disks.ts';
import type { StoreFacts } from '../../../src/diagnostics/facts/store.ts';
import type { RunAsFacts } from '../../../src/diagnostics/facts/run-as.ts';
import type { Probes } from '../../../src/diagnostics/probes.ts';
import { systemProbes, type SystemFacts } from './recorded-system.ts';
import { ownProbes, type OwnFacts } from './recorded-own.ts';
import { troubleProbes, type TroubleFacts } from './recorded-trouble.ts';
import { wayProbes, type BetweenFacts } from './recorded-ways.ts';
import { makeReport, type Reported } from '../../../src/diagnostics/report.ts';
import { runChecks } from '../../../src/diagnostics/run.ts';
import {
  HOST,
  type ListenerSubject,
  type ProgramSubject,
  type Subject,
  type TargetSubject,
} from '../../../src/diagnostics/subject.ts';

/** Facts as they were seen, written down by hand; what a case does not mention is a healthy dual-stack host. */
export const AT = '2026-01-01T00:00:00.000Z';

export function address(text: string, more: Partial<HostAddress> = {}): HostAddress {
  const family = text.includes(':') ? 6 : 4;
  return { family, address: text, interface: 'eth0', kind: 'global', flags: [], ...more };
}

export function host(more: Partial<HostFacts> = {}): HostFacts {
  return {
    at: AT,
    hostname: 'here',
    ipv6InKernel: true,
    loopback6: null,
    addresses: [
      address('127.0.0.1', { kind: 'loopback', interface: 'lo' }),
      address('::1', { kind: 'loopback', interface: 'lo' }),
      address('11.0.0.2'),
      address('2a00:1::2'),
    ],
    defaultRoute: { 4: 'eth0', 6: 'eth0 via fe80::1' },
    disableIpv6: { all: false, default: false, lo: false, eth0: false },
    bindv6only: false,
    unprivilegedPort: 1024,
    mayBindLowPorts: false,
    inheritedSockets: false,
    nonlocalBind: { 4: false, 6: false },
    mtus: { eth0: 1500 },
    inside: [],
    ...more,
  };
}

export const noIpv6 = host({
  ipv6InKernel: false,
  loopback6: 'EADDRNOTAVAIL',
  addresses: [address('127.0.0.1', { kind: 'loopback' }), address('11.0.0.2')],
  defaultRoute: { 4: 'eth0', 6: null },
  disableIpv6: { all: true, default: true, lo: true, eth0: true },
});

export function reply(outcome: DnsReply['outcome'], addresses: string[] = [], ms = 3): DnsReply {
  return { outcome: addresses.length > 0 ? 'answer' : outcome, addresses, ms };
}

export function name(text: string, a: DnsReply, aaaa: DnsReply, more: Partial<NameFacts> = {}): NameFacts {
  const addresses = [...aaaa.addresses, ...a.addresses];
  return {
    at: AT,
    name: text,
    literal: null,
    localhost: false,
    servers: [{ server: '192.0.2.53', A: a, AAAA: aaaa }],
    lookup: { addresses, errno: addresses.length > 0 ? null : 'ENOTFOUND', ms: 4 },
    hosts: [],
    ownName: false,
    ...more,
  };
}

export function literal(text: string): NameFacts {
  const family = text.includes(':') ? 6 : 4;
  return {
    at: AT,
    name: text,
    literal: family,
    localhost: false,
    servers: [],
    lookup: null,
    hosts: [],
    ownName: false,
  };
}

export function tried(
  text: string,
  outcome: 'connected' | 'silent' | string,
  more: Partial<Attempt> = {},
): Attempt {
  const known = outcome === 'connected' || outcome === 'silent';
  return {
    address: text,
    family: text.includes(':') ? 6 : 4,
    port: 9989,
    outcome: known ? outcome : 'failed',
    errno: known ? null : outcome,
    local: false,
    ms: outcome === 'silent' ? 5_000 : 2,
    ...more,
  };
}

export function peer(text: string, more: Partial<PeerFact> = {}): PeerFact {
  return {
    address: text,
    family: text.includes(':') ? 6 : 4,
    kind: 'bbx',
    instance: 'sha256:a',
    tls: true,
    firstBytes: '',
    problem: null,
    code: null,
    version: '1',
    ms: 10,
    ...more,
  };
}

const SIZES = [1, 1_300, 4_096, 65_536];

/** Probes over one connection; `stalled` cuts them off there. */
export function link(
  text: string,
  more: Partial<LinkFact> = {},
  stalled?: { bytes: number; way: 'up' | 'down' },
): LinkFact {
  const bare = text.includes(':') ? `[${text}]` : text;
  const own = text.includes(':') ? '[2a00:1::2]:4711' : '11.0.0.2:4711';
  const sizes = SIZES.filter((bytes) => bytes <= (stalled?.bytes ?? Infinity)).map((bytes) => ({
    bytes,
    upMs: bytes === stalled?.bytes && stalled.way === 'up' ? null : 1,
    downMs: bytes === stalled?.bytes ? null : 1,
  }));
  return {
    address: text,
    family: text.includes(':') ? 6 : 4,
    localEnd: own,
    nonce: bare,
    able: true,
    series: {
      sizes,
      stalled: stalled === undefined ? null : { ...stalled, afterMs: 3_000 },
      seen: { nonce: bare, peer: own, bytes: 100 },
      rested: stalled === undefined ? { restMs: 250, upMs: 1, downMs: 1 } : null,
    },
    problem: null,
    ...more,
  };
}

export function target(text = 'ci.example:9989', more: Partial<TargetSubject> = {}): TargetSubject {
  const bare = text.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return {
    kind: 'target',
    text,
    host: bare,
    port: 9989,
    protocol: 'bbx',
    plane: 'worker',
    pins: [],
    source: 'worker.yaml',
    ...more,
  };
}

export function listener(text = '[::]:9989', more: Partial<ListenerSubject> = {}): ListenerSubject {
  const bare = text.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return {
    kind: 'listener',
    text,
    plane: 'worker',
    hosts: bare === 'localhost' ? ['::1', '127.0.0.1'] : [bare],
    port: Number(text.split(':').at(-1)),
    state: 'running',
    reach: [],
    pins: [],
    source: 'master.yaml',
    ...more,
  };
}

export function row(text: string, inode = '1', port = 9989) {
  return {
    family: text.includes(':') ? (6 as const) : (4 as const),
    address: text,
    port,
    inode,
    owner: 'node (pid 7)',
  };
}

export function heard(more: Partial<ListenerFacts> = {}): ListenerFacts {
  return {
    at: AT,
    rows: [row('::')],
    attempts: [tried('127.0.0.1', 'connected'), tried('::1', 'connected')],
    unaccepted: 0,
    free: [],
    binds: [],
    ...more,
  };
}

export function program(more: Partial<ProgramSubject> = {}): ProgramSubject {
  return {
    kind: 'program',
    role: 'worker',
    dir: '/farm/worker',
    shown: 'worker',
    running: true,
    runAs: null,
    parts: [{ name: 'spool', path: '/farm/worker/spool' }],
    store: null,
    ...more,
  };
}

export function disk(more: Partial<DiskFact> = {}): DiskFact {
  const GIB = 1 << 30;
  return {
    parts: ['spool'],
    path: '/farm/worker/spool',
    bytes: 100 * GIB,
    freeBytes: 50 * GIB,
    freeFiles: 9_999,
    ...more,
  };
}

export interface Case {
  host?: HostFacts;
  names?: NameFacts[];
  sources?: SourceFact[];
  subjects: Subject[];
  listener?: ListenerFacts;
  listenerPeers?: PeerFact[];
  attempts?: Attempt[];
  listensHere?: boolean | null;
  peers?: PeerFact[];
  authentication?: AuthenticationFact;
  links?: LinkFact[];
  otherEnd?: OtherEnd;
  rests?: RestFact[];
  handshakes?: HandshakesFact[];
  path?: PathFacts;
  closedPort?: Attempt[];
  runAs?: RunAsFacts;
  disks?: DiskFacts;
  store?: StoreFacts;
  system?: SystemFacts;
  between?: BetweenFacts;
  trouble?: TroubleFacts;
  own?: OwnFacts;
  intent?: Intent;
  topic?: Topic;
  /** These checks alone. */
  only?: readonly string[];
}

/** Runs the whole catalogue over recorded facts. */
export async function report(given: Case): Promise<Reported> {
  const healthy = given.attempts ?? [];
  const probes: Probes = {
    ...systemProbes(given),
    ...wayProbes(given),
    ...troubleProbes(given),
    ...ownProbes(given),
    host: async () => given.host ?? host(),
    name: async (text) => given.names?.find((one) => one.name === text) ?? literal(text),
    sources: async (addresses) =>
      given.sources ??
      addresses.map((one) => ({
        target: one,
        family: one.includes(':') ? 6 : 4,
        source: one.includes(':') ? '2a00:1::2' : '11.0.0.2',
        errno: null,
      })),
    listener: async () => given.listener ?? heard(),
    listenerPeers: async () => given.listenerPeers ?? [],
    path: async (): Promise<PathFacts> =>
      given.path ?? { at: AT, attempts: healthy, listensHere: given.listensHere ?? null },
    peers: async () =>
      given.peers ?? healthy.filter((one) => one.outcome === 'connected').map((one) => peer(one.address)),
    runAs: async () => given.runAs,
    disks: async () => given.disks ?? { at: AT, disks: [disk()], unseen: [] },
    store: async () => given.store,
    authenticate: async () => given.authentication,
    links: async () =>
      given.links ?? healthy.filter((one) => one.outcome === 'connected').map((one) => link(one.address)),
    otherEnd: async () => given.otherEnd,
    rests: async () => given.rests,
    handshakes: async () => given.handshakes ?? [],
    closedPort: async () => given.closedPort ?? [],
  };
  const context = {
    intent: given.intent ?? AUTO,
    subjects: [HOST, ...given.subjects],
    topic: given.topic,
    probes,
  };
  const checks = catalogue.filter(({ id }) => given.only?.includes(id) ?? true);
  const signal = new AbortController().signal;
  const outcomes = await runChecks({ checks, context, budgetMs: 5_000, signal });
  return makeReport({
    checks,
    outcomes,
    verdicts: [],
    vantage: 'here',
    host: given.host ?? host(),
    paths: [{ at: AT, attempts: healthy, listensHere: null }],
  });
}

/** Both families insisted on. */
export const BOTH: Intent = { families: [4, 6], insists: [4, 6], source: 'network.families of master.yaml' };
export const ONLY4: Intent = { families: [4], insists: [4], source: 'network.families of master.yaml' };
export const ONLY6: Intent = { families: [6], insists: [6], source: 'network.families of master.yaml' };
