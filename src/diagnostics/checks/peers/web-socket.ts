import type { Fix } from '../../../api/doctor.ts';
import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { pasted, peerEvidence } from '../../evidence.ts';
import type { PeerFact } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import { ANSWERED, WHY_ANOTHER, gather, noPeer, topics, type PeersAt } from './question.ts';

export const pro07 = defineCheck<'target', PeersAt>({
  id: 'PRO-07',
  title: "a web port passes a worker's WebSocket",
  about: 'target',
  topics,
  needs: ANSWERED,
  causes: WHY_ANOTHER,
  behindHops: true,
  gather,
  judge: ({ at, peers, lost }, target) => (lost === undefined ? judgeUpgrade(peers, target, at) : skip(lost)),
});

/** Errors of what stands before the worker path: HTTP, and the TLS of the web port. */
const BEFORE = new Set(['BBX-NET-UPGRADE', 'BBX-NET-CERTIFICATE', 'BBX-NET-TLS']);

function judgeUpgrade(peers: readonly PeerFact[], target: TargetSubject, at: string): Judgement {
  const none = noPeer(target);
  if (none !== undefined) return skip(none);
  if (target.web === undefined) return skip('it is no wss:// or ws:// address');
  const stopped = peers.filter(({ code }) => code !== null && BEFORE.has(code));
  const [one] = stopped;
  if (one === undefined) return nothing;
  return found({
    status: 'error',
    title: `A worker does not get through ${target.text}: ${one.problem ?? one.code ?? ''}`,
    evidence: stopped.map((peer) => peerEvidence(peer, target.port ?? 0, at)),
    fix: [fixFor(one, target)],
  });
}

function fixFor({ code, problem }: PeerFact, target: TargetSubject): Fix {
  if (code !== 'BBX-NET-UPGRADE') {
    return {
      text: 'Look at the certificate of the web port, which must be good for everybody',
      commands: [`bbx doctor tls ${pasted(printHostPort(target.host, target.port ?? 443))}`],
    };
  }
  if (problem !== null && /answered 40[34]/.test(problem))
    return {
      text: `Look at the path: a master's web port takes workers at /bbx/worker, this is ${target.web?.path ?? '/'}`,
    };
  return {
    text: 'Let the web server or proxy in front pass WebSockets on, and let it wait longer than the heartbeat (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_read_timeout 1h;)',
  };
}
