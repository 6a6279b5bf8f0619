import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import type { MailSubject } from '../../far-subjects.ts';
import { pasted } from '../../evidence.ts';
import type { MailFacts } from '../../facts/mail.ts';
import { gather, PLACE_CAUSES, tlsEvidence, topics } from './question.ts';

export const ntf02 = defineCheck<'mail', MailFacts>({
  id: 'NTF-02',
  title: 'TLS of the mail server',
  about: 'mail',
  topics,
  needs: [],
  causes: [...PLACE_CAUSES, 'NTF-04'],
  gather,
  judge: judgeTls,
});

function judgeTls(facts: MailFacts, mail: MailSubject): Judgement {
  if (mail.tls === 'none') return skip('it is used without TLS');
  const seen = facts.addresses.flatMap(({ address, tls }) => (tls === null ? [] : [{ address, ...tls }]));
  if (seen.length === 0) return skip('NTF-01');
  const must = mail.tls !== 'offered' || mail.user;
  const status = must ? 'error' : 'warn';
  const got = tlsEvidence(facts, mail);
  const where = (bad: typeof seen) =>
    bad.length === seen.length ? mail.text : bad.map(({ address }) => address).join(', ');
  const missing = seen.filter(({ outcome }) => outcome === 'not offered');
  if (missing.length > 0) {
    if (!must) return nothing;
    return found({
      status,
      title: `${where(missing)} does not offer STARTTLS${mail.user ? ': the password would travel in plain text' : ''}`,
      evidence: got,
      fix: [
        { text: 'Use the port that has TLS (587 with STARTTLS, or 465), or give the server a certificate' },
      ],
    });
  }
  const broken = seen.filter(({ outcome }) => outcome !== 'secured');
  if (broken.length > 0) {
    return found({
      status,
      title: `TLS does not come up with ${where(broken)}: ${broken[0]?.outcome ?? ''}${broken[0]?.code === null ? '' : ` (${broken[0]?.code ?? ''})`}`,
      evidence: got,
      fix: [
        {
          text:
            broken[0]?.outcome === 'plain'
              ? 'That port speaks plain text first: use STARTTLS there (587, 25), or port 465'
              : 'Look at certificate and key of that server',
          commands: [
            `openssl s_client -connect ${pasted(mail.text)}${mail.tls === 'tls' ? '' : ' -starttls smtp'}`,
          ],
        },
      ],
    });
  }
  const unfit = seen.filter(({ fits, distrust }) => !fits || distrust !== null);
  const [first] = unfit;
  if (first === undefined) return nothing;
  return found({
    status,
    title: first.fits
      ? `The certificate of ${where(unfit)} is not trusted (${first.distrust ?? ''})`
      : `The certificate of ${where(unfit)} is not for ${mail.host}`,
    evidence: got,
    fix: [
      first.fits
        ? {
            text: 'Give the server a certificate of a known authority with its whole chain, or let the senders trust its own',
          }
        : {
            text: `Have a certificate made that has ${mail.host} in its subjectAltName, or use a name that it has`,
          },
    ],
  });
}
