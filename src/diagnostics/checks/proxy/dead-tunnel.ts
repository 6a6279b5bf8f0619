import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence, pasted, peerEvidence } from '../../evidence.ts';
import type { PeerFact } from '../../facts/paths.ts';
import type { HolderFacts, WayFacts } from '../../facts/ways.ts';
import type { TargetSubject } from '../../subject.ts';
import { noPeer, gather as gatherPeers } from '../peers/question.ts';
import { gatherWay, topics, wayEvidence } from './question.ts';

interface TunnelFacts {
  readonly at: string;
  readonly way: WayFacts | undefined;
  readonly peers: readonly PeerFact[];
  readonly holder: HolderFacts | undefined;
}

export const prx06 = defineCheck<'target', TunnelFacts>({
  id: 'PRX-06',
  title: 'the far end of a tunnel is alive',
  about: 'target',
  topics,
  needs: ['PTH-01'],
  causes: ['PRX-08', 'PTH-06', 'PTH-01', 'LSN-11'],
  behindHops: true,
  async gather(context, target) {
    const way = await gatherWay(context, target, 'ssh');
    const { at, peers } = await gatherPeers(context, target);
    const closed = peers.length > 0 && peers.every(({ kind }) => kind === 'closed');
    return { at, way, peers, holder: closed ? await context.probes.holder(target) : undefined };
  },
  judge: (facts, target) => judgeTunnel(facts, target),
});

/** Programs that pass connections on, and take them before they know whether there is a far end. */
export const FORWARDERS =
  /^(ssh|sshd|autossh|socat|stunnel4?|haproxy|kubectl|gost|chisel|frpc?|rinetd|docker-proxy)\b/;

function judgeTunnel({ at, way, peers, holder }: TunnelFacts, target: TargetSubject): Judgement {
  if (way?.failure?.kind === 'ssh') return sshFails(way, target);
  const none = noPeer(target);
  if (none !== undefined) return skip(none);
  if (peers.length === 0 || !peers.every(({ kind }) => kind === 'closed')) return nothing;
  const forwarder = holder?.owners.find((owner) => FORWARDERS.test(owner));
  return found({
    status: 'error',
    title:
      forwarder === undefined
        ? `${target.text} takes connections and closes them without a word: most likely a tunnel, proxy or port forward whose far end is dead`
        : `${forwarder.replace(/ \(.*/, '')} takes connections for ${target.text} and closes them: the far end of its tunnel is dead`,
    confidence: forwarder === undefined ? 'possible' : 'proven',
    evidence: [
      ...peers.map((peer) => peerEvidence(peer, target.port ?? 0, at)),
      ...(holder?.owners ?? []).map((owner) =>
        evidence('proc', `who listens on port ${target.port ?? 0} here`, owner, at),
      ),
    ],
    fix: [
      {
        text: 'Look whether the master runs where the tunnel ends, and on the port and family that the tunnel names; let ssh end when its forwarding breaks, so that it is made anew',
        commands: [
          'ssh -N -o ExitOnForwardFailure=yes -o ServerAliveInterval=15 -L 9989:localhost:9989 HOST',
        ],
      },
    ],
  });
}

function sshFails(way: WayFacts, target: TargetSubject): Judgement {
  const { failure } = way;
  if (failure === null) return nothing;
  const far = /open failed|forwarding failed|refused|administratively/i.test(failure.problem ?? '');
  return found({
    status: 'error',
    title: far
      ? `${failure.hop ?? 'ssh'} cannot connect to ${target.text} from there: ${failure.problem ?? ''}`
      : `${failure.hop ?? 'ssh'} does not let us through: ${failure.problem ?? failure.message}`,
    evidence: wayEvidence(way),
    fix: [
      {
        text:
          failure.hint ??
          (far
            ? 'Look on that host whether the target can be reached from it'
            : 'Try the same ssh by hand, without questions'),
        commands: far
          ? [`bbx doctor reach ${pasted(target.text)}`]
          : [
              `ssh -o BatchMode=yes -v ${
                (failure.hop ?? 'ssh:HOST')
                  .split(', ')[0]
                  ?.replace(/^ssh:/, '')
                  .replace(/:(\d+)$/, ' -p $1') ?? ''
              } true`,
            ],
      },
    ],
  });
}
