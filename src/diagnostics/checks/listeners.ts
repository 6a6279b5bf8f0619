import { kindOf } from '../../net/address-kind.ts';
import { familyOf, printHost, printHostPort } from '../../net/endpoint/host.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type Draft,
  type Judgement,
  type JudgeContext,
} from '../check.ts';
import { demandsOf, targetAddresses, type Demand } from '../demand.ts';
import { attemptEvidence, evidence, peerEvidence } from '../evidence.ts';
import { hasIpv4, hasIpv6, type HostFacts } from '../facts/host.ts';
import { covers, type ListenerFacts, type ListenRow } from '../facts/listeners.ts';
import type { PeerFact } from '../facts/paths.ts';
import { insistsOn, leavesOut, type Family } from '../intent.ts';
import type { ListenerSubject } from '../subject.ts';
import { refusesIpv4 } from './host.ts';

const topics = ['listen', 'ipv6'] as const;

const gather = (context: CheckContext, listener: ListenerSubject) => context.probes.listener(listener);

/** Families that the listener, as written, is meant to take. */
export function wantedFamilies(listener: ListenerSubject): Family[] {
  const families = listener.hosts.flatMap((host): Family[] => {
    if (host === '::') return [6, 4];
    const family = familyOf(host);
    return family === 0 ? [] : [family];
  });
  return [...new Set(families)];
}

function rowText(row: ListenRow): string {
  return `${printHostPort(row.address, row.port)}${row.owner === null ? '' : ` by ${row.owner}`}`;
}

function rowsEvidence(facts: ListenerFacts, port: number) {
  const rows = facts.rows ?? [];
  return [
    evidence(
      'proc',
      `listeners on port ${port}`,
      rows.length === 0 ? 'none' : rows.map(rowText).join(', '),
      facts.at,
    ),
  ];
}

const unreadable = (facts: ListenerFacts, listener: ListenerSubject): Judgement =>
  found({
    status: 'unknown',
    title: `Who listens on port ${listener.port} could not be read from the kernel`,
    evidence: [evidence('proc', '/proc/net/tcp', 'not readable', facts.at)],
  });

export const lsn01 = defineCheck<'listener', ListenerFacts>({
  id: 'LSN-01',
  title: 'the listener is there',
  about: 'listener',
  topics,
  needs: [],
  gather,
  judge: (facts, listener) => judgePresence(facts, listener),
});

export function judgePresence(facts: ListenerFacts, listener: ListenerSubject): Judgement {
  if (listener.state === 'stopped') return skip('its master does not run');
  if (facts.rows === undefined) return unreadable(facts, listener);
  if (facts.rows.length > 0) {
    const here = facts.rows.some((row) => listener.hosts.some((host) => covers(row, host)));
    if (here || listener.state === 'given') return nothing;
  }
  if (listener.state === 'given') {
    return found({
      status: 'info',
      title: `Nothing listens on ${listener.text} now`,
      evidence: rowsEvidence(facts, listener.port),
    });
  }
  return found({
    status: 'error',
    title: `The master runs, but nothing listens on ${listener.text}`,
    evidence: [
      ...rowsEvidence(facts, listener.port),
      evidence('file', listener.source, listener.text, facts.at),
    ],
    fix: [{ text: 'Apply the configuration, or start the master again', commands: ['bbx config apply'] }],
  });
}

interface FamilyQuestion {
  readonly facts: ListenerFacts;
  readonly host: HostFacts;
  readonly demands: readonly Demand[];
}

export const lsn02 = defineCheck<
  'listener',
  Omit<FamilyQuestion, 'demands'> & { targets: Awaited<ReturnType<typeof targetAddresses>> }
>({
  id: 'LSN-02',
  title: 'which families it takes',
  about: 'listener',
  topics,
  needs: ['LSN-01'],
  causes: ['HST-01', 'LSN-03', 'HST-06'],
  async gather(context, listener) {
    const [facts, host, targets] = await Promise.all([
      context.probes.listener(listener),
      context.probes.host(),
      targetAddresses(context),
    ]);
    return { facts, host, targets };
  },
  judge: ({ facts, host, targets }, listener, context) =>
    judgeFamiliesTaken({ facts, host, demands: demandsOf(context, targets) }, listener, context),
});

