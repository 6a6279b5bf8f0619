import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { peerEvidence, seconds } from '../../evidence.ts';
import type { PeerFact } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import { gather, noPeer, topics, type PeersAt } from './question.ts';

export const pro03 = defineCheck<'target', PeersAt>({
  id: 'PRO-03',
  title: 'it speaks after it accepts',
  about: 'target',
  behindHops: true,
  topics,
  needs: ['PTH-01'],
  causes: ['PRX-08', 'PTH-06', 'PTH-01', 'LSN-11'],
  gather,
  judge: ({ at, peers, lost }, target) => (lost === undefined ? judgeSilence(peers, target, at) : skip(lost)),
});

function judgeSilence(peers: readonly PeerFact[], target: TargetSubject, at: string): Judgement {
  const none = noPeer(target);
  if (none !== undefined) return skip(none);
  const silent = peers.filter((peer) => peer.kind === 'silent');
  const port = target.port ?? 0;
  if (silent.length === 0) return nothing;
  return found({
    status: 'error',
    title: `${target.text} accepts connections, but says nothing for ${seconds(Math.max(...silent.map((peer) => peer.ms)))}`,
    evidence: peers.map((peer) => peerEvidence(peer, port, at)),
    fix: [
      {
        text: 'The program behind it hangs, or a proxy, tunnel or load balancer accepts for a dead far end: look there, and start it again',
      },
    ],
  });
}
