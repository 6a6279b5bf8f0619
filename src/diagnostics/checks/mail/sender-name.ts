import { isWithin, kindOf } from '../../../net/address-kind.ts';
import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type CheckContext, type Judgement } from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { MailSubject } from '../../far-subjects.ts';
import type { MailFacts } from '../../facts/mail.ts';
import { leadsBack, type ReverseFact } from '../../facts/reverse.ts';
import { gather as greet, greetingEvidence, topics } from './question.ts';

/** Where servers take mail from one another (RFC 5321); on the others somebody logs in, and his address counts for nothing. */
const MAIL_PORT = 25;

interface Sender {
  /** This host's own address toward the server. */
  readonly reverse: ReverseFact;
  /** The server stands in another site than this host. */
  readonly isAbroad: boolean;
}

interface Facts {
  readonly mail: MailFacts;
  readonly senders: readonly Sender[];
}

export const ntf06 = defineCheck<'mail', Facts>({
  id: 'NTF-06',
  title: 'the address that mail comes from has a name',
  about: 'mail',
  topics,
  needs: [],
  gather,
  judge: judgeSender,
});

async function gather(context: CheckContext, mail: MailSubject): Promise<Facts> {
  const { probes } = context;
  const facts = await greet(context, mail);
  if (mail.port !== MAIL_PORT || facts.addresses.length === 0) return { mail: facts, senders: [] };
  const sources = await probes.sources(facts.addresses.map(({ address }) => address));
  // An address behind a translator is not the one that the server sees.
  const own = sources.flatMap(({ source, target }) =>
    source !== null && kindOf(source) === 'global' ? [{ source, target }] : [],
  );
  const distinct = own.filter(({ source }, at) => own.findIndex((one) => one.source === source) === at);
  const senders = await Promise.all(
    distinct.map(async ({ source, target }): Promise<Sender> => {
      const reverse = await probes.reverse(source);
      return { reverse, isAbroad: !isSameSite(source, target) };
    }),
  );
  return { mail: facts, senders };
}

/** Within one /48 (RFC 6177: what a site gets), or one /24, it is the site's own relay, which knows its hosts. */
function isSameSite(one: string, other: string): boolean {
  return isWithin(one, other, familyOf(other) === 6 ? 48 : 24);
}

function judgeSender({ mail: facts, senders }: Facts, mail: MailSubject): Judgement {
  if (mail.port !== MAIL_PORT) return skip('who logs in needs no name');
  if (senders.length === 0) return skip('no address of this host that the server would see is known');
  const nameless = senders.filter(({ reverse }) => reverse.outcome !== 'unknown' && !leadsBack(reverse));
  const [first] = nameless;
  if (first === undefined) return nothing;
  const { address, names } = first.reverse;
  const family = familyOf(address);
  const isRefused = facts.addresses.some(
    (one) => one.family === family && one.greeting?.outcome === 'refused',
  );
  // Over IPv4 many servers let it pass; over IPv6 the large ones do not.
  const isGrave = isRefused || (first.isAbroad && family === 6);
  return found({
    status: isGrave ? 'warn' : 'info',
    confidence: isRefused ? 'likely' : 'possible',
    title:
      names.length === 0
        ? `Mail leaves this host from ${address}, which has no name (PTR record): many servers refuse it${family === 6 ? ' over IPv6' : ''}`
        : `Mail leaves this host from ${address}, whose name ${names[0]?.name ?? ''} does not lead back to it: many servers refuse it`,
    evidence: [
      ...nameless.map(({ reverse }) =>
        evidence(
          'dns',
          `PTR of ${reverse.address}`,
          reverse.names.map(({ name }) => name).join(', ') || 'no such record',
          reverse.at,
        ),
      ),
      ...greetingEvidence(facts, mail),
    ],
    fix: [
      {
        text: `Have a PTR record made for ${address}, and a${family === 6 ? 'n AAAA' : 'n A'} record of that name; or send through a relay on port 587`,
        commands: [`dig -x ${pasted(address)}`],
      },
    ],
  });
}
