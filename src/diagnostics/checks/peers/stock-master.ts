import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { peerEvidence } from '../../evidence.ts';
import type { PeerFact } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import { ANSWERED, WHY_ANOTHER, gather, noPeer, PEER_NAMES, topics, type PeersAt } from './question.ts';

export const pro02 = defineCheck<'target', PeersAt>({
  id: 'PRO-02',
  title: 'it is a stock Buildbot master',
  about: 'target',
  topics,
  needs: ANSWERED,
  causes: WHY_ANOTHER,
  behindHops: true,
  rung: 'R4',
  gather,
  judge: ({ at, peers, lost }, target) => (lost === undefined ? judgeStock(peers, target, at) : skip(lost)),
});

function judgeStock(peers: readonly PeerFact[], target: TargetSubject, at: string): Judgement {
  const none = noPeer(target);
  if (none !== undefined) return skip(none);
  if (target.protocol !== 'pb' && target.protocol !== 'msgpack') return skip('no stock master is asked for');
  const got = peers.map((peer) => peerEvidence(peer, target.port ?? 0, at));
  const speaking = peers.filter((peer) => peer.kind !== 'silent');
  if (speaking.length === 0) {
    return found({
      status: 'unknown',
      title: `Who answers at ${target.text} could not be found out`,
      evidence: got,
    });
  }
  const stranger = speaking.find((peer) => peer.kind !== target.protocol);
  if (stranger === undefined) return nothing;
  const wanted = PEER_NAMES[target.protocol];
  return found({
    status: 'error',
    title: `${target.text} is not ${wanted} but ${PEER_NAMES[stranger.kind]}`,
    evidence: got,
    fix: [
      {
        text:
          stranger.kind === 'pb' || stranger.kind === 'msgpack'
            ? 'Give the worker the protocol that this port speaks, or the port of the other one: c["protocols"] in master.cfg has both'
            : stranger.kind === 'bbx'
              ? 'Stock workers need a stock master; workers of a bbx master are bbx workers'
              : 'Look into c["protocols"] of master.cfg which port is meant; c["www"] is the web port',
      },
    ],
  });
}
