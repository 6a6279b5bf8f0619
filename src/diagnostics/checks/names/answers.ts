import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { dnsEvidence, lookupEvidence, pasted, replyText } from '../../evidence.ts';
import type { NameFacts } from '../../facts/names.ts';
import { gather, isAnswered, isGood, noName, topics } from './question.ts';

export const dns01 = defineCheck<'target', NameFacts>({
  id: 'DNS-01',
  title: 'A and AAAA from each nameserver',
  about: 'target',
  topics,
  needs: [],
  causes: ['LIM-01', 'DNS-13', 'DNS-12', 'DNS-11'],
  rung: 'R0',
  gather,
  judge: (name) => judgeAnswers(name),
});

function judgeAnswers(name: NameFacts): Judgement {
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
          commands: ['cat /etc/resolv.conf', `getent ahosts ${pasted(name.name)}`],
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
  // Another answer, such as that there is no such name, is DNS-15's to tell.
  const dead = name.servers.filter((server) => !isAnswered(server.A) && !isAnswered(server.AAAA));
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
