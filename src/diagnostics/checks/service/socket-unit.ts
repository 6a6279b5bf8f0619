import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ServiceFacts } from '../../facts/service.ts';
import { gather, noService, property } from './question.ts';

export const svc04 = defineCheck<'program', ServiceFacts>({
  id: 'SVC-04',
  title: 'no socket unit holds its port',
  about: 'program',
  topics: ['host', 'listen'],
  needs: [],
  gather,
  judge: judgeSocket,
});

function judgeSocket(facts: ServiceFacts): Judgement {
  const none = noService(facts);
  if (none !== undefined) return skip(none);
  const sockets = property(facts, 'TriggeredBy')
    .split(/\s+/)
    .filter((unit) => unit.endsWith('.socket'));
  if (sockets.length === 0) return nothing;
  return found({
    status: 'warn',
    confidence: 'likely',
    title: `${sockets.join(', ')} opens a socket for ${facts.unit}, but bbx opens its own: where both mean one port, the master cannot listen`,
    evidence: [
      evidence('cmd', `systemctl show ${facts.unit}: TriggeredBy`, property(facts, 'TriggeredBy'), facts.at),
    ],
    fix: [
      {
        text: 'Take the socket unit away; the master listens by itself, on both families',
        commands: sockets.map((unit) => `sudo systemctl disable --now ${unit}`),
      },
    ],
  });
}
