import { kindOf, type AddressKind } from '../../net/address-kind.ts';
import { familyOf } from '../../net/endpoint/host.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type Draft,
  type Judgement,
  type JudgeContext,
} from '../check.ts';
import { dnsEvidence, evidence, lookupEvidence, replyText, seconds } from '../evidence.ts';
import { published, type DnsReply, type NameFacts } from '../facts/names.ts';
import type { CheckContext } from '../check.ts';
import { insistsOn, leavesOut } from '../intent.ts';
import type { TargetSubject } from '../subject.ts';

const topics = ['dns', 'ipv6', 'reach'] as const;
const gather = (context: CheckContext, target: TargetSubject) =>
  context.probes.name(target.host, target.server);

/** Why DNS is not asked at all, or undefined. */
function noName(name: NameFacts): string | undefined {
  if (name.literal !== null) return 'it is an address, not a name';
  if (name.localhost) return 'localhost is never asked of DNS';
  return undefined;
}

const GOOD = new Set<DnsReply['outcome']>(['answer', 'nodata']);
const isGood = (reply: DnsReply) => GOOD.has(reply.outcome);

export const dns01 = defineCheck<'target', NameFacts>({
  id: 'DNS-01',
  title: 'A and AAAA from each nameserver',
  about: 'target',
  topics,
  needs: [],
  rung: 'R0',
  gather,
  judge: (name) => judgeAnswers(name),
});

export function judgeAnswers(name: NameFacts): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  const inHosts = name.hosts.length > 0;
  const got = [...dnsEvidence(name), ...lookupEvidence(name)];
  if (name.servers.length === 0) {
    if ((name.lookup?.addresses.length ?? 0) > 0 || inHosts)
      return skip('the system gives the name without a nameserver');
    return found({
      status: 'error',
      title: `"${name.name}" cannot be resolved: this host has no nameserver`,
      evidence: got,
      fix: [{ text: 'Name a nameserver in /etc/resolv.conf', commands: ['cat /etc/resolv.conf'] }],
    });
  }
  const replies = name.servers.flatMap((server) => [server.A, server.AAAA]);
  if (replies.every((reply) => reply.outcome === 'nxdomain')) {
    if (inHosts || (name.lookup?.addresses.length ?? 0) > 0)
      return skip('the system knows the name from elsewhere than DNS');
    return found({
      status: 'error',
      title: `The name "${name.name}" does not exist`,
      evidence: got,
      fix: [
        {
          text: 'Check the spelling; add A and AAAA records for it, or write the address itself: [2001:db8::2]:9989',
        },
      ],
    });
  }
  if (!replies.some(isGood)) {
    // What the hosts file answers is not asked of DNS by any program.
    if (inHosts) return skip('the hosts file answers it');
    const words = [...new Set(replies.map(replyText))].slice(0, 3).join('; ');
    return found({
      status: 'error',
      title: `No nameserver answers for "${name.name}": ${words}`,
      evidence: got,
      fix: [
        {
          text: 'Look whether the nameservers are right and reachable from here',
          commands: ['cat /etc/resolv.conf', `getent ahosts ${name.name}`],
        },
      ],
    });
  }
  if (
    replies.every((reply) => reply.outcome === 'nodata') &&
    !inHosts &&
    (name.lookup?.addresses.length ?? 0) === 0
  ) {
    return found({
      status: 'error',
      title: `The name "${name.name}" exists, but has neither an A nor an AAAA record`,
      evidence: got,
      fix: [{ text: 'Add A and AAAA records for it' }],
    });
  }
  const dead = name.servers.filter((server) => !isGood(server.A) && !isGood(server.AAAA));
  if (dead.length > 0) {
    return found({
      status: 'warn',
      title: `${dead.map((server) => server.server).join(', ')}: ${dead.length === 1 ? 'this nameserver does' : 'these nameservers do'} not answer; others do`,
      evidence: got,
      fix: [{ text: 'Take it out of /etc/resolv.conf, or put it last: each lookup waits for it' }],
    });
  }
  return nothing;
}

export const dns02 = defineCheck<'target', NameFacts>({
  id: 'DNS-02',
  title: 'what programs get for the name',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['DNS-01', 'HST-01', 'HST-02', 'HST-08', 'DNS-03'],
  rung: 'R0',
  gather,
  judge: (name) => judgeLookup(name),
});

