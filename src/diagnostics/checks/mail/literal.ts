import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import type { MailSubject } from '../../far-subjects.ts';
import type { MailFacts } from '../../facts/mail.ts';
import { gather, tlsEvidence, topics } from './question.ts';

export const ntf04 = defineCheck<'mail', MailFacts>({
  id: 'NTF-04',
  title: 'an address as mail server, with TLS',
  about: 'mail',
  topics,
  needs: [],
  gather,
  judge: judgeLiteral,
});

function judgeLiteral(facts: MailFacts, mail: MailSubject): Judgement {
  if (familyOf(mail.host) === 0) return skip('it is named, not addressed');
  const seen = facts.addresses.flatMap(({ tls }) => (tls?.outcome === 'secured' ? [tls] : []));
  if (seen.length === 0 || seen.every(({ fits }) => fits)) return nothing;
  const must = mail.tls !== 'offered' || mail.user;
  const names = seen[0]?.chain[0]?.names ?? 'none';
  return found({
    status: must ? 'error' : 'warn',
    title: `${mail.text} is an address, and its certificate is for names alone (${names}): who checks it does not send`,
    evidence: tlsEvidence(facts, mail),
    fix: [
      { text: 'Write the name of the mail server instead of its address' },
      { text: `Or have a certificate made that has ${mail.host} in its subjectAltName` },
    ],
  });
}
