import type { Evidence } from '../../api/doctor.ts';
import { kindOf } from '../../net/address-kind.ts';
import { familyOf } from '../../net/endpoint/host.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type Draft,
  type Judgement,
  type JudgeContext,
} from '../check.ts';
import { demandsOf, isBeyond, targetAddresses, type Demand, type TargetAddresses } from '../demand.ts';
import { evidence } from '../evidence.ts';
import { hasIpv4, hasIpv6, usableAddresses, type HostFacts, type SourceFact } from '../facts/host.ts';
import type { ListenerFacts } from '../facts/listeners.ts';
import { insistsOn, leavesOut } from '../intent.ts';

/** The facts of the host, with what the plan wants of it. */
export interface HostQuestion {
  readonly host: HostFacts;
  readonly targets: readonly TargetAddresses[];
}

const all = ['ipv6', 'reach'] as const;

export const hst01 = defineCheck<'host', HostQuestion>({
  id: 'HST-01',
  title: 'IPv6 in the kernel and on loopback',
  about: 'host',
  topics: ['ipv6', 'reach', 'listen'],
  needs: [],
  async gather(context) {
    const [host, targets] = await Promise.all([context.probes.host(), targetAddresses(context)]);
    return { host, targets };
  },
  judge: ({ host, targets }, _subject, context) => judgeKernel(host, demandsOf(context, targets), context),
});

export function judgeKernel(host: HostFacts, demands: readonly Demand[], context: JudgeContext): Judgement {
  if (hasIpv6(host) || leavesOut(context.intent, 6)) return nothing;
  const off = host.disableIpv6?.['all'] === true;
  const wanted = demands.filter((demand) => demand.family === 6);
  const got = [
    evidence(
      'proc',
      '/proc/net/if_inet6',
      host.ipv6InKernel === false ? 'absent or empty' : 'has addresses',
      host.at,
    ),
    evidence('connect', 'bind [::1]:0', host.loopback6 ?? 'works', host.at),
    ...(off ? [evidence('proc', 'net.ipv6.conf.all.disable_ipv6', '1', host.at)] : []),
    ...whyWanted(wanted, host.at),
  ];
  if (wanted.length === 0) {
    return found({
      status: 'info',
      title: 'This host has no IPv6; nothing in the plan needs it',
      evidence: got,
    });
  }
  return found({
    status: 'error',
    title: `IPv6 is ${off ? 'switched off' : 'not available'} on this host, and is needed`,
    evidence: got,
    fix: [
      {
        text: off
          ? 'Switch IPv6 on, and remove the line that switches it off from /etc/sysctl.conf or /etc/sysctl.d'
          : 'Start the kernel without ipv6.disable=1; in a container, let its network have IPv6',
        ...(off
          ? {
              commands: [
                'sudo sysctl net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0',
              ],
            }
          : {}),
      },
    ],
  });
}

export const hst02 = defineCheck<'host', HostQuestion>({
  id: 'HST-02',
  title: 'a usable IPv6 address',
  about: 'host',
  topics: ['ipv6', 'reach', 'listen'],
  needs: ['HST-01'],
  causes: ['HST-01', 'HST-05'],
  gather: hst01Gather,
  judge: ({ host, targets }, _subject, context) =>
    judgeAddresses(host, demandsOf(context, targets), targets, context),
});

async function hst01Gather(context: Parameters<typeof hst01.run>[0]): Promise<HostQuestion> {
  const [host, targets] = await Promise.all([context.probes.host(), targetAddresses(context)]);
  return { host, targets };
}

