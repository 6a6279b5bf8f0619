import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { dnsEvidence } from '../../evidence.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import { insistsOn, leavesOut } from '../../intent.ts';
import { gather, isGood, noName, topics } from './question.ts';

export const dns04 = defineCheck<'target', NameFacts>({
  id: 'DNS-04',
  title: 'an AAAA record where IPv6 is meant',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['DNS-01', 'DNS-03', 'SRC-01'],
  gather,
  judge: (name, _target, context) => judgeMissingAaaa(name, context),
});

function judgeMissingAaaa(name: NameFacts, context: JudgeContext): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  if (!insistsOn(context.intent, 6)) return skip('IPv6 is not insisted on');
  // Every server that could be asked says that there is none; a bad answer is DNS-03's to tell.
  const answered = name.servers.filter((server) => isGood(server.AAAA));
  const v4 = published(name, 4);
  if (name.hosts.length > 0 || answered.length === 0 || published(name, 6).length > 0 || v4.length === 0)
    return nothing;
  return found({
    status: leavesOut(context.intent, 4) ? 'error' : 'warn',
    title: `"${name.name}" has no AAAA record: nobody reaches it over IPv6`,
    evidence: dnsEvidence(name),
    fix: [{ text: 'Add an AAAA record with the IPv6 address of that host' }],
  });
}
