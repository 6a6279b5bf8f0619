import { defineCheck, found, nothing, skip, type Draft, type Judgement } from '../../check.ts';
import { evidence, pasted, seconds } from '../../evidence.ts';
import type { SourceSubject } from '../../far-subjects.ts';
import type { RepositoryFact } from '../../facts/sources.ts';
import { topics } from './question.ts';

export const src02 = defineCheck<'source', RepositoryFact | undefined>({
  id: 'SRC-02',
  title: 'the repository answers git',
  about: 'source',
  topics,
  needs: ['SRC-01'],
  causes: ['SRC-01', 'SRC-04', 'SRC-03'],
  gather: async (context, subject) => (subject.url === null ? undefined : context.probes.repository(subject)),
  judge: judgeAnswer,
});

function judgeAnswer(fact: RepositoryFact | undefined, subject: SourceSubject): Judgement {
  if (fact === undefined) return skip(subject.what === 'download' ? 'it is no repository' : 'SRC-06');
  const { at, outcome, reason, ms } = fact;
  if (outcome === 'ok') return nothing;
  const command = `GIT_TERMINAL_PROMPT=0 git ls-remote ${pasted(subject.text)} HEAD`;
  const draft = (status: Draft['status'], title: string, fix: string): Judgement =>
    found({
      status,
      title,
      evidence: [evidence('cmd', `git ls-remote ${subject.text}`, `${reason ?? outcome} after ${ms} ms`, at)],
      fix: [{ text: fix, commands: [command] }],
    });
  switch (outcome) {
    case 'no git':
      return draft('error', 'git is not installed here', 'Install git (Debian: apt-get install git)');
    case 'login':
      return subject.credentials
        ? draft(
            'info',
            `${subject.text} asks for a login; the one of its configuration was not tried`,
            'None needed',
          )
        : draft(
            'warn',
            `${subject.text} asks for a login that this user does not have`,
            'Name a secret under credentials: of the repository, or give the worker a key (GIT_SSH_COMMAND of the builder)',
          );
    case 'missing':
      return draft(
        'error',
        `There is no repository ${subject.text}`,
        'Check the path; private ones are hidden from who has no login',
      );
    case 'late':
      return draft(
        'error',
        `${subject.text} lets us connect, but git gets no answer within ${seconds(ms)}`,
        'Look at that server, and at proxies on the way',
      );
    case 'failed':
      return draft(
        'error',
        `git cannot read ${subject.text}: ${reason ?? 'it failed'}`,
        'See all that git says',
      );
  }
}
