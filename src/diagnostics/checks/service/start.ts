import { kindOf } from '../../../net/address-kind.ts';
import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ServiceFacts } from '../../facts/service.ts';
import type { ProgramSubject } from '../../subject.ts';
import { gather, noService, property, systemctl } from './question.ts';

export const svc03 = defineCheck<'program', ServiceFacts>({
  id: 'SVC-03',
  title: 'its unit starts after the network is up',
  about: 'program',
  topics: ['host'],
  needs: [],
  gather,
  judge: judgeStart,
});

function judgeStart(facts: ServiceFacts, program: ProgramSubject, context: JudgeContext): Judgement {
  const none = noService(facts);
  if (none !== undefined) return skip(none);
  if (program.role === 'worker') return skip('a worker tries again until its master answers');
  const bound = context.subjects
    .flatMap((subject) => (subject.kind === 'listener' ? subject.hosts : []))
    .filter((host) => !['loopback', 'unspecified'].includes(kindOf(host)));
  if (bound.length === 0) return skip('it listens on no single address that could come late');
  if (property(facts, 'After').split(/\s+/).includes('network-online.target')) return nothing;
  return found({
    status: 'warn',
    confidence: 'likely',
    title: `${facts.unit} may start before ${bound.join(', ')} is there: the master could not listen then`,
    evidence: [evidence('cmd', `systemctl show ${facts.unit}: After`, property(facts, 'After'), facts.at)],
    fix: [
      {
        text: 'Write "After=network-online.target" and "Wants=network-online.target" under [Unit] of a drop-in; or listen on [::]',
        commands: [systemctl(facts, 'edit')],
      },
    ],
  });
}
