import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { peerEvidence } from '../../evidence.ts';
import type { PeerFact } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import { ANSWERED, WHY_ANOTHER, gather, noPeer, topics, type PeersAt } from './question.ts';

export const pro04 = defineCheck<'target', PeersAt>({
  id: 'PRO-04',
  title: 'a protocol version in common',
  about: 'target',
  topics,
  needs: ANSWERED,
  causes: WHY_ANOTHER,
  behindHops: true,
  gather,
  judge: ({ at, peers, lost }, target) => (lost === undefined ? judgeVersion(peers, target, at) : skip(lost)),
});

function judgeVersion(peers: readonly PeerFact[], target: TargetSubject, at: string): Judgement {
  const none = noPeer(target);
  if (none !== undefined) return skip(none);
  if (target.protocol !== 'bbx') return skip('no bbx master is asked for');
  const foreign = peers.filter((peer) => peer.code === 'BBX-PRO-VERSION');
  if (foreign.length === 0) {
    return peers.some((peer) => peer.version !== null) ? nothing : skip('no bbx master answers');
  }
  return found({
    status: 'error',
    title: `${target.text} is a bbx master, and speaks no version of the protocol that this bbx has`,
    evidence: foreign.map((peer) => peerEvidence(peer, target.port ?? 0, at)),
    fix: [
      {
        text: 'Install a bbx on the older side that is at most one protocol version behind; a master serves its own version and the one before',
        commands: ['bbx --version'],
      },
    ],
  });
}