export function judgeFamiliesTaken(
  { facts, host, demands }: FamilyQuestion,
  listener: ListenerSubject,
  context: JudgeContext,
): Judgement {
  if (listener.state === 'stopped') return skip('its master does not run');
  if ((facts.rows ?? []).length === 0) return skip('nothing listens there');
  const wanted = new Set(wantedFamilies(listener));
  const drafts: Draft[] = [];
  for (const family of [6, 4] as const) {
    if (leavesOut(context.intent, family) || !(family === 6 ? hasIpv6(host) : hasIpv4(host))) continue;
    const tries = facts.attempts.filter((attempt) => attempt.family === family);
    if (tries.length === 0 || tries.some((attempt) => attempt.outcome === 'connected')) continue;
    const asked = wanted.has(family);
    const needed =
      insistsOn(context.intent, family) ||
      demands.some((demand) => demand.family === family && demand.why.includes(`:${listener.port} `));
    // Of `localhost` one loopback address is enough for those on this host.
    if (!asked && !needed) continue;
    const other = family === 6 ? 4 : 6;
    drafts.push({
      status: 'error',
      title: `Port ${listener.port} takes IPv${other} alone: connections over IPv${family} are refused`,
      evidence: [
        ...rowsEvidence(facts, listener.port),
        ...tries.map((attempt) => attemptEvidence(attempt, facts.at)),
      ],
      fix: [
        {
          text: `Listen on both families: [::]:${listener.port}${asked ? ', and start the program again' : ''} (stock Buildbot: "tcp:${listener.port}:interface=\\\\:\\\\:")`,
          ...(listener.state === 'running' && !asked
            ? {
                commands: [
                  `bbx config set listen.${listener.plane === 'web' ? 'web' : 'workers'} '[::]:${listener.port}'`,
                ],
              }
            : {}),
        },
      ],
    });
  }
  return found(...drafts);
}

export const lsn03 = defineCheck<'listener', ListenerFacts>({
  id: 'LSN-03',
  title: '[::] takes IPv4 as well',
  about: 'listener',
  topics,
  needs: ['LSN-01'],
  causes: ['HST-06'],
  gather,
  judge: (facts, listener, context) => judgeV6Only(facts, listener, context),
});

export function judgeV6Only(
  facts: ListenerFacts,
  listener: ListenerSubject,
  context: JudgeContext,
): Judgement {
  if (listener.state === 'stopped') return skip('its master does not run');
  if (!(facts.rows ?? []).some((row) => row.address === '::')) return skip('nothing listens on [::]');
  if (leavesOut(context.intent, 4) || !refusesIpv4(facts)) return nothing;
  return found({
    status: 'warn',
    title: `[::]:${listener.port} takes IPv6 alone: its socket has IPV6_V6ONLY set`,
    evidence: [
      ...rowsEvidence(facts, listener.port),
      ...facts.attempts.map((attempt) => attemptEvidence(attempt, facts.at)),
    ],
    fix: [
      {
        text: 'Let it accept both (Node: ipv6Only false; systemd: BindIPv6Only=both), or add a listener on 0.0.0.0',
      },
    ],
  });
}

export const lsn04 = defineCheck<'listener', ListenerFacts>({
  id: 'LSN-04',
  title: 'the port is free before a start',
  about: 'listener',
  topics,
  needs: [],
  causes: ['LSN-02', 'LSN-03'],
  gather,
  judge: (facts, listener, context) => judgeFree(facts, listener, context),
});

