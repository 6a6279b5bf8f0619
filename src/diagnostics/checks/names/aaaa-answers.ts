import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { dnsEvidence, lookupEvidence, replyText, seconds } from '../../evidence.ts';
import type { NameFacts } from '../../facts/names.ts';
import { leavesOut } from '../../intent.ts';
import { dig, gather, isGood, noName, topics } from './question.ts';

export const dns03 = defineCheck<'target', NameFacts>({
  id: 'DNS-03',
  title: 'AAAA answered as well as A',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['DNS-01', 'DNS-12'],
  gather,
  judge: (name, _target, context) => judgeAaaa(name, context),
});

function judgeAaaa(name: NameFacts, context: JudgeContext): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  if (leavesOut(context.intent, 6)) return skip('IPv6 is not meant here');
  const bad = name.servers.filter((server) => isGood(server.A) && !isGood(server.AAAA));
  const [first] = bad;
  if (first === undefined) return nothing;
  const slow = bad.some((server) => server.AAAA.outcome === 'timeout');
  const wait = Math.max(...bad.map((server) => server.AAAA.ms));
  return found({
    status: slow ? 'error' : 'warn',
    title: slow
      ? `AAAA of "${name.name}" is never answered (A is): every lookup waits ${seconds(wait)} and more, IPv6 is never used`
      : `AAAA of "${name.name}" is answered with ${replyText(first.AAAA)} where A is fine: IPv6 is never used`,
    evidence: [...dnsEvidence(name), ...lookupEvidence(name)],
    fix: [
      {
        text: "Mend the zone's nameserver: a name without IPv6 is answered NOERROR with no records (RFC 4074); let no filter drop or refuse AAAA questions",
        commands: [dig('+norecurse AAAA', name.name, first.server)],
      },
    ],
  });
}
