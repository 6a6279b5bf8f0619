import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { pasted } from '../../evidence.ts';
import type { MailSubject } from '../../far-subjects.ts';
import type { MailFacts } from '../../facts/mail.ts';
import { gather, greetingEvidence, greetingText, PLACE_CAUSES, topics } from './question.ts';

export const ntf01 = defineCheck<'mail', MailFacts>({
  id: 'NTF-01',
  title: 'the mail server greets',
  about: 'mail',
  topics,
  needs: [],
  causes: [...PLACE_CAUSES, 'NTF-02', 'NTF-06'],
  gather,
  judge: judgeGreeting,
});

function judgeGreeting(facts: MailFacts, mail: MailSubject): Judgement {
  const { addresses } = facts;
  if (addresses.length === 0) return skip('PTH-01');
  const bad = addresses.filter(({ greeting }) => greeting?.outcome !== 'ready');
  const [first] = bad;
  if (first === undefined) return nothing;
  const all = bad.length === addresses.length;
  const strange = bad.some(({ greeting }) => greeting?.outcome === 'strange');
  const refused = bad.some(({ greeting }) => greeting?.outcome === 'refused');
  return found({
    status: all ? 'error' : 'warn',
    title: all
      ? `${mail.text} does not take mail: ${greetingText(first)}`
      : `${bad.map(({ address }) => address).join(', ')} of ${mail.text} does not take mail (${greetingText(first)}); the others do`,
    evidence: greetingEvidence(facts, mail),
    fix: [
      {
        text: strange
          ? 'Something else than a mail server answers there: check host and port (25, 587, or 465 for TLS from the first byte)'
          : refused
            ? 'The server refuses this host: let it relay for our address, or log in on port 587'
            : 'Look at that server; port 25 is also blocked by many networks, port 587 seldom',
        commands: [`bbx doctor reach ${pasted(mail.text)} --protocol tcp`],
      },
    ],
  });
}