export function judgeLookup(name: NameFacts): Judgement {
  if (name.literal !== null) return skip('it is an address, not a name');
  if (name.lookup === null) {
    return found({
      status: 'unknown',
      title: `The system's lookup of "${name.name}" gave nothing in time`,
      evidence: lookupEvidence(name),
    });
  }
  if (name.lookup.addresses.length > 0) return nothing;
  const inDns = [...published(name, 4), ...published(name, 6)];
  return found({
    status: 'error',
    title:
      inDns.length > 0
        ? `DNS has addresses for "${name.name}", but programs on this host get none (${name.lookup.errno ?? 'nothing'})`
        : `Programs on this host get no address for "${name.name}" (${name.lookup.errno ?? 'nothing'})`,
    evidence: [...lookupEvidence(name), ...dnsEvidence(name)],
    fix: [
      {
        text: 'Look at the "hosts:" line of nsswitch.conf and at resolv.conf',
        commands: [`getent ahosts ${name.name}`, 'grep ^hosts /etc/nsswitch.conf'],
      },
    ],
  });
}

export const dns03 = defineCheck<'target', NameFacts>({
  id: 'DNS-03',
  title: 'AAAA answered as well as A',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['DNS-01'],
  gather,
  judge: (name, _target, context) => judgeAaaa(name, context),
});

export function judgeAaaa(name: NameFacts, context: JudgeContext): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  if (leavesOut(context.intent, 6)) return skip('IPv6 is not meant here');
  const bad = name.servers.filter((server) => isGood(server.A) && !isGood(server.AAAA));
  const [first] = bad;
  if (first === undefined) return nothing;
  const slow = bad.some((server) => server.AAAA.outcome === 'timeout');
  const wait = Math.max(...bad.map((server) => server.AAAA.ms));
  return found({
    status: slow ? 'error' : 'warn',
    title: slow
      ? `AAAA of "${name.name}" is never answered (A is): every lookup waits ${seconds(wait)} and more, IPv6 is never used`
      : `AAAA of "${name.name}" is answered with ${replyText(first.AAAA)} where A is fine: IPv6 is never used`,
    evidence: [...dnsEvidence(name), ...lookupEvidence(name)],
    fix: [
      {
        text: "Mend the zone's nameserver: a name without IPv6 is answered NOERROR with no records (RFC 4074); let no filter drop or refuse AAAA questions",
        commands: [
          `dig +norecurse AAAA ${name.name} @${first.server.replace(/^\[(.*)\]:\d+$/, '$1').replace(/^([\d.]+):\d+$/, '$1')}`,
        ],
      },
    ],
  });
}

export const dns04 = defineCheck<'target', NameFacts>({
  id: 'DNS-04',
  title: 'an AAAA record where IPv6 is meant',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['DNS-01', 'DNS-03'],
  gather,
  judge: (name, _target, context) => judgeMissingAaaa(name, context),
});

export function judgeMissingAaaa(name: NameFacts, context: JudgeContext): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  if (!insistsOn(context.intent, 6)) return skip('IPv6 is not insisted on');
  // Every server that could be asked says that there is none; a bad answer is DNS-03's to tell.
  const answered = name.servers.filter((server) => isGood(server.AAAA));
  const v4 = published(name, 4);
  if (name.hosts.length > 0 || answered.length === 0 || published(name, 6).length > 0 || v4.length === 0)
    return nothing;
  return found({
    status: leavesOut(context.intent, 4) ? 'error' : 'warn',
    title: `"${name.name}" has no AAAA record: nobody reaches it over IPv6`,
    evidence: dnsEvidence(name),
    fix: [{ text: 'Add an AAAA record with the IPv6 address of that host' }],
  });
}

export const dns05 = defineCheck<'target', NameFacts>({
  id: 'DNS-05',
  title: 'the name for programs that ask A alone',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['DNS-01', 'HST-01'],
  gather,
  judge: (name, target, context) => judgeAOnlyClients(name, target, context),
});

