import { kindOf } from '../../../net/address-kind.ts';
import { defineCheck, found, nothing, skip, type CheckContext, type Judgement } from '../../check.ts';
import { attemptEvidence, pasted, peerEvidence } from '../../evidence.ts';
import type { PeerFact, PeerKind } from '../../facts/paths.ts';
import type { NobodyFacts } from '../../facts/trouble.ts';
import type { TargetSubject } from '../../subject.ts';
import { gather as gatherPeers, noPeer } from '../peers/question.ts';
import { topics } from './question.ts';

interface Facts {
  readonly at: string;
  readonly peers: readonly PeerFact[];
  /** Undefined: whoever was meant has answered, so it was not asked. */
  readonly nobody: NobodyFacts | undefined;
}

export const prx08 = defineCheck<'target', Facts>({
  id: 'PRX-08',
  title: 'nothing on the way answers in the place of others',
  about: 'target',
  topics,
  needs: ['PTH-01'],
  gather,
  judge: judgeImposter,
});

async function gather(context: CheckContext, target: TargetSubject): Promise<Facts> {
  const { at, peers } = await gatherPeers(context, target);
  const strange = peers.some((peer) => isStranger(peer, target));
  return { at, peers, nobody: strange ? await context.probes.nobody(target) : undefined };
}

/** Somebody else than was meant, of another host: on this one no network stands between. */
function isStranger({ kind, address }: PeerFact, { protocol }: TargetSubject): boolean {
  const expected: PeerKind = protocol === 'tcp' || protocol === 'tls' ? 'other' : protocol;
  return kind !== expected && kindOf(address) !== 'loopback';
}

/** A connection to an address that no host has can only come up with something between: a captive portal, or a proxy that nobody sees. */
function judgeImposter({ at, peers, nobody }: Facts, target: TargetSubject): Judgement {
  const none = noPeer(target);
  if (none !== undefined) return skip(none);
  if (nobody === undefined) return skip('whoever was meant has answered');
  const up = nobody.attempts.filter(({ outcome }) => outcome === 'connected');
  const [first] = up;
  if (first === undefined) return nothing;
  const speaks = peers.some(({ kind }) => kind === 'http');
  return found({
    status: 'error',
    title: `Something in this network answers for every host on port ${first.port}: a connection to ${first.address}, which is nobody's, comes up as well`,
    evidence: [
      ...peers.map((peer) => peerEvidence(peer, target.port ?? 0, at)),
      ...up.map((attempt) => attemptEvidence(attempt, nobody.at)),
    ],
    fix: [
      ...(speaks
        ? [
            {
              text: 'Open any http:// page in a browser of this network: a page to log in or agree may be waiting there',
            },
          ]
        : []),
      {
        text: `Ask for TCP port ${first.port} to be let through untouched, or go by a proxy or ssh host that is meant for it (via: in worker.yaml)`,
        commands: [`bbx doctor reach ${pasted(target.text)} --via ssh:HOST`],
      },
    ],
  });
}
