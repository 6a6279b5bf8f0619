import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { ServiceFacts } from '../../facts/service.ts';
import type { ProgramSubject } from '../../subject.ts';
import { gather, noService, systemctl } from './question.ts';

export const svc05 = defineCheck<'program', ServiceFacts>({
  id: 'SVC-05',
  title: 'its unit runs as the owner of its directory',
  about: 'program',
  topics: ['host'],
  needs: [],
  gather,
  judge: judgeUser,
});

function judgeUser(facts: ServiceFacts, program: ProgramSubject): Judgement {
  const none = noService(facts);
  if (none !== undefined) return skip(none);
  const { runner, owner, unit, at } = facts;
  if (runner === null || owner === null) return skip('its user cannot be seen');
  const got = [
    evidence('cmd', `systemctl show ${unit}: User`, runner.name, at),
    evidence('file', `owner of ${program.dir}`, `uid ${owner}`, at),
  ];
  if (runner.uid === null) {
    return found({
      status: 'error',
      title: `${unit} is to run as "${runner.name}", and this machine has no such user`,
      evidence: got,
      fix: [{ text: 'Make the user, or name another', commands: [systemctl(facts, 'edit')] }],
    });
  }
  // Root may enter, but what it makes there the owner cannot write any more.
  if (runner.uid === owner) return nothing;
  return found({
    status: runner.uid === 0 ? 'warn' : 'error',
    title: `${unit} runs as "${runner.name}", but the directory ${program.shown} belongs to another user (uid ${owner})`,
    evidence: got,
    fix: [
      {
        text: 'Give the directory to the user of the unit, or name its owner in the unit (User=)',
        commands: [`sudo chown -R ${runner.name}: ${pasted(program.dir)}`, systemctl(facts, 'restart')],
      },
    ],
  });
}
