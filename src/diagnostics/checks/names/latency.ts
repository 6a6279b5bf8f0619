import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { dnsEvidence, lookupEvidence, seconds } from '../../evidence.ts';
import type { NameFacts, ServerReplies } from '../../facts/names.ts';
import { dig, gather, isAnswered, noName, topics } from './question.ts';

/** Longer than this people notice, and it is paid for every connection. */
const SLOW_MS = 1_000;
/** glibc's patience with one nameserver: programs with limits of their own give up about here. */
const GRAVE_MS = 5_000;

export const dns11 = defineCheck<'target', NameFacts>({
  id: 'DNS-11',
  title: 'how fast names are answered',
  about: 'target',
  topics,
  needs: [],
  causes: ['DNS-13', 'DNS-12', 'DNS-03'],
  gather,
  judge: (name) => judgeLatency(name),
});

function judgeLatency(name: NameFacts): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  // What the hosts file answers, nobody waits for.
  if (name.hosts.length > 0) return nothing;
  const [first, ...others] = name.servers;
  if (first === undefined) return skip('there is no nameserver');
  const got = [...dnsEvidence(name), ...lookupEvidence(name)];
  const waited = name.lookup?.ms ?? 0;
  const dead = (server: ServerReplies) => !isAnswered(server.A) && !isAnswered(server.AAAA);
  if (dead(first)) {
    if (others.every(dead)) return skip('DNS-01');
    return found({
      status: waited > GRAVE_MS || name.lookup === null ? 'error' : 'warn',
      title: `The first nameserver, ${first.server}, does not answer: every lookup waits for it${waited > SLOW_MS ? ` (${seconds(waited)} here)` : ''}`,
      evidence: got,
      fix: [
        {
          text: 'Take it out of /etc/resolv.conf, or put one first that answers',
          commands: ['cat /etc/resolv.conf'],
        },
        { text: 'Or let programs wait less for it: options timeout:1 attempts:2' },
      ],
    });
  }
  const slow = name.servers
    .flatMap((server) =>
      (['A', 'AAAA'] as const).map((type) => ({ server: server.server, type, ...server[type] })),
    )
    .filter((reply) => isAnswered(reply) && reply.ms > SLOW_MS)
    .sort((a, b) => b.ms - a.ms);
  const [slowest] = slow;
  if (slowest === undefined && waited <= SLOW_MS) return nothing;
  // A lookup that is slow while each nameserver is quick waits for something else; which is not known.
  const ms = Math.max(slowest?.ms ?? 0, waited);
  return found({
    status: ms > GRAVE_MS ? 'error' : 'warn',
    title:
      slowest === undefined
        ? `The system's lookup of "${name.name}" takes ${seconds(waited)}, although the nameservers answer quickly`
        : `${slowest.type} of "${name.name}" from ${slowest.server} takes ${seconds(slowest.ms)}`,
    confidence: slowest === undefined ? 'likely' : 'proven',
    evidence: got,
    fix: [
      slowest === undefined
        ? {
            text: 'Look at the other sources of the "hosts:" line, and at the search list of resolv.conf',
            commands: ['grep ^hosts /etc/nsswitch.conf', 'cat /etc/resolv.conf'],
          }
        : {
            text: "Mend that nameserver, or the zone's own that it asks; or ask another",
            commands: [dig(slowest.type, name.name, slowest.server)],
          },
    ],
  });
}
