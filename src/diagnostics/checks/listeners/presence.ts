import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { covers, type ListenerFacts } from '../../facts/listeners.ts';
import type { ListenerSubject } from '../../subject.ts';
import { gather, topics } from './question.ts';
import { rowsEvidence } from './rows.ts';
import { applyConfig } from './set-listen.ts';

const unreadable = (facts: ListenerFacts, listener: ListenerSubject): Judgement =>
  found({
    status: 'unknown',
    title: `Who listens on port ${listener.port} could not be read from the kernel`,
    evidence: [evidence('proc', '/proc/net/tcp', 'not readable', facts.at)],
  });

export const lsn01 = defineCheck<'listener', ListenerFacts>({
  id: 'LSN-01',
  title: 'the listener is there',
  about: 'listener',
  topics,
  needs: [],
  gather,
  judge: (facts, listener) => judgePresence(facts, listener),
});

function judgePresence(facts: ListenerFacts, listener: ListenerSubject): Judgement {
  if (listener.state === 'stopped') return skip('its master does not run');
  if (facts.rows === undefined) return unreadable(facts, listener);
  if (facts.rows.length > 0) {
    const here = facts.rows.some((row) => listener.hosts.some((host) => covers(row, host)));
    if (here || listener.state === 'given') return nothing;
  }
  if (listener.state === 'given') {
    return found({
      status: 'info',
      title: `Nothing listens on ${listener.text} now`,
      evidence: rowsEvidence(facts, listener.port),
    });
  }
  return found({
    status: 'error',
    title: `The master runs, but nothing listens on ${listener.text}`,
    evidence: [
      ...rowsEvidence(facts, listener.port),
      evidence('file', listener.source, listener.text, facts.at),
    ],
    fix: [{ text: 'Apply the configuration, or start the master again', commands: applyConfig(listener) }],
  });
}
