import {
  TARGET_TOPICS,
  defineCheck,
  found,
  nothing,
  skip,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { demandsOf, type Demand } from '../../demand.ts';
import { evidence } from '../../evidence.ts';
import { hasIpv4, usableAddresses, type HostFacts } from '../../facts/host.ts';
import { leavesOut } from '../../intent.ts';
import { hostQuestion, whyWanted, type HostQuestion } from './question.ts';

export const hst08 = defineCheck<'host', HostQuestion>({
  id: 'HST-08',
  title: 'IPv4 on this host',
  about: 'host',
  topics: ['ipv6', 'host', ...TARGET_TOPICS],
  needs: [],
  causes: ['LIM-01', 'HST-09'],
  gather: hostQuestion,
  judge: ({ host, targets }, _subject, context) => judgeIpv4(host, demandsOf(context, targets), context),
});

function judgeIpv4(host: HostFacts, demands: readonly Demand[], context: JudgeContext): Judgement {
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
