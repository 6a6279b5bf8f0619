import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { attemptEvidence } from '../../evidence.ts';
import { refusesIpv4, type ListenerFacts } from '../../facts/listeners.ts';
import { leavesOut } from '../../intent.ts';
import type { ListenerSubject } from '../../subject.ts';
import { gather, topics } from './question.ts';
import { rowsEvidence } from './rows.ts';

export const lsn03 = defineCheck<'listener', ListenerFacts>({
  id: 'LSN-03',
  title: '[::] takes IPv4 as well',
  about: 'listener',
  topics,
  needs: ['LSN-01'],
  causes: ['HST-06'],
  gather,
  judge: (facts, listener, context) => judgeV6Only(facts, listener, context),
});

function judgeV6Only(facts: ListenerFacts, listener: ListenerSubject, context: JudgeContext): Judgement {
  if (listener.state === 'stopped') return skip('its master does not run');
  if (!(facts.rows ?? []).some((row) => row.address === '::')) return skip('nothing listens on [::]');
  if (leavesOut(context.intent, 4) || !refusesIpv4(facts)) return nothing;
  return found({
    status: 'warn',
    title: `[::]:${listener.port} takes IPv6 alone: its socket has IPV6_V6ONLY set`,
    evidence: [
      ...rowsEvidence(facts, listener.port),
      ...facts.attempts.map((attempt) => attemptEvidence(attempt, facts.at)),
    ],
    fix: [
      {
        text: 'Let it accept both (Node: ipv6Only false; systemd: BindIPv6Only=both), or add a listener on 0.0.0.0',
      },
    ],
  });
}
