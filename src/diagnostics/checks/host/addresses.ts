import { kindOf } from '../../../net/address-kind.ts';
import { familyOf } from '../../../net/endpoint/host.ts';
import {
  TARGET_TOPICS,
  defineCheck,
  found,
  nothing,
  skip,
  type Draft,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { demandsOf, type Demand, type TargetAddresses } from '../../demand.ts';
import { evidence } from '../../evidence.ts';
import { hasIpv6, usableAddresses, type HostFacts } from '../../facts/host.ts';
import { leavesOut } from '../../intent.ts';
import { hostQuestion, whyWanted, type HostQuestion } from './question.ts';

export const hst02 = defineCheck<'host', HostQuestion>({
  id: 'HST-02',
  title: 'a usable IPv6 address',
  about: 'host',
  topics: ['ipv6', 'listen', 'host', ...TARGET_TOPICS],
  needs: ['HST-01'],
  causes: ['HST-01', 'HST-11', 'HST-05'],
  gather: hostQuestion,
  judge: ({ host, targets }, _subject, context) =>
    judgeAddresses(host, demandsOf(context, targets), targets, context),
});

function judgeAddresses(
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
