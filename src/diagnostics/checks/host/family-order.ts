import { defineCheck, found, nothing, type Draft, type JudgeContext, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { PolicyFacts } from '../../facts/policy.ts';
import { insistsOn, leavesOut } from '../../intent.ts';

export const hst12 = defineCheck<'host', PolicyFacts>({
  id: 'HST-12',
  title: 'what puts IPv4 before IPv6',
  about: 'host',
  topics: ['ipv6', 'reach', 'host'],
  needs: [],
  gather: (context) => context.probes.policy(),
  judge: (policy, _subject, context) => judgePolicy(policy, context),
});

function judgePolicy(policy: PolicyFacts, context: JudgeContext): Judgement {
  if (leavesOut(context.intent, 6)) return nothing;
  const { at, gai } = policy;
  // bbx asks each family apart and tries IPv6 first, so this concerns the programs of steps alone.
  const status = insistsOn(context.intent, 6) ? 'warn' : 'info';
  const lines = gai.map(({ line, text }) => evidence('file', `/etc/gai.conf:${line}`, text, at));
  const drafts: Draft[] = [];
  if (policy.prefersIpv4) {
    drafts.push({
      status,
      title:
        'gai.conf puts IPv4 before IPv6: git, curl and most programs use IPv4 where both are there (bbx does not)',
      evidence: lines,
      fix: [
        {
          text: 'Take the precedence line out of /etc/gai.conf, if IPv6 is meant',
          commands: ["grep -n '^precedence' /etc/gai.conf"],
        },
      ],
    });
  } else if (lines.length > 0) {
    drafts.push({
      status: 'info',
      title: 'gai.conf has its own rules for the order of addresses; IPv6 still stands first',
      evidence: lines,
    });
  }
  const flipped = policy.node.filter(({ text }) => text === '--dns-result-order=ipv4first');
  if (flipped.length > 0) {
    drafts.push({
      status,
      title: 'NODE_OPTIONS puts IPv4 first for programs of Node (bbx itself does not follow it)',
      evidence: flipped.map(({ text, where }) => evidence('proc', `NODE_OPTIONS of ${where}`, text, at)),
      fix: [{ text: 'Take --dns-result-order=ipv4first out of NODE_OPTIONS, if IPv6 is meant' }],
    });
  }
  return found(...drafts);
}