export function judgeAddresses(
  host: HostFacts,
  demands: readonly Demand[],
  targets: readonly TargetAddresses[],
  context: JudgeContext,
): Judgement {
  if (leavesOut(context.intent, 6)) return skip('IPv6 is not meant here');
  if (!hasIpv6(host)) return skip('HST-01');
  const bound = new Set(
    context.subjects.flatMap((subject) => (subject.kind === 'listener' ? subject.hosts : [])),
  );
  const drafts: Draft[] = [];
  const at = host.at;
  for (const address of host.addresses) {
    if (address.family !== 6 || address.flags.length === 0) continue;
    const what = evidence('proc', `${address.address} on ${address.interface}`, address.flags.join(', '), at);
    const isBound = bound.has(address.address);
    if (address.flags.includes('dadfailed')) {
      drafts.push({
        status: isBound ? 'error' : 'warn',
        title: `${address.address} is unusable: another host on ${address.interface} has the same address`,
        evidence: [what],
        fix: [
          {
            text: 'Give one of the two hosts another address; then remove and add this one',
            commands: [`sudo ip -6 addr del ${address.address} dev ${address.interface}`],
          },
        ],
      });
    } else if (isBound && (address.flags.includes('tentative') || address.flags.includes('deprecated'))) {
      drafts.push({
        status: 'warn',
        title: `${address.address} is ${address.flags.join(' and ')}, and a listener is bound to it`,
        evidence: [what],
        fix: [{ text: 'Bind [::] or an address that stays' }],
      });
    }
  }
  const usable = usableAddresses(host, 6);
  const beyond = demands.filter((demand) => demand.family === 6 && demand.beyond);
  const list = [
    evidence(
      'proc',
      'IPv6 addresses beyond loopback and link-local',
      usable.length === 0
        ? 'none'
        : usable.map((address) => `${address.address} (${address.interface})`).join(', '),
      at,
    ),
  ];
  if (drafts.length > 0) return found(...drafts);
  if (usable.length === 0) {
    if (beyond.length === 0) {
      return found({
        status: 'info',
        title: 'No IPv6 address but loopback and link-local; nothing in the plan needs one',
        evidence: list,
      });
    }
    return found({
      status: 'error',
      title: 'This host has no IPv6 address that others could answer to',
      evidence: [...list, ...whyWanted(beyond, at)],
      fix: [
        {
          text: 'Give the host an IPv6 address: router advertisement, DHCPv6, or a static one',
          commands: ['ip -6 address show', 'ip -6 route show'],
        },
      ],
    });
  }
  const farther = targets
    .flatMap((target) => target.addresses)
    .filter((address) => familyOf(address) === 6 && kindOf(address) === 'global');
  if (farther.length > 0 && beyond.length > 0 && usable.every((address) => address.kind === 'ula')) {
    return found({
      status: 'warn',
      title:
        'This host has only unique local IPv6 addresses (fc00::/7), and a target is on the public internet',
      confidence: 'likely',
      evidence: [...list, evidence('dns', 'public IPv6 addresses of targets', farther.join(', '), at)],
      fix: [{ text: 'Add a global address, or reach the target by one that is local to the site' }],
    });
  }
  return nothing;
}

export const hst03 = defineCheck<'host', HostQuestion>({
  id: 'HST-03',
  title: 'an IPv6 default route',
  about: 'host',
  topics: all,
  needs: ['HST-01'],
  causes: ['HST-01', 'HST-02', 'HST-05'],
  gather: async (context) => {
    const question = await hst01Gather(context);
    const sources = await context.probes.sources(
      question.targets.flatMap((target) => target.addresses).filter((address) => familyOf(address) === 6),
    );
    return { ...question, sources };
  },
  judge: (facts, _subject, context) =>
    judgeRoute6(
      facts.host,
      demandsOf(context, facts.targets),
      (facts as HostQuestion & { sources: SourceFact[] }).sources,
      context,
    ),
});

export function judgeRoute6(
  host: HostFacts,
  demands: readonly Demand[],
  sources: readonly SourceFact[],
  context: JudgeContext,
): Judgement {
  if (leavesOut(context.intent, 6)) return skip('IPv6 is not meant here');
  if (!hasIpv6(host)) return skip('HST-01');
  const stranded = sources.filter((source) => source.errno !== null && isBeyond(source.target));
  const got: Evidence[] = [
    evidence(
      'proc',
      'IPv6 default route',
      host.defaultRoute[6] ?? (host.defaultRoute[6] === null ? 'none' : 'could not be read'),
      host.at,
    ),
    ...stranded.map((source) =>
      evidence('connect', `route to ${source.target}`, `${source.errno ?? ''} (this host itself)`, host.at),
    ),
  ];
  const forced = demands.some((demand) => demand.family === 6 && demand.beyond);
  const fix = [
    {
      text: 'Add a route: let the router advertise one (accept_ra=2 where this host forwards), or write a static one',
      commands: ['ip -6 route show default'],
    },
  ];
  if (stranded.length > 0) {
    const [first] = stranded;
    const insists = forced || insistsOn(context.intent, 6);
    // A host that was never given IPv6 is not broken; one with an address and no way out is.
    const equipped = usableAddresses(host, 6).length > 0;
    return found({
      status: insists ? 'error' : equipped ? 'warn' : 'info',
      title:
        host.defaultRoute[6] === null
          ? `No IPv6 default route: ${first?.target ?? ''} is out of reach`
          : `This host's routes refuse ${first?.target ?? ''} (${first?.errno ?? ''})`,
      evidence: got,
      fix,
    });
  }
  if (host.defaultRoute[6] === undefined) {
    return found({
      status: 'unknown',
      title: 'The IPv6 routes of this host could not be read',
      evidence: got,
    });
  }
  if (host.defaultRoute[6] === null) {
    return found({
      status: 'info',
      title: 'No IPv6 default route; nothing in the plan needs one',
      evidence: got,
    });
  }
  return nothing;
}

