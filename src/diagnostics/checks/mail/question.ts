import { printHostPort } from '../../../net/endpoint/host.ts';
import type { Evidence } from '../../../api/doctor.ts';
import type { CheckContext } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { MailSubject } from '../../far-subjects.ts';
import type { MailFact, MailFacts } from '../../facts/mail.ts';

/** Under `reach` there is a mail server only where `--protocol smtp` says so. */
export const topics = ['mail', 'reach'] as const;

/** What explains that nobody was there to speak to. */
export const PLACE_CAUSES = [
  ...['LIM-01', 'LIM-02', 'HST-01', 'HST-09', 'HST-08', 'HST-02', 'HST-03', 'DNS-13', 'DNS-12', 'DNS-10'],
  ...['DNS-01', 'DNS-02', 'DNS-07', 'PTH-04', 'PTH-02', 'PTH-01'],
] as const;

/** Greets every address that connects. */
export const gather = (context: CheckContext, mail: MailSubject): Promise<MailFacts> =>
  context.probes.mail(mail);

/** What a server said, in a few words. */
export function greetingText({ greeting }: MailFact): string {
  if (greeting === null) return 'no connection, or no TLS to speak in';
  const said = [greeting.code, greeting.banner].filter((part) => part !== null && part !== '').join(' ');
  switch (greeting.outcome) {
    case 'ready':
      return `${said} in ${greeting.ms} ms${greeting.extensions.length > 0 ? `; ${greeting.extensions.join(', ')}` : ''}`;
    case 'refused':
      return `refused: ${said}`;
    case 'silent':
      return `nothing more within ${Math.round(greeting.ms / 1000)} s${said === '' ? '' : ` after ${said}`}`;
    case 'closed':
      return `closed${said === '' ? ' without a word' : ` after ${said}`}${greeting.problem === null ? '' : ` (${greeting.problem})`}`;
    case 'strange':
      return greeting.problem ?? 'no SMTP';
  }
}

export function greetingEvidence({ at, addresses }: MailFacts, { port }: MailSubject): Evidence[] {
  return addresses.map((one) =>
    evidence('peer', `SMTP greeting of ${printHostPort(one.address, port)}`, greetingText(one), at),
  );
}

export function tlsEvidence({ at, addresses }: MailFacts, { port }: MailSubject): Evidence[] {
  return addresses.flatMap((one) => {
    if (one.tls === null) return [];
    const { outcome, code, version, chain, distrust } = one.tls;
    const words = [outcome, version, code, distrust, chain[0]?.names ?? chain[0]?.subject].filter(
      (word) => word !== null && word !== undefined,
    );
    return [evidence('tls', `TLS of ${printHostPort(one.address, port)}`, words.join('; '), at)];
  });
}
