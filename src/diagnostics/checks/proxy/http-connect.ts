import type { Fix } from '../../../api/doctor.ts';
import { defineCheck, found, nothing, skip } from '../../check.ts';
import { pasted } from '../../evidence.ts';
import type { WayFacts, WayFailure } from '../../facts/ways.ts';
import type { TargetSubject } from '../../subject.ts';
import { gatherWay, topics, wayEvidence } from './question.ts';

export const prx02 = defineCheck<'target', WayFacts | undefined>({
  id: 'PRX-02',
  title: 'the HTTP proxy connects to the target (CONNECT)',
  about: 'target',
  topics,
  needs: [],
  behindHops: true,
  rung: 'R2',
  gather: (context, target) => gatherWay(context, target, 'http'),
  judge(way, target) {
    if (way === undefined) return skip('no HTTP proxy is on the way');
    const { failure } = way;
    if (failure === null) return nothing;
    if (failure.kind === null) return skip('PTH-01');
    if (failure.kind !== 'http') return skip('another hop on the way fails');
    return found({
      status: 'error',
      title: titleOf(failure, target),
      evidence: wayEvidence(way),
      fix: fixesOf(failure, target),
    });
  },
});

function titleOf(failure: WayFailure, target: TargetSubject): string {
  const hop = failure.hop ?? 'the proxy';
  if (failure.code === 'BBX-NET-PROXY-LOGIN')
    return failure.loginGiven ? `${hop} refuses the user and password` : `${hop} wants a user and password`;
  if (failure.code === 'BBX-NET-TIME') return `${hop} takes the connection, and does not answer`;
  if (
    failure.code === 'BBX-NET-NETRC' ||
    failure.code === 'BBX-NET-CERTIFICATE' ||
    failure.code === 'BBX-NET-TLS'
  )
    return failure.message;
  const status = failure.reply === null ? '' : ` (${failure.problem ?? failure.reply})`;
  if (failure.reply === 403 || failure.reply === 405)
    return `${hop} does not allow connections to ${target.text}${status}`;
  if (failure.reply !== null && failure.reply >= 500)
    return `${hop} cannot reach ${target.text} itself${status}`;
  return `${hop} makes no connection to ${target.text}: ${failure.problem ?? failure.message}`;
}

function fixesOf(failure: WayFailure, target: TargetSubject): Fix[] {
  if (failure.code === 'BBX-NET-PROXY-LOGIN' || failure.code === 'BBX-NET-NETRC')
    return [{ text: failure.hint ?? 'Look into ~/.netrc', commands: ['ls -l ~/.netrc'] }];
  const port = target.port ?? 0;
  if (failure.reply === 403 || failure.reply === 405) {
    return [
      {
        text: `Let the proxy allow CONNECT to port ${port} (tinyproxy: "ConnectPort ${port}"; Squid: "acl SSL_ports port ${port}")`,
      },
    ];
  }
  if (failure.reply !== null && failure.reply >= 500) {
    return [
      {
        text: "Look from the proxy's own host whether it finds the name, has a route and the family",
        commands: [`bbx doctor reach ${pasted(target.text)}`],
      },
    ];
  }
  return [{ text: 'Look whether that port is an HTTP proxy, and into its log' }];
}
