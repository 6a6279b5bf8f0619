import type { Evidence } from '../../../api/doctor.ts';
import { familyOf } from '../../../net/endpoint/host.ts';
import {
  TARGET_TOPICS,
  defineCheck,
  found,
  nothing,
  skip,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { demandsOf, isBeyond, type Demand } from '../../demand.ts';
import { evidence } from '../../evidence.ts';
import { hasIpv6, usableAddresses, type HostFacts, type SourceFact } from '../../facts/host.ts';
import { insistsOn, leavesOut } from '../../intent.ts';
import { hostQuestion, type HostQuestion } from './question.ts';

interface RouteQuestion extends HostQuestion {
  readonly sources: readonly SourceFact[];
}

export const hst03 = defineCheck<'host', RouteQuestion>({
  id: 'HST-03',
  title: 'an IPv6 default route',
  about: 'host',
  topics: ['ipv6', 'host', ...TARGET_TOPICS],
  needs: ['HST-01'],
  causes: ['HST-01', 'HST-11', 'HST-02', 'HST-05'],
  gather: async (context) => {
    const question = await hostQuestion(context);
    const sources = await context.probes.sources(
      question.targets.flatMap((target) => target.addresses).filter((address) => familyOf(address) === 6),
    );
    return { ...question, sources };
  },
  judge: ({ host, targets, sources }, _subject, context) =>
    judgeRoute6(host, demandsOf(context, targets), sources, context),
});

function judgeRoute6(
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
