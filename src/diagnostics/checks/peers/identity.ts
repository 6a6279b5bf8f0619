import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence, pasted, peerEvidence } from '../../evidence.ts';
import type { PeerFact, PeerKind } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import { ANSWERED, gather, noPeer, PEER_NAMES, topics, type PeersAt } from './question.ts';

export const pro01 = defineCheck<'target', PeersAt>({
  id: 'PRO-01',
  title: 'it is the right master',
  about: 'target',
  topics,
  needs: [...ANSWERED, 'PRO-04', 'PRO-07'],
  causes: ['PRX-08', 'PTH-06', 'PTH-01', 'PRO-03', 'PRX-06', 'PRO-04'],
  behindHops: true,
  rung: 'R4',
  gather,
  judge: ({ at, peers, lost }, target) => {
    if (target.protocol === 'pb' || target.protocol === 'msgpack') return skip('PRO-02 asks for that');
    return lost === undefined ? judgeIdentity(peers, target, at) : skip(lost);
  },
});

function judgeIdentity(peers: readonly PeerFact[], target: TargetSubject, at: string): Judgement {
  const none = noPeer(target);
  if (none !== undefined) return skip(none);
  const speaking = peers.filter((peer) => peer.kind !== 'silent');
  const port = target.port ?? 0;
  const got = peers.map((peer) => peerEvidence(peer, port, at));
  if (speaking.length === 0) {
    return found({
      status: 'unknown',
      title: `Who answers at ${target.text} could not be found out`,
      evidence: got,
    });
  }
  const expected: PeerKind = target.protocol === 'http' ? 'http' : 'bbx';
  const stranger = speaking.find((peer) => peer.kind !== expected);
  if (stranger !== undefined) {
    const where = speaking.length > 1 ? ` at ${printHostPort(stranger.address, port)}` : '';
    return found({
      status: 'error',
      title: `${target.text}${where} is not ${PEER_NAMES[expected]} but ${PEER_NAMES[stranger.kind]}${strangerWords(stranger)}`,
      evidence: got,
      fix: [
        {
          text:
            stranger.kind === 'pb'
              ? 'Use the port of a bbx master, or let a stock worker connect here'
              : stranger.kind === 'http'
                ? `Use the master's worker port (9989, "listen.workers"), not its web port; through a web port a worker comes as wss://…`
                : 'Check host and port; look what program has that port',
          ...(target.protocol === 'bbx' && stranger.kind !== 'pb'
            ? {
                commands: [
                  `bbx doctor reach ${pasted(target.text)} --protocol ${stranger.kind === 'http' ? 'http' : 'tcp'}`,
                ],
              }
            : {}),
        },
      ],
    });
  }
  if (expected !== 'bbx') return nothing;
  const instances = [...new Set(speaking.map((peer) => peer.instance))];
  if (instances.length > 1) {
    return found({
      status: 'error',
      title: `The addresses of ${target.text} are different masters`,
      evidence: got,
      fix: [{ text: 'Withdraw the address records of the one that is not meant' }],
    });
  }
  const [instance] = instances;
  if (target.pins.length > 0 && instance != null && !target.pins.includes(instance)) {
    return found({
      status: 'error',
      title:
        target.source === 'command line' && target.workerName === undefined
          ? `${target.text} is not the one that printed the token`
          : `${target.text} is another master than the one this worker knows`,
      evidence: [...got, evidence('file', `${target.source} pin`, target.pins.join(', '), at)],
      fix: [
        {
          text: 'If the master was made anew: take a new join string from it; else look who answers at that address',
          commands: [`bbx worker add ${target.workerName ?? 'NAME'} --renew`],
        },
      ],
    });
  }
  return nothing;
}

function strangerWords(peer: PeerFact): string {
  if (peer.kind === 'other' && peer.firstBytes !== '') return ` (first bytes ${peer.firstBytes})`;
  if (peer.kind === 'bbx' && peer.problem !== null) return `: ${peer.problem}`;
  return '';
}