export function judgeFree(facts: ListenerFacts, listener: ListenerSubject, context: JudgeContext): Judgement {
  if (listener.state === 'running') return skip('its master runs');
  if (listener.port === 0) return skip('the system chooses the port');
  const held = facts.binds.filter((bind) => bind.errno === 'EADDRINUSE');
  if (held.length === 0) return nothing;
  const got = [
    ...held.map((bind) =>
      evidence('connect', `bind ${printHostPort(bind.address, listener.port)}`, 'EADDRINUSE', facts.at),
    ),
    ...rowsEvidence(facts, listener.port),
  ];
  const holders = (facts.rows ?? []).map(rowText).join(', ') || 'a program that this user cannot see';
  if (listener.state === 'given') {
    // Who names a listener that is up wants to know how it does; under `listen` perhaps also whether a master could start there.
    if (context.topic !== 'listen') return nothing;
    return found({
      status: 'warn',
      title: `${listener.text} is in use: ${holders}`,
      evidence: got,
      fix: [
        {
          text: 'If that is not the program you mean: stop it, or choose another port',
          commands: [`ss -ltnp sport = :${listener.port}`],
        },
      ],
    });
  }
  return found({
    status: 'error',
    title: `The master cannot listen on ${listener.text}: the port is held by ${holders}`,
    evidence: got,
    fix: [
      {
        text: 'Stop that program, or choose another port',
        commands: [
          `ss -ltnp sport = :${listener.port}`,
          `bbx config set listen.${listener.plane === 'web' ? 'web' : 'workers'} '${printHost(listener.hosts[0] ?? '::')}:${listener.port + 1}'`,
        ],
      },
    ],
  });
}

export const lsn05 = defineCheck<'listener', { facts: ListenerFacts; host: HostFacts }>({
  id: 'LSN-05',
  title: 'the privilege for a low port',
  about: 'listener',
  topics,
  needs: [],
  async gather(context, listener) {
    const [facts, host] = await Promise.all([context.probes.listener(listener), context.probes.host()]);
    return { facts, host };
  },
  judge: ({ facts, host }, listener) => judgePrivilege(facts, host, listener),
});

export function judgePrivilege(facts: ListenerFacts, host: HostFacts, listener: ListenerSubject): Judgement {
  const first = host.unprivilegedPort ?? 1024;
  if (listener.port === 0 || listener.port >= first) return nothing;
  if (listener.state === 'running' || (listener.state === 'given' && (facts.rows ?? []).length > 0))
    return skip('it is bound already');
  const refused = facts.binds.some((bind) => bind.errno === 'EACCES' || bind.errno === 'EPERM');
  if (host.mayBindLowPorts && !refused) return nothing;
  if (!refused && facts.binds.length > 0) return nothing;
  return found({
    status: 'error',
    title: `Port ${listener.port} is below ${first}: this user may not listen there`,
    evidence: [
      evidence('proc', 'net.ipv4.ip_unprivileged_port_start', String(first), facts.at),
      ...facts.binds.map((bind) =>
        evidence(
          'connect',
          `bind ${printHostPort(bind.address, listener.port)}`,
          bind.errno ?? 'works',
          facts.at,
        ),
      ),
    ],
    fix: [
      { text: `Choose a port of ${first} or above, or let a proxy or a systemd socket have the low one` },
      {
        text: 'Or allow it on this host',
        commands: [`sudo sysctl net.ipv4.ip_unprivileged_port_start=${listener.port}`],
      },
    ],
  });
}

export const lsn06 = defineCheck<'listener', { facts: ListenerFacts; host: HostFacts }>({
  id: 'LSN-06',
  title: "the address is this host's own",
  about: 'listener',
  topics,
  needs: [],
  causes: ['HST-01', 'HST-02', 'HST-05'],
  async gather(context, listener) {
    const [facts, host] = await Promise.all([context.probes.listener(listener), context.probes.host()]);
    return { facts, host };
  },
  judge: ({ facts, host }, listener) => judgeOwn(facts, host, listener),
});

export function judgeOwn(facts: ListenerFacts, host: HostFacts, listener: ListenerSubject): Judgement {
  const foreign = facts.binds.filter((bind) => bind.errno === 'EADDRNOTAVAIL' || bind.errno === 'EINVAL');
  // `localhost` is whichever loopback addresses there are.
  const fatal =
    foreign.length > 0 && (listener.hosts.length === 1 || foreign.length === listener.hosts.length);
  if (!fatal) return nothing;
  const own = host.addresses
    .filter((address) => !address.flags.includes('dadfailed'))
    .map((address) => address.address);
  return found({
    status: 'error',
    title: `${foreign.map((bind) => bind.address).join(', ')} is not an address of this host`,
    evidence: [
      ...foreign.map((bind) =>
        evidence('connect', `bind ${printHostPort(bind.address, listener.port)}`, bind.errno ?? '', facts.at),
      ),
      evidence('proc', 'addresses of this host', own.join(', ') || 'none', facts.at),
    ],
    fix: [
      {
        text: `Listen on [::]:${listener.port}, or on an address of the list above`,
        commands: ['ip address show'],
      },
    ],
  });
}

