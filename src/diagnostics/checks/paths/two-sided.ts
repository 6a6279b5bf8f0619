import type { Evidence } from '../../../api/doctor.ts';
import { printHostPort } from '../../../net/endpoint/host.ts';
import { found, nothing, type Judgement } from '../../check.ts';
import { attemptEvidence, evidence, pasted } from '../../evidence.ts';
import type { OtherEnd, Reception } from '../../facts/both-ends.ts';
import type { Attempt, PathFacts } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';

/** Where the way of a worker's packets ends, from what it tried and what its master saw of that. */
export function judgeBothEnds(path: PathFacts, other: OtherEnd, target: TargetSubject): Judgement {
  const pairs = path.attempts.map((attempt) => ({
    attempt,
    reception: other.receptions.find(({ address }) => address === attempt.address),
  }));
  const got = pairs.flatMap(({ attempt, reception }) => [
    attemptEvidence(attempt, path.at),
    ...(reception === undefined ? [] : [seenEvidence(reception, attempt.port, path.at)]),
  ]);
  const status = path.attempts.some(({ outcome }) => outcome === 'connected') ? 'warn' : 'error';
  const { worker } = other;
  const { text } = target;
  const silent = pairs.filter(({ attempt }) => attempt.outcome === 'silent');
  const refused = pairs.filter(({ attempt }) => attempt.errno === 'ECONNREFUSED' && !attempt.local);

  const half = silent.find(({ reception }) => (reception?.halfOpen ?? []).length > 0);
  if (half !== undefined) {
    const peer = half.reception?.halfOpen?.[0] ?? '';
    return found({
      status,
      title: `What worker ${worker} sends to ${text} arrives, but the master's answers do not come back`,
      evidence: got,
      fix: [
        {
          text: 'The way back differs from the way there, or a firewall on it knows nothing of the connection: look at the route to the worker, and at every filter on the way back',
          commands: [`ip route get ${peer.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')}`],
        },
      ],
    });
  }
  const lost = silent.filter(({ reception }) => isUnseen(reception));
  if (lost.length > 0) {
    const places = lost.map(({ attempt }) => at(attempt)).join(' and ');
    return found({
      status,
      title: `Nothing that worker ${worker} sends to ${places} arrives at the master: it is dropped on the way there`,
      confidence: lost.every(({ reception }) => reception?.bound) ? 'proven' : 'likely',
      evidence: got,
      fix: [
        {
          text: `Let TCP port ${target.port ?? 0} through every firewall between them, and look whether the address is still the master's`,
          commands: [`bbx doctor reach ${pasted(at(lost[0]!.attempt))} --protocol tcp`],
        },
      ],
    });
  }
  const rejected = refused.filter(({ reception }) => reception?.bound === true && isUnseen(reception));
  if (rejected.length > 0) {
    return found({
      status,
      title: `Worker ${worker} is refused at ${rejected.map(({ attempt }) => at(attempt)).join(' and ')}, but not by the master, which listens there`,
      evidence: got,
      fix: [
        {
          text: "A firewall on the way or on the master's host rejects it, or the address is another host's",
          commands: ['nft list ruleset'],
        },
      ],
    });
  }
  const stolen = pairs.filter(
    ({ attempt, reception }) => attempt.outcome === 'connected' && isUnseen(reception),
  );
  if (stolen.length > 0 && !path.attempts.some((attempt) => isAccepted(attempt, other))) {
    return found({
      status: 'info',
      title: `Worker ${worker} connects to ${stolen.map(({ attempt }) => at(attempt)).join(' and ')}, which the master does not see under that address`,
      confidence: 'likely',
      evidence: got,
      fix: [
        {
          text: 'An address is translated or a proxy is on the way; if it is not meant to be, something else answers there',
        },
      ],
    });
  }
  return nothing;
}

function at({ address, port }: Attempt): string {
  return printHostPort(address, port);
}

function isUnseen(reception: Reception | undefined): boolean {
  return (
    reception !== undefined && reception.accepted.length === 0 && (reception.halfOpen ?? []).length === 0
  );
}

function isAccepted({ address }: Attempt, { receptions }: OtherEnd): boolean {
  return receptions.some((one) => one.address === address && one.accepted.length > 0);
}

function seenEvidence(
  { address, accepted, halfOpen, bound }: Reception,
  port: number,
  when: string,
): Evidence {
  const words = [
    accepted.length > 0
      ? `accepted ${accepted.length} from ${accepted.slice(0, 3).join(', ')}`
      : 'accepted none',
    halfOpen === null
      ? 'half-open ones cannot be seen'
      : halfOpen.length > 0
        ? `first packets alone from ${halfOpen.slice(0, 3).join(', ')}`
        : 'no first packet either',
    ...(bound ? [] : ['nothing listens there']),
  ];
  return evidence('peer', `the master at ${printHostPort(address, port)}`, words.join('; '), when);
}
