import { defineCheck, found, nothing, type Judgement } from '../../check.ts';
import { peerEvidence } from '../../evidence.ts';
import type { ListenerFacts } from '../../facts/listeners.ts';
import type { PeerFact } from '../../facts/paths.ts';
import type { ListenerSubject } from '../../subject.ts';
import { topics } from './question.ts';
import { rowsEvidence } from './rows.ts';

export const lsn07 = defineCheck<'listener', { facts: ListenerFacts; peers: readonly PeerFact[] }>({
  id: 'LSN-07',
  title: 'one program for both families',
  about: 'listener',
  topics,
  needs: ['LSN-01'],
  async gather(context, listener) {
    const facts = await context.probes.listener(listener);
    const rows = facts.rows ?? [];
    // One socket cannot be two programs; only two are asked who they are.
    const both = rows.some((row) => row.family === 4) && rows.some((row) => row.family === 6);
    const peers = both && listener.state !== 'stopped' ? await context.probes.listenerPeers(listener) : [];
    return { facts, peers };
  },
  judge: ({ facts, peers }, listener) => judgeSplit(facts, peers, listener),
});

function judgeSplit(facts: ListenerFacts, peers: readonly PeerFact[], listener: ListenerSubject): Judgement {
  const identities = peers.filter((peer) => peer.kind !== 'closed');
  const nameOfPeer = (peer: PeerFact) => (peer.kind === 'bbx' ? `bbx ${peer.instance ?? ''}` : peer.kind);
  const four = identities.find((peer) => peer.family === 4);
  const six = identities.find((peer) => peer.family === 6);
  if (four === undefined || six === undefined || nameOfPeer(four) === nameOfPeer(six)) return nothing;
  return found({
    status: 'error',
    title: `Two different programs answer on port ${listener.port}: IPv4 ${nameOfPeer(four)}, IPv6 ${nameOfPeer(six)}`,
    evidence: [
      ...rowsEvidence(facts, listener.port),
      ...identities.map((peer) => peerEvidence(peer, listener.port, facts.at)),
    ],
    fix: [
      {
        text: 'Stop one of them, and let the other listen on [::]',
        commands: [`ss -ltnp sport = :${listener.port}`],
      },
    ],
  });
}
