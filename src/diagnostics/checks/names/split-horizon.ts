import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { dnsEvidence } from '../../evidence.ts';
import type { NameFacts, ServerReplies } from '../../facts/names.ts';
import { gather, isAnswered, noName, topics } from './question.ts';

export const dns15 = defineCheck<'target', NameFacts>({
  id: 'DNS-15',
  title: 'all nameservers say the same',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['DNS-03'],
  gather,
  judge: (name) => judgeAgreement(name),
});

function judgeAgreement(name: NameFacts): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  const said = name.servers.filter((server) => isAnswered(server.A) && isAnswered(server.AAAA));
  if (said.length < 2) return skip('fewer than two nameservers answer');
  const [first, ...others] = said as [ServerReplies, ...ServerReplies[]];
  const differs = others.find((other) => {
    const sets = [first, other].map((server) => new Set([...server.A.addresses, ...server.AAAA.addresses]));
    const [one = new Set<string>(), two = new Set<string>()] = sets;
    // Servers that give a part each, or take turns, still have some in common.
    return (one.size > 0 || two.size > 0) && ![...one].some((address) => two.has(address));
  });
  if (differs === undefined) return nothing;
  return found({
    status: 'warn',
    title: `${first.server} and ${differs.server} say different things of "${name.name}": which one is asked decides where programs go`,
    confidence: 'likely',
    evidence: dnsEvidence(name),
    fix: [
      {
        text: 'Name only nameservers that serve the same view (all inside ones, or all public ones); an old answer passes with its time to live',
        commands: ['cat /etc/resolv.conf'],
      },
    ],
  });
}
