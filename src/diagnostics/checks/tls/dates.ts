import { defineCheck, found, nothing, skip, type Draft } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { CertificateFact, TlsAddressFact, TlsFacts } from '../../facts/tls.ts';
import { certificateEvidence, dayOf, gather, judged, topics, where, type Looked } from './question.ts';

export const tls04 = defineCheck<'target', Looked>({
  id: 'TLS-04',
  title: 'the certificate is valid now, and for some time',
  about: 'target',
  topics,
  needs: ['PTH-01', 'TLS-06', 'TLS-08', 'TLS-01'],
  causes: ['CLK-01'],
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    const { facts } = looked;
    const each = judged(facts, target);
    // The same certificate at several addresses is told once.
    const prints = new Map(each.toReversed().map((one) => [one.chain[0]?.fingerprint, one]));
    const drafts = each
      .filter((one) => [...prints.values()].includes(one))
      .flatMap((one) => judgeDates(one, facts, prints.size === 1 ? target.text : where(one)) ?? []);
    return drafts.length === 0 ? nothing : found(...drafts);
  },
});

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What renews a certificate of the usual 90 days by itself has done it with 30 days left; three weeks are enough to look why it has not. */
const SOON_MS = 21 * DAY_MS;
/** One that lives for days by design is renewed with about this part of its life left. */
const LAST_PART = 1 / 3;

function isSoonOver({ from, to }: CertificateFact, now: number): boolean {
  return to - now < Math.min(SOON_MS, (to - from) * LAST_PART);
}

function restOf(ms: number): string {
  return ms < 2 * DAY_MS ? `${Math.floor(ms / HOUR_MS)} hours` : `${Math.floor(ms / DAY_MS)} days`;
}

function judgeDates(one: TlsAddressFact, facts: TlsFacts, of: string): Draft | undefined {
  const { now } = facts;
  const early = one.chain.find(({ from }) => now < from);
  const late = one.chain.find(({ to }) => now > to);
  const soon = one.chain.find((certificate) => isSoonOver(certificate, now));
  const certificate = late ?? early ?? soon;
  if (certificate === undefined) return undefined;
  const which = one.chain.indexOf(certificate) === 0 ? 'The certificate' : 'An intermediate certificate';
  const title =
    late !== undefined
      ? `${which} of ${of} has expired on ${dayOf(late.to)}`
      : early !== undefined
        ? `${which} of ${of} is valid only from ${dayOf(early.from)} on, by this host's clock`
        : `${which} of ${of} expires in ${restOf(certificate.to - now)}`;
  return {
    status: certificate === soon && late === undefined && early === undefined ? 'warn' : 'error',
    title,
    evidence: [
      evidence('proc', "this host's clock", new Date(now).toISOString(), facts.at),
      ...certificateEvidence(one, facts),
    ],
    fix: [
      {
        text:
          early === undefined
            ? 'Renew it, let the server read the new one, and look why it was not renewed by itself'
            : 'Look at the clock of this host first, then at the certificate',
        ...(early === undefined ? {} : { commands: ['date -u', 'timedatectl status'] }),
      },
    ],
  };
}