export function judgeAOnlyClients(name: NameFacts, target: TargetSubject, context: JudgeContext): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  const v4 = [...published(name, 4), ...name.hosts.filter((address) => familyOf(address) === 4)];
  const v6 = [...published(name, 6), ...name.hosts.filter((address) => familyOf(address) === 6)];
  const got = dnsEvidence(name);
  if (v6.length > 0 && v4.length === 0) {
    // Some nameserver that did not answer for A may know one.
    if (
      name.servers.some((server) => !isGood(server.A) && server.A.outcome !== 'nxdomain') &&
      name.hosts.length === 0
    )
      return nothing;
    const meant = leavesOut(context.intent, 4);
    return found({
      status: meant ? 'info' : 'warn',
      title: `"${name.name}" has IPv6 addresses alone: bbx connects, programs that ask A alone do not`,
      evidence: [
        ...got,
        evidence(
          'dns',
          'who asks A alone',
          'stock Buildbot workers with tcp:, sendchange, try, mail by Twisted',
          name.at,
        ),
      ],
      fix: [
        { text: 'Add an A record, if there are such programs' },
        {
          text: `Or give them the literal or a tls: endpoint: tcp:host=${(v6[0] ?? '').replaceAll(':', '\\:')}:port=${target.port ?? 9989}`,
        },
        { text: 'Or write network: {families: [6]} in master.yaml, if IPv6 alone is meant' },
      ],
    });
  }
  if (v6.length > 0 && v4.length > 0 && leavesOut(context.intent, 4)) {
    return found({
      status: 'info',
      title: `"${name.name}" has A and AAAA: stock workers with tcp: will use IPv4`,
      evidence: got,
    });
  }
  return nothing;
}

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

export function judgeContent(name: NameFacts, context: JudgeContext): Judgement {
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

export const dns07 = defineCheck<'target', NameFacts>({
  id: 'DNS-07',
  title: 'the hosts file against DNS',
  about: 'target',
  topics,
  needs: [],
  gather,
  judge: (name) => judgeHostsFile(name),
});

export function judgeHostsFile(name: NameFacts): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  if (name.hosts.length === 0) return nothing;
  const dns = [...published(name, 4), ...published(name, 6)];
  // A host's own name on loopback is Debian's custom, and DNS-08 looks at what it does.
  if (dns.length === 0 || (name.ownName && name.hosts.every((address) => kindOf(address) === 'loopback')))
    return nothing;
  const differ = name.hosts.some((address) => !dns.includes(address));
  if (!differ) return nothing;
  const looped =
    name.hosts.some((address) => kindOf(address) === 'loopback') &&
    dns.some((address) => kindOf(address) !== 'loopback');
  return found({
    status: looped ? 'error' : 'warn',
    title: looped
      ? `The hosts file sends "${name.name}" to this host (${name.hosts.join(', ')}); DNS says ${dns.join(', ')}`
      : `The hosts file overrides DNS for "${name.name}": ${name.hosts.join(', ')} instead of ${dns.join(', ')}`,
    evidence: [
      evidence('file', `/etc/hosts: ${name.name}`, name.hosts.join(', '), name.at),
      ...dnsEvidence(name),
      ...lookupEvidence(name),
    ],
    fix: [
      { text: 'Remove or mend the line in /etc/hosts', commands: [`grep -n -w ${name.name} /etc/hosts`] },
    ],
  });
}

export const dns08 = defineCheck<'target', NameFacts>({
  id: 'DNS-08',
  title: "this host's own name on 127.0.1.1",
  about: 'target',
  topics,
  needs: [],
  gather,
  judge: (name, target, context) => judgeOwnName(name, target, context),
});

export function judgeOwnName(name: NameFacts, target: TargetSubject, context: JudgeContext): Judgement {
  if (!name.ownName || name.localhost) return skip("it is not this host's own name");
  const looped = name.hosts.filter((address) => kindOf(address) === 'loopback');
  if (looped.length === 0) return nothing;
  const trapped = context.subjects.find(
    (subject) =>
      subject.kind === 'listener' &&
      subject.state === 'running' &&
      subject.port === target.port &&
      !subject.hosts.some((host) => host === '::' || host === '0.0.0.0' || looped.includes(host)),
  );
  return found({
    status: trapped === undefined ? 'info' : 'warn',
    title:
      trapped === undefined
        ? `Here "${name.name}" means ${looped.join(', ')} (hosts file); other hosts must have it from DNS`
        : `Here "${name.name}" means ${looped.join(', ')} (hosts file), and nothing listens on that address`,
    evidence: [evidence('file', `/etc/hosts: ${name.name}`, name.hosts.join(', '), name.at)],
    ...(trapped === undefined
      ? {}
      : { fix: [{ text: 'Listen on [::], or give the name its real address in /etc/hosts' }] }),
  });
}

export const nameChecks = [dns01, dns02, dns03, dns04, dns05, dns06, dns07, dns08];
