import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { dnsEvidence, evidence } from '../../evidence.ts';
import type { MailSubject } from '../../far-subjects.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import { topics } from './question.ts';

export const ntf05 = defineCheck<'mail', NameFacts>({
  id: 'NTF-05',
  title: "the mail server's name for stock Buildbot",
  about: 'mail',
  // What it says is of a name's families alone, so it belongs to both.
  topics: [...topics, 'ipv6'],
  needs: [],
  causes: ['DNS-01'],
  gather: (context, mail) => context.probes.name(mail.host),
  judge: judgeName,
});

function judgeName(name: NameFacts, mail: MailSubject): Judgement {
  if (name.literal !== null || name.localhost) return skip('there is no name to look up');
  const has = (family: 4 | 6) =>
    published(name, family).length > 0 || name.hosts.some((address) => familyOf(address) === family);
  if (!has(6) || has(4)) return nothing;
  const twisted = mail.client === 'twisted';
  return found({
    status: twisted ? 'error' : 'warn',
    title: `"${name.name}" has IPv6 addresses alone: stock Buildbot's MailNotifier asks for A alone and sends nothing`,
    evidence: [
      ...dnsEvidence(name),
      evidence(
        'cmd',
        'how stock Buildbot sends mail',
        'reactor.connectTCP, which looks up A records',
        name.at,
      ),
    ],
    fix: [
      { text: 'Give the mail server an A record' },
      {
        text: `Or write its address: relayhost="${published(name, 6)[0] ?? ''}" (with TLS the certificate must have it)`,
      },
    ],
  });
}
