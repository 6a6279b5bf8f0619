import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { dnsEvidence } from '../../evidence.ts';
import type { NameFacts } from '../../facts/names.ts';
import { dig, gather, isAnswered, noName, topics } from './question.ts';

export const dns12 = defineCheck<'target', NameFacts>({
  id: 'DNS-12',
  title: 'answers that need TCP come (port 53)',
  about: 'target',
  topics,
  needs: [],
  gather,
  judge: (name) => judgeCut(name),
});

function judgeCut(name: NameFacts): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  const lost = name.servers.filter((server) =>
    [server.A, server.AAAA].some((reply) => reply.cut === true && !isAnswered(reply)),
  );
  if (lost.length === 0) return nothing;
  const all = lost.length === name.servers.length;
  return found({
    status: all ? 'error' : 'warn',
    title: `The answer about "${name.name}" is too long for UDP, and ${lost.map(({ server }) => server).join(', ')} does not answer over TCP`,
    evidence: dnsEvidence(name),
    fix: [
      {
        text: 'Let TCP port 53 through to the nameserver (RFC 7766 asks for it), or let it serve TCP',
        commands: [dig('+tcp', name.name, lost[0]?.server ?? '')],
      },
    ],
  });
}
