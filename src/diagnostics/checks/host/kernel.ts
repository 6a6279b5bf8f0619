import {
  TARGET_TOPICS,
  defineCheck,
  found,
  nothing,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { demandsOf, type Demand } from '../../demand.ts';
import { evidence } from '../../evidence.ts';
import { hasIpv6, type HostFacts } from '../../facts/host.ts';
import { leavesOut } from '../../intent.ts';
import { hostQuestion, whyWanted, type HostQuestion } from './question.ts';

export const hst01 = defineCheck<'host', HostQuestion>({
  id: 'HST-01',
  title: 'IPv6 in the kernel and on loopback',
  about: 'host',
  topics: ['ipv6', 'listen', 'host', ...TARGET_TOPICS],
  needs: [],
  causes: ['LIM-01'],
  gather: hostQuestion,
  judge: ({ host, targets }, _subject, context) => judgeKernel(host, demandsOf(context, targets), context),
});

function judgeKernel(host: HostFacts, demands: readonly Demand[], context: JudgeContext): Judgement {
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
