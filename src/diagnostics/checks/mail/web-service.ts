import { printHostPort } from '../../../net/endpoint/host.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type Draft,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { dnsEvidence, evidence, pasted } from '../../evidence.ts';
import type { StatusSubject } from '../../far-subjects.ts';
import type { StatusFacts } from '../../facts/mail.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import { insistsOn, leavesOut } from '../../intent.ts';
import { PLACE_CAUSES, topics } from './question.ts';

interface Service {
  readonly facts: StatusFacts;
  readonly name: NameFacts;
}

export const ntf07 = defineCheck<'status', Service>({
  id: 'NTF-07',
  title: 'the web service that is told of builds',
  about: 'status',
  topics,
  needs: [],
  causes: PLACE_CAUSES,
  async gather(context, service) {
    const [facts, name] = await Promise.all([
      context.probes.status(service),
      context.probes.name(service.host),
    ]);
    return { facts, name };
  },
  judge: judgeService,
});

function judgeService({ facts, name }: Service, service: StatusSubject, context: JudgeContext): Judgement {
  if (service.own !== undefined) return skip('it is the farm itself (NTF-09)');
  const { addresses, at } = facts;
  if (addresses.length === 0) return skip('PTH-01');
  const got = addresses.map((one) =>
    evidence(
      'peer',
      `HEAD ${service.text} at ${printHostPort(one.address, service.port)}`,
      `${one.status === null ? (one.problem ?? 'no answer') : `HTTP ${one.status}`}${one.distrust === null ? '' : `, certificate: ${one.distrust}`} in ${one.ms} ms`,
      at,
    ),
  );
  const drafts: Draft[] = [];
  // That a base address alone is not allowed, or not there, is an answer.
  const bad = addresses.filter(({ status }) => status === null || status >= 500);
  const distrusted = addresses.filter(({ distrust }) => distrust !== null);
  const all = bad.length === addresses.length;
  if (bad.length > 0) {
    drafts.push({
      status: all ? 'error' : 'warn',
      title: `${service.text} does not answer${all ? '' : ` at ${bad.map(({ address }) => address).join(', ')}`}: ${bad[0]?.status === null ? (bad[0].problem ?? '') : `HTTP ${bad[0]?.status ?? ''}`}`,
      evidence: got,
      fix: [
        {
          text: 'Check the base address, and look at that service',
          commands: [`curl -sSI ${pasted(service.text)}`],
        },
      ],
    });
  } else if (distrusted.length > 0) {
    drafts.push({
      status: 'error',
      title: `The certificate of ${service.text} is not taken: ${distrusted[0]?.distrust ?? ''}`,
      evidence: got,
      fix: [
        {
          text: 'Let the service show its whole chain, or trust its authority',
          commands: [`bbx doctor tls ${pasted(printHostPort(service.host, service.port))}`],
        },
      ],
    });
  }
  // Where txrequests is installed, Buildbot sends with Python's requests, which from PyPI trusts certifi's list alone.
  const added = service.client === 'twisted' ? addedToSystem(addresses) : undefined;
  if (added !== undefined)
    drafts.push({
      status: 'warn',
      confidence: 'possible',
      title: `The certificate of ${service.text} is signed by an authority that this host's own list alone has ("${added}"): Buildbot with txrequests from PyPI does not look there`,
      evidence: got,
      fix: [
        {
          text: "Set REQUESTS_CA_BUNDLE in the master's environment to the file of the system's list (Debian: /etc/ssl/certs/ca-certificates.crt), and start the master anew",
        },
      ],
    });
  const lacks6 =
    name.literal === null && !name.localhost && published(name, 6).length === 0 && name.hosts.length === 0;
  if (lacks6 && !leavesOut(context.intent, 6)) {
    drafts.push({
      status: leavesOut(context.intent, 4) ? 'error' : insistsOn(context.intent, 6) ? 'warn' : 'info',
      title: `${service.host} has no AAAA: an IPv6-only master cannot tell it of builds`,
      evidence: [...dnsEvidence(name), ...got],
      fix: [{ text: 'Give such a master NAT64 with DNS64, or an HTTP proxy that has IPv4' }],
    });
  }
  return drafts.length === 0 ? nothing : found(...drafts);
}

/** The authority that the system trusts and Node's list does not have, behind the first certificate that is taken for it. */
function addedToSystem(addresses: StatusFacts['addresses']): string | undefined {
  const one = addresses.find(({ distrust, added }) => distrust === null && added?.from === 'system');
  return one?.added?.subject;
}