export const hst04 = defineCheck<'host', { host: HostFacts; sources: readonly SourceFact[] }>({
  id: 'HST-04',
  title: 'the source address toward each target',
  about: 'host',
  topics: all,
  needs: [],
  causes: ['HST-01', 'HST-02', 'HST-03'],
  async gather(context) {
    const targets = await targetAddresses(context);
    const [host, sources] = await Promise.all([
      context.probes.host(),
      context.probes.sources(targets.flatMap((target) => target.addresses)),
    ]);
    return { host, sources };
  },
  judge: ({ host, sources }) => judgeSources(host, sources),
});

export function judgeSources(host: HostFacts, sources: readonly SourceFact[]): Judgement {
  if (sources.length === 0) return skip('no target');
  const drafts: Draft[] = [];
  for (const { target, family, source } of sources) {
    if (family !== 6 || source === null || kindOf(target) !== 'global') continue;
    const kind = kindOf(source);
    const flags = host.addresses.find((address) => address.address === source)?.flags ?? [];
    const weak =
      kind === 'link-local' || kind === 'ula'
        ? `a ${kind === 'ula' ? 'unique local' : 'link-local'} address, which the target cannot answer`
        : flags.includes('deprecated')
          ? 'a deprecated address, about to go'
          : undefined;
    const got = [
      evidence(
        'connect',
        `source toward ${target}`,
        `${source}${flags.length > 0 ? ` (${flags.join(', ')})` : ''}`,
        host.at,
      ),
    ];
    if (weak !== undefined) {
      drafts.push({
        status: 'warn',
        title: `Toward ${target} this host uses ${source}: ${weak}`,
        confidence: 'likely',
        evidence: got,
        fix: [{ text: 'Add a global address to the outgoing interface, or renew the one it has' }],
      });
    } else if (flags.includes('temporary')) {
      drafts.push({
        status: 'info',
        title: `Toward ${target} this host uses a temporary address; access lists by address will not hold`,
        evidence: got,
      });
    }
  }
  return found(...drafts);
}

export const hst05 = defineCheck<'host', HostQuestion>({
  id: 'HST-05',
  title: 'IPv6 switched off on single interfaces',
  about: 'host',
  topics: ['ipv6'],
  needs: [],
  causes: ['HST-01'],
  gather: hst01Gather,
  judge: ({ host, targets }, _subject, context) => judgeSwitches(host, demandsOf(context, targets), context),
});

export function judgeSwitches(host: HostFacts, demands: readonly Demand[], context: JudgeContext): Judgement {
  if (leavesOut(context.intent, 6)) return skip('IPv6 is not meant here');
  const table = host.disableIpv6;
  if (table === undefined) return skip('this system has no such switches');
  if (table['all'] === true) return skip('HST-01');
  const off = Object.keys(table).filter(
    (name) => name !== 'all' && name !== 'default' && table[name] === true,
  );
  if (off.length === 0) return nothing;
  const wanted = demands.some((demand) => demand.family === 6 && demand.beyond);
  return found({
    status: wanted ? 'warn' : 'info',
    title: `IPv6 is switched off on ${off.join(', ')}, and on elsewhere`,
    confidence: 'likely',
    evidence: off.map((name) => evidence('proc', `net.ipv6.conf.${name}.disable_ipv6`, '1', host.at)),
    fix: [
      {
        text: 'If that is not meant, switch it on; in a container, give its network IPv6',
        commands: off.map((name) => `sudo sysctl net.ipv6.conf.${name}.disable_ipv6=0`),
      },
    ],
  });
}

