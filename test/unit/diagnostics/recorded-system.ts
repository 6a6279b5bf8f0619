import type { FarProbes } from '../../../src/diagnostics/doors/far.ts';
import type { SystemProbes } from '../../../src/diagnostics/doors/system.ts';
import type { ClockMoves } from '../../../src/diagnostics/facts/clock.ts';
import type { RoomFacts } from '../../../src/diagnostics/facts/room.ts';
import type { LimitFacts, ProcessFact } from '../../../src/diagnostics/facts/limits.ts';
import type {
  FilterAnswer,
  FilterFacts,
  FilterQuestion,
} from '../../../src/diagnostics/facts/packet-filter.ts';
import type { PolicyFacts } from '../../../src/diagnostics/facts/policy.ts';
import type {
  Completion,
  Nat64Facts,
  OrderFacts,
  ResolverFacts,
} from '../../../src/diagnostics/facts/resolver.ts';
import type { ReverseFact } from '../../../src/diagnostics/facts/reverse.ts';
import type { ServiceFacts } from '../../../src/diagnostics/facts/service.ts';
import type { ChatFact } from '../../../src/diagnostics/facts/chat.ts';
import type { MailFact, StatusFact } from '../../../src/diagnostics/facts/mail.ts';
import type {
  HostKeyFact,
  NestedFacts,
  Reached,
  RepositoryFact,
} from '../../../src/diagnostics/facts/sources.ts';
import { parseResolvConf } from '../../../src/net/dns/resolv-conf.ts';

const AT = '2026-01-01T00:00:00.000Z';

/** What a case says of the system's settings; the rest is a usual Debian. */
export interface SystemFacts {
  resolver?: ResolverFacts;
  policy?: PolicyFacts;
  nat64?: Nat64Facts;
  completions?: Completion[];
  order?: OrderFacts;
  /** By address; of the others DNS has a name that leads back. */
  reverse?: Record<string, Pick<ReverseFact, 'outcome' | 'names'>>;
  limits?: Partial<LimitFacts>;
  ownProcess?: ProcessFact;
  process?: ProcessFact;
  service?: Partial<ServiceFacts>;
  network?: string;
  /** What stops a first packet; else all pass. */
  filter?: (question: FilterQuestion) => Partial<FilterAnswer>;
  filterState?: FilterFacts['state'];
  filterUnread?: FilterFacts['unread'];
  room?: Partial<RoomFacts>;
  clockMoves?: Partial<ClockMoves>;
  repository?: Partial<RepositoryFact>;
  repositoryAt?: Partial<Record<4 | 6, Partial<RepositoryFact>>>;
  hostKeys?: HostKeyFact;
  /** What the master sees, where a worker tells of the rest. */
  hereReach?: Omit<Reached, 'text'>;
  nested?: NestedFacts;
  chat?: ChatFact[];
  mail?: MailFact[];
  status?: StatusFact[];
}

export function resolver(
  resolvConf: string | null = 'nameserver 192.0.2.53\n',
  nsswitch: string | null = 'files dns',
): ResolverFacts {
  return {
    at: AT,
    conf: resolvConf === null ? null : parseResolvConf(resolvConf),
    nsswitch: nsswitch?.match(/\[[^\]]*\]|[^\s[]+/g) ?? null,
  };
}

export function policy(more: Partial<PolicyFacts> = {}): PolicyFacts {
  return { at: AT, gai: [], prefersIpv4: false, node: [], ...more };
}

export const noTranslator: Nat64Facts = {
  at: AT,
  servers: [{ server: '192.0.2.53', addresses: [], prefixes: [] }],
};

export const translator: Nat64Facts = {
  at: AT,
  servers: [
    {
      server: '2a00:1::53',
      addresses: ['64:ff9b::c000:aa', '64:ff9b::c000:ab'],
      prefixes: [{ prefix: '64:ff9b::', bits: 96 }],
    },
  ],
};

export function running(more: Partial<ProcessFact> = {}): ProcessFact {
  return {
    where: 'this shell',
    pid: 7,
    fileLimit: 1_048_576,
    openFiles: 20,
    node: [],
    unit: null,
    ownUnit: false,
    ...more,
  };
}

export const limits: LimitFacts = {
  at: AT,
  ports: { from: 32_768, to: 60_999, listening: 3, busiest: { remote: '192.0.2.1:443', count: 4 } },
  flows: null,
  flowSeconds: null,
  somaxconn: 4_096,
  retries: 15,
};

const noService: ServiceFacts = {
  at: AT,
  state: 'none',
  unit: '',
  own: false,
  properties: {},
  owner: null,
  runner: null,
};

/** Doors that answer as the case says. */
export function systemProbes({ system = {} }: { system?: SystemFacts }): SystemProbes & FarProbes {
  return {
    resolver: async () => system.resolver ?? resolver(),
    policy: async () => system.policy ?? policy(),
    nat64: async () => system.nat64 ?? noTranslator,
    completions: async () => system.completions ?? [],
    limits: async () => ({ ...limits, ...system.limits }),
    ownProcess: async () => system.ownProcess ?? running(),
    process: async () => system.process,
    service: async () => ({ ...noService, ...system.service }),
    repository: async () => ({ at: AT, outcome: 'ok', reason: null, ms: 90, ...system.repository }),
    repositoryAt: async (_source, address) => ({
      ...{ at: AT, outcome: 'ok', reason: null, ms: 90 },
      ...system.repository,
      ...system.repositoryAt?.[address.includes(':') ? 6 : 4],
    }),
    hostKeys: async () => system.hostKeys,
    hereReach: async ({ host }) =>
      system.hereReach === undefined || host === null ? undefined : { text: host, ...system.hereReach },
    nested: async () => system.nested ?? { at: AT, copy: null, parts: [] },
    chat: async () => ({ at: AT, addresses: system.chat ?? [] }),
    mail: async () => ({ at: AT, addresses: system.mail ?? [] }),
    status: async () => ({ at: AT, addresses: system.status ?? [] }),
    room: async (where) => ({ at: AT, where, memory: null, tasks: null, killed: null, ...system.room }),
    clockMoves: async () => ({
      ...{ at: AT, watched: 0.1, jumped: 0, slept: 0, sleptInAll: 0 },
      ...system.clockMoves,
    }),
    packetFilter: async (questions) => ({
      at: AT,
      state: system.filterState ?? 'read',
      unread: system.filterUnread ?? [],
      answers: questions.map((question) => ({
        ...question,
        fate: 'open',
        by: null,
        ...system.filter?.(question),
      })),
    }),
    network: async () => ({ at: AT, own: 'net:[1]', program: system.network ?? 'net:[1]' }),
    reverse: async (address) => ({
      at: AT,
      address,
      family: address.includes(':') ? 6 : 4,
      ...{ outcome: 'names', names: [{ name: 'host.example', addresses: [address] }] },
      ...system.reverse?.[address],
    }),
    order: async () => system.order ?? { at: AT, addresses: [], errno: 'ENOTFOUND', ms: 3 },
  };
}
