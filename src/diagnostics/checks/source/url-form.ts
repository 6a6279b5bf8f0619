import { defineCheck, found, nothing, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { SourceSubject } from '../../far-subjects.ts';
import { familyTopics } from './question.ts';

export const src06 = defineCheck<'source', { at: string }>({
  id: 'SRC-06',
  title: "the form of a repository's address",
  about: 'source',
  topics: familyTopics,
  needs: [],
  gather: () => ({ at: new Date().toISOString() }),
  judge: judgeForm,
});

function judgeForm({ at }: { at: string }, subject: SourceSubject): Judgement {
  const { text, problem, write, source } = subject;
  if (problem === null) return nothing;
  return found({
    status: 'error',
    title: `${JSON.stringify(text)} cannot be fetched from: ${problem}`,
    evidence: [evidence('file', source, text, at)],
    fix: [
      {
        text:
          write === null
            ? 'Write https://host/path, ssh://user@host/path, or user@host:path; an IPv6 address in brackets'
            : `Write ${write}`,
      },
    ],
  });
}
