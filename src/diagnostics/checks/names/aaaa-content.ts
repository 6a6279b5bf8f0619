import { kindOf, type AddressKind } from '../../../net/address-kind.ts';
import { defineCheck, found, skip, type Draft, type JudgeContext, type Judgement } from '../../check.ts';
import { dnsEvidence } from '../../evidence.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import { leavesOut } from '../../intent.ts';
import { gather, noName, topics } from './question.ts';

/** What is wrong with publishing an address of this kind, for those who read it elsewhere. */
const UNFIT: Partial<Record<AddressKind, { status: Draft['status']; why: string }>> = {
  unspecified: { status: 'error', why: 'the unspecified address; it means no host' },
  loopback: { status: 'error', why: 'a loopback address; every host reaches only itself' },
  mapped: { status: 'error', why: 'an IPv4-mapped address; it is not for DNS' },
  'link-local': { status: 'error', why: 'a link-local address; it needs a zone, which DNS cannot give' },
  multicast: { status: 'error', why: 'a multicast address' },
  documentation: { status: 'warn', why: 'an address for documentation (RFC 3849); nobody has it' },
  '6to4': { status: 'warn', why: 'a 6to4 address; its relays are gone (RFC 7526)' },
  teredo: { status: 'warn', why: 'a Teredo address; few reach it' },
};

export const dns06 = defineCheck<'target', NameFacts>({
  id: 'DNS-06',
  title: 'what the AAAA records hold',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['DNS-01'],
  gather,
  judge: (name, _target, context) => judgeContent(name, context),
});

function judgeContent(name: NameFacts, context: JudgeContext): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  if (leavesOut(context.intent, 6)) return skip('IPv6 is not meant here');
  const addresses = published(name, 6);
  if (addresses.length === 0) return skip('no AAAA record');
  const drafts: Draft[] = addresses.flatMap((address): Draft[] => {
    const trouble = UNFIT[kindOf(address)];
    if (trouble === undefined) return [];
    return [
      {
        status: trouble.status,
        title: `AAAA of "${name.name}" is ${address}: ${trouble.why}`,
        evidence: dnsEvidence(name, ['AAAA']),
        fix: [{ text: 'Publish the address that the host really has for others, or no AAAA record' }],
      },
    ];
  });
  const local = addresses.filter((address) => kindOf(address) === 'ula');
  if (local.length > 0 && published(name, 4).some((address) => kindOf(address) === 'global')) {
    drafts.push({
      status: 'warn',
      title: `"${name.name}" has a public A record, but its AAAA ${local.join(', ')} is local to a site (fc00::/7)`,
      confidence: 'likely',
      evidence: dnsEvidence(name),
      fix: [{ text: 'Publish a global address, or serve the local one only inside the site' }],
    });
  }
  return found(...drafts);
}
