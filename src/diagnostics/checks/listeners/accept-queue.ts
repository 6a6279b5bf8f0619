import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { attemptEvidence, evidence } from '../../evidence.ts';
import type { ListenerFacts } from '../../facts/listeners.ts';
import type { ListenerSubject } from '../../subject.ts';
import { gather, topics } from './question.ts';
import { rowsEvidence } from './rows.ts';

export const lsn11 = defineCheck<'listener', ListenerFacts>({
  id: 'LSN-11',
  title: 'connections are accepted in time',
  about: 'listener',
  topics,
  needs: ['LSN-01'],
  gather,
  judge: judgeQueue,
});

function judgeQueue(facts: ListenerFacts, listener: ListenerSubject): Judgement {
  if (listener.state === 'stopped') return skip('its master does not run');
  if (facts.unaccepted === 0) return nothing;
  const full = facts.attempts.some((attempt) => attempt.outcome === 'silent');
  const owners = [...new Set((facts.rows ?? []).map((row) => row.owner).filter((owner) => owner !== null))];
  const who = owners.join(' and ') || 'the program that listens there';
  return found({
    status: 'error',
    title: full
      ? `${who} does not accept connections on port ${listener.port}: its queue is full, and the kernel drops new ones`
      : `${who} does not accept connections on port ${listener.port}: they stand in its queue`,
    evidence: [
      ...rowsEvidence(facts, listener.port),
      evidence('proc', 'connections that nobody accepted for a second', String(facts.unaccepted), facts.at),
      ...facts.attempts.map((attempt) => attemptEvidence(attempt, facts.at)),
    ],
    fix: [
      {
        text: 'The program hangs, is stopped (SIGSTOP, a debugger) or is out of file descriptors: look at it, and start it again',
        commands: [`ss -ltnp sport = :${listener.port}`],
      },
    ],
  });
}
