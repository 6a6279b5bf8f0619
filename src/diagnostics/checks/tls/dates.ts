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

const DAY_MS = 86_400_000;
/** Who renews by himself has done it by then: usual clients renew with a third of the time left. */
const SOON_MS = 21 * DAY_MS;
const SOON_SHARE = 0.23;

function judgeDates(one: TlsAddressFact, facts: TlsFacts, of: string): Draft | undefined {
  const { now } = facts;
  const early = one.chain.find(({ from }) => now < from);
  const late = one.chain.find(({ to }) => now > to);
  const soon = one.chain.find((certificate) => certificate.to - now < marginOf(certificate));
  const certificate = late ?? early ?? soon;
  if (certificate === undefined) return undefined;
  const which = one.chain.indexOf(certificate) === 0 ? 'The certificate' : 'An intermediate certificate';
  const title =
    late !== undefined
      ? `${which} of ${of} has expired on ${dayOf(late.to)}`
      : early !== undefined
        ? `${which} of ${of} is valid only from ${dayOf(early.from)} on, by this host's clock`
        : `${which} of ${of} expires in ${Math.floor((certificate.to - now) / DAY_MS)} days`;
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

function marginOf({ from, to }: CertificateFact): number {
  return Math.min(SOON_MS, (to - from) * SOON_SHARE);
}
