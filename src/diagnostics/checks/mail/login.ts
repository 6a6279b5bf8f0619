import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import type { MailSubject } from '../../far-subjects.ts';
import type { MailFacts } from '../../facts/mail.ts';
import { gather, greetingEvidence, tlsEvidence, topics } from './question.ts';

export const ntf03 = defineCheck<'mail', MailFacts>({
  id: 'NTF-03',
  title: 'the mail server lets somebody log in',
  about: 'mail',
  topics,
  needs: ['NTF-01', 'NTF-02'],
  causes: ['NTF-01', 'NTF-02'],
  gather,
  judge: judgeLogin,
});

function judgeLogin(facts: MailFacts, mail: MailSubject): Judgement {
  if (!mail.user) return skip('nobody is to log in there');
  const known = facts.addresses.flatMap(({ greeting, tls }) => {
    const words = tls?.extensions ?? (mail.tls === 'none' ? greeting?.extensions : undefined);
    return words === undefined ? [] : [words];
  });
  if (known.length === 0) return skip('what it offers inside TLS is not known');
  if (known.every((words) => words.some((word) => /^AUTH\b/.test(word)))) return nothing;
  return found({
    status: 'error',
    title: `${mail.text} offers no login (AUTH), and a user is configured for it`,
    evidence: [...greetingEvidence(facts, mail), ...tlsEvidence(facts, mail)],
    fix: [{ text: 'Use the submission port (587 or 465), or leave the user out' }],
  });
}
