import { kindOf } from '../../../net/address-kind.ts';
import { defineCheck, found, skip, type CheckContext, type Judgement } from '../../check.ts';
import { attemptEvidence, pasted } from '../../evidence.ts';
import { usableAddresses } from '../../facts/host.ts';
import type { Attempt, PathFacts } from '../../facts/paths.ts';
import type { ListenerSubject, TargetSubject } from '../../subject.ts';
import { noPath, topics } from './question.ts';

/** Undefined: this is no case of it. */
interface Facts {
  readonly path: PathFacts;
  /** The listener's own addresses that take connections, while the public one does not. */
  readonly listening: readonly Attempt[];
}

export const pth09 = defineCheck<'target', Facts | undefined>({
  id: 'PTH-09',
  title: "the master's public address from its own network (hairpin)",
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-08'],
  causes: ['LSN-11', 'LSN-01', 'LSN-02'],
  gather: hairpin,
  judge: judgeHairpin,
});

/**
 * Whether this host's own master, which listens and has no public IPv4 address itself, does not answer by the one that it tells its
 * workers: the router in front of it leads connections from outside to it, and perhaps none from inside. From here nobody can tell that from
 * a forwarding that is missing.
 */
export async function hairpin(context: CheckContext, target: TargetSubject): Promise<Facts | undefined> {
  const listener = context.subjects.find(
    (subject): subject is ListenerSubject =>
      subject.kind === 'listener' &&
      subject.state === 'running' &&
      subject.plane === 'worker' &&
      subject.source === target.source,
  );
  if (listener === undefined || noPath(target) !== undefined) return undefined;
  const [path, host] = await Promise.all([context.probes.path(target), context.probes.host()]);
  const dead = path.attempts.filter(({ outcome }) => outcome !== 'connected');
  const isPublic = dead.every(({ address, family }) => family === 4 && kindOf(address) === 'global');
  const own = usableAddresses(host, 4);
  const isBehindNat = own.length > 0 && own.every(({ kind }) => kind !== 'global');
  if (dead.length === 0 || !isPublic || !isBehindNat) return undefined;
  const { attempts } = await context.probes.listener(listener);
  const listening = attempts.filter(({ outcome }) => outcome === 'connected');
  return listening.length === 0 ? undefined : { path, listening };
}

function judgeHairpin(facts: Facts | undefined, target: TargetSubject): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  if (facts === undefined) return skip("it is no public address of this host's own master behind a router");
  const dead = facts.path.attempts.filter(({ outcome }) => outcome !== 'connected');
  const addresses = [...new Set(dead.map(({ address }) => address))].join(' and ');
  return found({
    status: 'warn',
    title: `${addresses === target.host ? '' : `${addresses} of `}${target.text} does not lead back to the master from its own network; from outside it may`,
    confidence: 'possible',
    evidence: [
      ...dead.map((attempt) => attemptEvidence(attempt, facts.path.at)),
      ...facts.listening.slice(0, 2).map((attempt) => attemptEvidence(attempt, facts.path.at)),
    ],
    fix: [
      {
        text: 'Look from outside first; if it works there, workers in here want the inner address: give the name that address in the DNS of this network, or name a second way under reach',
        commands: [`bbx doctor reach ${pasted(target.text)} --from ssh:HOST`],
      },
      {
        text: 'If it does not work from outside either, the router has no forwarding of that port to this host; if it has, hairpin NAT (NAT loopback) can be switched on in many of them',
      },
    ],
  });
}