export const hst06 = defineCheck<'host', { host: HostFacts; listeners: readonly ListenerFacts[] }>({
  id: 'HST-06',
  title: 'the system default for [::] (bindv6only)',
  about: 'host',
  topics: ['ipv6', 'listen'],
  needs: [],
  async gather(context) {
    const listeners = context.subjects.filter((subject) => subject.kind === 'listener');
    const [host, ...facts] = await Promise.all([
      context.probes.host(),
      ...listeners.map((listener) => context.probes.listener(listener)),
    ]);
    return { host, listeners: facts };
  },
  judge: ({ host, listeners }) => judgeBindv6only(host, listeners),
});

export function judgeBindv6only(host: HostFacts, listeners: readonly ListenerFacts[]): Judgement {
  if (host.bindv6only === undefined) return skip('this system has no such switch');
  if (!host.bindv6only) return nothing;
  const got = [evidence('proc', 'net.ipv6.bindv6only', '1', host.at)];
  const hit = listeners.filter((facts) => refusesIpv4(facts)).flatMap((facts) => facts.rows ?? []);
  const victims = [...new Set(hit.map((row) => row.owner ?? `port ${row.port}`))];
  if (victims.length > 0 || host.inheritedSockets) {
    return found({
      status: 'warn',
      title: `bindv6only is 1, so ${victims.join(', ') || 'an inherited socket'} on [::] takes no IPv4`,
      confidence: victims.length > 0 ? 'likely' : 'possible',
      evidence: got,
      fix: [
        {
          text: 'Set it back, or add a second listener on 0.0.0.0 (BindIPv6Only=both in a socket unit); bbx itself does not depend on it',
          commands: ['sudo sysctl net.ipv6.bindv6only=0'],
        },
      ],
    });
  }
  return found({
    status: 'info',
    title: 'bindv6only is 1: bbx is not affected, stock Buildbot on this host would be',
    evidence: got,
  });
}

/** `[::]` is bound, no IPv4 row beside it, and IPv4 was tried and refused. */
export function refusesIpv4(facts: ListenerFacts): boolean {
  const rows = facts.rows ?? [];
  if (!rows.some((row) => row.address === '::') || rows.some((row) => row.family === 4)) return false;
  const tries = facts.attempts.filter((attempt) => attempt.family === 4);
  return tries.length > 0 && tries.every((attempt) => attempt.errno === 'ECONNREFUSED');
}

export const hst08 = defineCheck<'host', HostQuestion>({
  id: 'HST-08',
  title: 'IPv4 on this host',
  about: 'host',
  topics: ['reach', 'ipv6'],
  needs: [],
  gather: hst01Gather,
  judge: ({ host, targets }, _subject, context) => judgeIpv4(host, demandsOf(context, targets), context),
});

export function judgeIpv4(host: HostFacts, demands: readonly Demand[], context: JudgeContext): Judgement {
  if (leavesOut(context.intent, 4)) return skip('IPv4 is not meant here');
  const usable = usableAddresses(host, 4);
  if (usable.length > 0) return nothing;
  const beyond = demands.filter((demand) => demand.family === 4 && demand.beyond);
  const got = [
    evidence('proc', 'IPv4 addresses beyond loopback', 'none', host.at),
    ...whyWanted(beyond, host.at),
  ];
  const but = hasIpv4(host) ? ' but loopback' : '';
  if (beyond.length === 0) {
    return found({
      status: 'info',
      title: `This host has no IPv4 address${but}; nothing in the plan needs one`,
      evidence: got,
    });
  }
  return found({
    status: 'error',
    title: 'This host has no IPv4 address, and a target has nothing else',
    evidence: got,
    fix: [{ text: 'Publish an AAAA record for the target, or give this network NAT64 with DNS64' }],
  });
}

function whyWanted(demands: readonly Demand[], at: string): Evidence[] {
  return demands.map((demand) => evidence('cmd', `IPv${demand.family} is needed`, demand.why, at));
}

export const hostChecks = [hst01, hst02, hst03, hst04, hst05, hst06, hst08];
