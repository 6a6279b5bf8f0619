import { familyOf } from '../../../net/endpoint/host.ts';
import { escapeTwisted } from '../../../net/endpoint/twisted.ts';
import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { dnsEvidence, evidence } from '../../evidence.ts';
import { usableAddresses, type HostFacts } from '../../facts/host.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import { leavesOut } from '../../intent.ts';
import type { TargetSubject } from '../../subject.ts';
import { gather, isGood, noName, topics } from './question.ts';

export const dns05 = defineCheck<'target', { name: NameFacts; host: HostFacts }>({
  id: 'DNS-05',
  title: 'the name for programs that ask A alone',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['NTF-05', 'NTF-10', 'DNS-01', 'HST-01', 'STK-08'],
  async gather(context, target) {
    const [name, host] = await Promise.all([gather(context, target), context.probes.host()]);
    return { name, host };
  },
  judge: ({ name, host }, target, context) => judgeAOnlyClients(name, host, target, context),
});

function judgeAOnlyClients(
  name: NameFacts,
  host: HostFacts,
  target: TargetSubject,
  context: JudgeContext,
): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  const v4 = [...published(name, 4), ...name.hosts.filter((address) => familyOf(address) === 4)];
  const v6 = [...published(name, 6), ...name.hosts.filter((address) => familyOf(address) === 6)];
  const got = dnsEvidence(name);
  if (v6.length > 0 && v4.length === 0) {
    // Some nameserver that did not answer for A may know one.
    if (
      name.servers.some((server) => !isGood(server.A) && server.A.outcome !== 'nxdomain') &&
      name.hosts.length === 0
    )
      return nothing;
    // Where this host has IPv6 alone, the name suits its network.
    const meant = leavesOut(context.intent, 4) || usableAddresses(host, 4).length === 0;
    return found({
      status: meant ? 'info' : 'warn',
      title: `"${name.name}" has IPv6 addresses alone: bbx connects, programs that ask A alone do not`,
      evidence: [
        ...got,
        evidence(
          'dns',
          'who asks A alone',
          'stock Buildbot workers with tcp:, sendchange, try, mail by Twisted',
          name.at,
        ),
      ],
      fix: [
        { text: 'Add an A record, if there are such programs' },
        {
          text: `Or give them the literal or a tls: endpoint: tcp:host=${escapeTwisted(v6[0] ?? '')}:port=${target.port ?? 9989}`,
        },
        { text: 'Or write network: {families: [6]} in master.yaml, if IPv6 alone is meant' },
      ],
    });
  }
  if (v6.length > 0 && v4.length > 0 && leavesOut(context.intent, 4)) {
    return found({
      status: 'info',
      title: `"${name.name}" has A and AAAA: stock workers with tcp: will use IPv4`,
      evidence: got,
    });
  }
  return nothing;
}
