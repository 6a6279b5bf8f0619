import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { isWitnessed, type LinkFact } from '../../facts/links.ts';
import type { TargetSubject } from '../../subject.ts';
import { gatherLinks, noLink, type LinksAt } from './links.ts';
import { topics } from './question.ts';

export const pth13 = defineCheck<'target', LinksAt>({
  id: 'PTH-13',
  title: 'the address that the master sees',
  about: 'target',
  topics,
  needs: ['PTH-01', 'PRO-01'],
  gather: gatherLinks,
  judge: (facts, target) => judgeAddresses(facts, target),
});

/** A translated address is a fact; what it breaks (lists of addresses, names by address) breaks elsewhere. */
function judgeAddresses({ at, links }: LinksAt, target: TargetSubject): Judgement {
  const none = noLink(target, links);
  if (none !== undefined) return skip(none);
  const heard = links.filter((link) => link.series?.seen != null);
  if (heard.length === 0) return skip('PTH-06');
  const strange = heard.filter((link) => !isWitnessed(link));
  if (strange.length > 0) {
    return found({
      status: 'error',
      title: `The master at ${target.text} did not see the greeting that it answered`,
      evidence: heard.map((link) => seenEvidence(link, at)),
      fix: [
        {
          text: 'Something between answers in its place with old words: look for a proxy that keeps answers',
        },
      ],
    });
  }
  const translated = heard.filter(
    ({ localEnd, series }) => hostOf(localEnd ?? '') !== hostOf(series?.seen?.peer ?? ''),
  );
  if (translated.length === 0) return nothing;
  return found({
    status: 'info',
    title: `The master at ${target.text} sees this host as ${[...new Set(translated.map(({ series }) => hostOf(series?.seen?.peer ?? '')))].join(' and ')}`,
    evidence: translated.map((link) => seenEvidence(link, at)),
    fix: [{ text: 'Where something allows by address, allow the address that the master sees' }],
  });
}

function seenEvidence({ localEnd, series }: LinkFact, at: string) {
  return evidence(
    'peer',
    `this end of the connection is ${localEnd ?? 'none'}`,
    `the master sees ${series?.seen?.peer ?? 'nothing'}`,
    at,
  );
}

/** The host of `192.0.2.1:4711` or `[2001:db8::1]:4711`, without a zone, which is each host's own. */
function hostOf(end: string): string {
  return end.replace(/:\d+$/, '').replace(/%[^\]]*/, '');
}