export const lsn07 = defineCheck<'listener', { facts: ListenerFacts; peers: readonly PeerFact[] }>({
  id: 'LSN-07',
  title: 'one program for both families',
  about: 'listener',
  topics,
  needs: ['LSN-01'],
  async gather(context, listener) {
    const facts = await context.probes.listener(listener);
    const rows = facts.rows ?? [];
    // One socket cannot be two programs; only two are asked who they are.
    const both = rows.some((row) => row.family === 4) && rows.some((row) => row.family === 6);
    const peers = both && listener.state !== 'stopped' ? await context.probes.listenerPeers(listener) : [];
    return { facts, peers };
  },
  judge: ({ facts, peers }, listener) => judgeSplit(facts, peers, listener),
});

export function judgeSplit(
  facts: ListenerFacts,
  peers: readonly PeerFact[],
  listener: ListenerSubject,
): Judgement {
  const identities = peers.filter((peer) => peer.kind !== 'closed');
  const nameOfPeer = (peer: PeerFact) => (peer.kind === 'bbx' ? `bbx ${peer.instance ?? ''}` : peer.kind);
  const four = identities.find((peer) => peer.family === 4);
  const six = identities.find((peer) => peer.family === 6);
  if (four === undefined || six === undefined || nameOfPeer(four) === nameOfPeer(six)) return nothing;
  return found({
    status: 'error',
    title: `Two different programs answer on port ${listener.port}: IPv4 ${nameOfPeer(four)}, IPv6 ${nameOfPeer(six)}`,
    evidence: [
      ...rowsEvidence(facts, listener.port),
      ...identities.map((peer) => peerEvidence(peer, listener.port, facts.at)),
    ],
    fix: [
      {
        text: 'Stop one of them, and let the other listen on [::]',
        commands: [`ss -ltnp sport = :${listener.port}`],
      },
    ],
  });
}

export const lsn08 = defineCheck<'listener', { at: string }>({
  id: 'LSN-08',
  title: 'reachable by workers of other hosts',
  about: 'listener',
  topics,
  needs: [],
  async gather(context) {
    return { at: (await context.probes.host()).at };
  },
  judge: ({ at }, listener) => judgeRemote(at, listener),
});

export function judgeRemote(at: string, listener: ListenerSubject): Judgement {
  if (listener.plane !== 'worker') return skip('no worker connects there');
  const loopback = listener.hosts.every((host) => kindOf(host) === 'loopback');
  if (!loopback) return nothing;
  const remote = listener.reach.filter((reach) => !isLocal(reach));
  if (remote.length === 0) return nothing;
  return found({
    status: 'error',
    title: `Workers are told to come to ${remote.join(', ')}, but ${listener.text} listens on loopback alone`,
    evidence: [
      evidence('file', `${listener.source} listen`, listener.text, at),
      evidence('file', `${listener.source} reach`, listener.reach.join(', '), at),
    ],
    fix: [
      {
        text: 'Listen on every address',
        commands: [`bbx config set listen.workers '[::]:${listener.port}'`],
      },
      {
        text: `Or, where workers come through a tunnel, name its end on their side: reach: ["localhost:${listener.port}"]`,
      },
    ],
  });
}

/** `reach` says a place of this host by its very text. */
function isLocal(reach: string): boolean {
  const host = reach.replace(/^\[([^\]]*)\].*$/, '$1').replace(/^([^:]*):\d+$/, '$1');
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    kindOf(host) === 'loopback' ||
    reach.startsWith('unix:')
  );
}

export const listenerChecks = [lsn01, lsn02, lsn03, lsn04, lsn05, lsn06, lsn07, lsn08];
