import { defineCheck, found, skip, type Draft, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { PingFact, PingFacts } from '../../facts/trouble.ts';
import type { TargetSubject } from '../../subject.ts';
import { noPath, topics } from './question.ts';

export const pth12 = defineCheck<'target', PingFacts | undefined>({
  id: 'PTH-12',
  title: 'a host that is silent answers ping',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-08'],
  gather: (context, target) => context.probes.pings(target),
  judge: judgePings,
});

/** An answer says much, silence nothing: many hosts and firewalls never answer. So it is a fact and never a fault. */
function judgePings(facts: PingFacts | undefined, target: TargetSubject): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  if (facts === undefined) return skip('nothing is silent, as seen from here');
  if (!facts.tool) return skip('ping is not installed here');
  const evidenceOf = (answers: readonly PingFact[]) =>
    answers.map((answer) => evidence('cmd', `ping -c 1 ${answer.address}`, saidBy(answer), facts.at));
  const [alive, notAsked] = (['answered', 'not asked'] as const).map((outcome) =>
    facts.answers.filter((answer) => answer.outcome === outcome),
  ) as [PingFact[], PingFact[]];
  const drafts: Draft[] = [];
  const [refused] = notAsked;
  if (alive.length > 0)
    drafts.push({
      status: 'info',
      title: `${addresses(alive)} ${alive.length === 1 ? 'answers' : 'answer'} ping: the host is up, and the way leads there and back; it is TCP that ends in silence`,
      confidence: 'likely',
      evidence: evidenceOf(alive),
      fix: [
        {
          text: `Look for what drops TCP, or its port ${target.port ?? 0} alone: a firewall or security group, of that host or on the way`,
        },
      ],
    });
  if (refused !== undefined)
    drafts.push({
      status: 'unknown',
      title: `Whether ${addresses(notAsked)} would answer ping is not known: ${refused.said}`,
      evidence: evidenceOf(notAsked),
    });
  return drafts.length > 0 ? found(...drafts) : skip('no answer to ping either, which many hosts never give');
}

function addresses(answers: readonly PingFact[]): string {
  return answers.map(({ address }) => address).join(' and ');
}

function saidBy({ outcome, ms, said }: PingFact): string {
  return outcome === 'answered' && ms !== null ? `an answer in ${ms} ms` : said || 'an answer';
}
