import type { Fix } from '../../../api/doctor.ts';
import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip } from '../../check.ts';
import { pasted } from '../../evidence.ts';
import type { WayFacts, WayFailure } from '../../facts/ways.ts';
import type { TargetSubject } from '../../subject.ts';
import { gatherWay, topics, wayEvidence } from './question.ts';

export const prx05 = defineCheck<'target', WayFacts | undefined>({
  id: 'PRX-05',
  title: 'the SOCKS proxy connects to the target',
  about: 'target',
  topics,
  needs: [],
  behindHops: true,
  rung: 'R2',
  gather: (context, target) => gatherWay(context, target, 'socks5'),
  judge(way, target) {
    if (way === undefined) return skip('no SOCKS proxy is on the way');
    const { failure } = way;
    if (failure === null) return nothing;
    if (failure.kind === null) return skip('PTH-01');
    if (failure.kind !== 'socks5') return skip('another hop on the way fails');
    return found({
      status: 'error',
      title: titleOf(failure, target),
      evidence: wayEvidence(way),
      fix: fixesOf(failure, target),
    });
  },
});

/** Replies of RFC 1928 that say: the proxy itself got no further. */
const OWN_WAY = new Set([1, 3, 4, 5, 6]);

function titleOf(failure: WayFailure, target: TargetSubject): string {
  const hop = failure.hop ?? 'the proxy';
  if (failure.code === 'BBX-NET-PROXY-LOGIN')
    return failure.loginGiven ? `${hop} refuses the user and password` : `${hop} wants a user and password`;
  if (failure.code === 'BBX-NET-TIME') return `${hop} takes the connection, and does not answer`;
  if (failure.code === 'BBX-NET-NETRC') return failure.message;
  return `${hop} makes no connection to ${target.text}: ${failure.problem ?? failure.message}`;
}

function fixesOf(failure: WayFailure, target: TargetSubject): Fix[] {
  if (failure.code === 'BBX-NET-PROXY-LOGIN' || failure.code === 'BBX-NET-NETRC')
    return [{ text: failure.hint ?? 'Look into ~/.netrc', commands: ['ls -l ~/.netrc'] }];
  if (failure.reply === 2) return [{ text: `Let the rules of the proxy allow ${target.text}` }];
  if (failure.reply === 8) {
    const family = familyOf(target.host);
    return [
      {
        text:
          family === 6
            ? 'Give a name instead of the IPv6 address: this proxy takes no IPv6 addresses'
            : 'Give an address instead of the name: this proxy looks no names up',
      },
    ];
  }
  if (failure.reply !== null && OWN_WAY.has(failure.reply)) {
    return [
      {
        text: "Look from the proxy's own host whether it finds the name, has a route and the family, and who listens there",
        commands: [`bbx doctor reach ${pasted(target.text)}`],
      },
    ];
  }
  return [{ text: 'Look whether that port is a SOCKS 5 proxy, and into its log' }];
}
