import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { demandsOf, type Demand } from '../../demand.ts';
import { evidence } from '../../evidence.ts';
import { usableAddresses, type HostFacts } from '../../facts/host.ts';
import { leavesOut } from '../../intent.ts';
import { hostQuestion, type HostQuestion } from './question.ts';

export const hst05 = defineCheck<'host', HostQuestion>({
  id: 'HST-05',
  title: 'IPv6 switched off on single interfaces',
  about: 'host',
  topics: ['ipv6', 'host'],
  needs: [],
  causes: ['HST-01'],
  gather: hostQuestion,
  judge: ({ host, targets }, _subject, context) => judgeSwitches(host, demandsOf(context, targets), context),
});

function judgeSwitches(host: HostFacts, demands: readonly Demand[], context: JudgeContext): Judgement {
  if (leavesOut(context.intent, 6)) return skip('IPv6 is not meant here');
  const table = host.disableIpv6;
  if (table === undefined) return skip('this system has no such switches');
  if (table['all'] === true) return skip('HST-01');
  const off = Object.keys(table).filter(
    (name) => name !== 'all' && name !== 'default' && table[name] === true,
  );
  if (off.length === 0) return nothing;
  // Who insists on IPv6 misses it where no other interface has it; a bridge without it is nobody's trouble.
  const alone = usableAddresses(host, 6).length === 0;
  const wanted = demands.some((demand) => demand.family === 6 && (demand.beyond || alone));
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
