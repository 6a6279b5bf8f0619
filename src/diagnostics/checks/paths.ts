import type { Evidence, Fix } from '../../api/doctor.ts';
import { kindOf } from '../../net/address-kind.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type Draft,
  type Judgement,
  type JudgeContext,
} from '../check.ts';
import { attemptEvidence, evidence, outcomeText, pasted, seconds } from '../evidence.ts';
import { hasIpv6, usableAddresses, type HostFacts } from '../facts/host.ts';
import type { NameFacts } from '../facts/names.ts';
import type { Attempt, PathFacts } from '../facts/paths.ts';
import { insistsOn, leavesOut, type Family } from '../intent.ts';
import { CLIENTS, NO_A_RECORD, printFate, simulate } from '../simulate.ts';
import type { TargetSubject } from '../subject.ts';

const topics = ['reach', 'ipv6'] as const;

const gather = (context: CheckContext, target: TargetSubject): Promise<PathFacts> =>
  context.probes.path(target);

/** Why no path of this target is looked at, or undefined. */
function noPath(target: TargetSubject): string | undefined {
  if (target.port === undefined) return 'only the name is in question';
  return target.stopped;
}

export const pth01 = defineCheck<'target', PathFacts>({
  id: 'PTH-01',
  title: 'a TCP connection to each address',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-08'],
  causes: [
    'LSN-01',
    'LSN-02',
    'HST-01',
    'HST-02',
    'HST-03',
    'HST-08',
    'PTH-04',
    'PTH-02',
    'DNS-01',
    'DNS-02',
    'DNS-07',
  ],
  rung: 'R2',
  gather,
  judge: (path, target, context) => judgeConnect(path, target, context),
});

export function judgeConnect(path: PathFacts, target: TargetSubject, context: JudgeContext): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  const attempts = meant(path.attempts, context);
  if (attempts.length === 0) {
    return found({
      status: 'unknown',
      title: `No address of ${target.text} could be tried`,
      evidence: [],
    });
  }
  const dead = attempts.filter((attempt) => attempt.outcome !== 'connected');
  if (dead.length === 0) return nothing;
  const got = attempts.map((attempt) => attemptEvidence(attempt, path.at));
  if (dead.length === attempts.length) {
    return found({
      status: 'error',
      title: `No address of ${target.text} lets us in: ${tally(dead)}`,
      evidence: got,
      fix: fixFor(dead, target, path),
    });
  }
  // A family that is dead as a whole is PTH-02's to say.
  const partly = dead.filter((attempt) =>
    attempts.some((other) => other.family === attempt.family && other.outcome === 'connected'),
  );
  if (partly.length === 0) return nothing;
  return found({
    status: 'warn',
    title: `${partly.length} of ${attempts.length} addresses of ${target.text} ${partly.length === 1 ? 'does' : 'do'} not answer: ${partly.map((attempt) => attempt.address).join(', ')}`,
    evidence: got,
    fix: [{ text: 'Mend that host, or withdraw its address record: some programs wait for it' }],
  });
}

export const pth02 = defineCheck<'target', PathFacts & { host: HostFacts }>({
  id: 'PTH-02',
  title: 'both families, where both are published',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-01'],
  causes: ['LSN-02', 'LSN-03', 'HST-01', 'HST-02', 'HST-03', 'HST-05', 'HST-08', 'DNS-06'],
  async gather(context, target) {
    const [path, host] = await Promise.all([context.probes.path(target), context.probes.host()]);
    return { ...path, host };
  },
  judge: ({ host, ...path }, target, context) => judgeFamilies(path, host, target, context),
});

export function judgeFamilies(
  path: PathFacts,
  host: HostFacts,
  target: TargetSubject,
  context: JudgeContext,
): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  const attempts = meant(path.attempts, context);
  const families = ([6, 4] as const).map((family) => ({
    family,
    tries: attempts.filter((attempt) => attempt.family === family),
  }));
  if (families.some(({ tries }) => tries.length === 0)) return skip('one family alone is published');
  const alive = (tries: readonly Attempt[]) => tries.some((attempt) => attempt.outcome === 'connected');
  const dead = families.find(({ tries }) => !alive(tries));
  if (dead === undefined || !families.some(({ tries }) => alive(tries))) return nothing;
  const { family, tries } = dead;
  const other = family === 6 ? 4 : 6;
  const silent = tries.some((attempt) => attempt.outcome === 'silent');
  const got = attempts.map((attempt) => attemptEvidence(attempt, path.at));
  // localhost has two addresses by its nature; a server on one of them is a server on localhost.
  const localhost = target.host === 'localhost' || target.host.endsWith('.localhost');
  const ownLack = tries.every((attempt) => attempt.local) && lacks(host, family);
  const status = insistsOn(context.intent, family) ? 'error' : ownLack || localhost ? 'info' : 'warn';
  return found({
    status,
    title: ownLack
      ? `${target.text} is also published for IPv${family}, which this host does not have; IPv${other} works`
      : `${target.text} is published for IPv${family}, but does not answer there (${outcomeText(tries[0] as Attempt)}); IPv${other} works`,
    evidence: got,
    ...(status === 'info'
      ? {}
      : {
          fix: [
            silent
              ? {
                  text: `Let IPv${family} through every firewall on the way, in both directions, or withdraw the ${family === 6 ? 'AAAA' : 'A'} record`,
                }
              : {
                  text: `Let the other end listen on IPv${family} too (bbx: listen on [::]), or withdraw the ${family === 6 ? 'AAAA' : 'A'} record`,
                },
          ],
        }),
  });
}

function lacks(host: HostFacts, family: Family): boolean {
  return (family === 6 && !hasIpv6(host)) || usableAddresses(host, family).length === 0;
}

export const pth03 = defineCheck<'target', { path: PathFacts; name: NameFacts }>({
  id: 'PTH-03',
  title: 'who gets in, and how fast',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-01'],
  causes: ['DNS-05', 'PTH-02', 'PTH-01', 'DNS-03', 'LSN-02', 'LSN-03', 'HST-01', 'HST-02', 'HST-03'],
  async gather(context, target) {
    const [path, name] = await Promise.all([
      context.probes.path(target),
      context.probes.name(target.host, target.server),
    ]);
    return { path, name };
  },
  judge: ({ path, name }, target, context) => judgeClients(path, name, target, context),
});

/** Longer than this a person notices, and CI times out somewhere. */
const SLOW_MS = 1_000;

export function judgeClients(
  path: PathFacts,
  name: NameFacts,
  target: TargetSubject,
  _context: JudgeContext,
): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  if (!path.attempts.some((attempt) => attempt.outcome === 'connected')) return skip('PTH-01');
  const fates = simulate(name, path.attempts);
  // What this host cannot do itself says nothing about other hosts' programs.
  const fair = path.attempts.every((attempt) => !attempt.local);
  const slow = CLIENTS.filter((kind) => {
    const fate = fates[kind];
    return fate.kind === 'in' && fate.ms > SLOW_MS;
  });
  const out = CLIENTS.filter((kind) => {
    const fate = fates[kind];
    // A name without A record is DNS-05's to tell; the path has nothing to do with it.
    return fate.kind === 'out' && fate.why !== NO_A_RECORD;
  });
  if ((slow.length === 0 && out.length === 0) || !fair) return nothing;
  // An address that has no IPv4 form is no fault of the path.
  if (name.literal === 6 || (name.localhost && out.length === 0 && slow.length === 0)) return nothing;
  const got: Evidence[] = CLIENTS.map((kind) =>
    evidence('connect', `${kind}, by simulation`, printFate(fates[kind]), path.at),
  );
  const parts = [
    ...(out.length > 0 ? [`${out.join(', ')} would not get in`] : []),
    ...(slow.length > 0
      ? [`${slow.join(', ')} would wait ${seconds(Math.max(...slow.map((kind) => msOf(fates[kind]))))}`]
      : []),
  ];
  return found({
    status: name.localhost ? 'info' : out.includes('bbx') ? 'error' : 'warn',
    title: `${target.text}: ${parts.join('; ')}`,
    confidence: 'likely',
    evidence: [...got, ...path.attempts.map((attempt) => attemptEvidence(attempt, path.at))],
    fix: [{ text: 'Make every published address answer, or withdraw those that do not' }],
  });
}

function msOf(fate: ReturnType<typeof simulate>['bbx']): number {
  return fate.kind === 'in' ? fate.ms : 0;
}

export const pth04 = defineCheck<'target', PathFacts>({
  id: 'PTH-04',
  title: 'what stops a connection: dropped, rejected, or nobody there',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-08'],
  causes: ['LSN-01', 'LSN-02', 'LSN-03', 'HST-01', 'HST-02', 'HST-03', 'HST-08', 'DNS-07'],
  gather,
  judge: (path, target, context) => judgeObstacle(path, target, context),
});

/** Speaks only where nothing gets through and something said no: a mere silence is all that PTH-01 can say. */
export function judgeObstacle(path: PathFacts, target: TargetSubject, context: JudgeContext): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  const attempts = meant(path.attempts, context);
  if (attempts.some((attempt) => attempt.outcome === 'connected')) return nothing;
  if (attempts.length === 0) return skip('no address was tried');
  const got = attempts.map((attempt) => attemptEvidence(attempt, path.at));
  const draft = (title: string, rest: Pick<Draft, 'confidence' | 'fix'>): Judgement =>
    found({ status: 'error', title, evidence: got, ...rest });
  if (attempts.every((attempt) => attempt.errno === 'ECONNREFUSED')) {
    if (path.listensHere === false) {
      return draft(`Nothing listens on port ${target.port ?? 0} of this host (connection refused)`, {
        fix: [
          {
            text: 'Start the program that should',
            commands: [
              ...(target.protocol === 'bbx' ? ['bbx run master'] : []),
              `ss -ltn sport = :${target.port ?? 0}`,
            ],
          },
        ],
      });
    }
    return draft(
      path.listensHere === true
        ? `${target.text} is refused although something listens there: a firewall of this host rejects it`
        : `${target.text} refuses: nothing listens on that port, or a firewall rejects it`,
      { confidence: path.listensHere === true ? 'likely' : 'possible', fix: fixFor(attempts, target, path) },
    );
  }
  const policy = attempts.filter(
    (attempt) => attempt.local && ['EACCES', 'EINVAL', 'EPERM', 'EHOSTUNREACH'].includes(attempt.errno ?? ''),
  );
  if (policy.length === attempts.length) {
    return draft(`This host itself forbids connections to ${target.text} (${policy[0]?.errno ?? ''})`, {
      fix: [
        {
          text: 'Look for a prohibit, unreachable or blackhole route, and for outgoing firewall rules',
          commands: attempts.slice(0, 2).map((attempt) => `ip route get ${attempt.address}`),
        },
      ],
    });
  }
  // ICMPv6 administratively prohibited comes as EACCES, ICMPv4's as EHOSTUNREACH, both from the network (docs/doctor.md).
  const filtered = attempts.filter(
    (attempt) =>
      !attempt.local &&
      (attempt.errno === 'EACCES' || (attempt.errno === 'EHOSTUNREACH' && attempt.ms < 2_000)),
  );
  if (filtered.length > 0 && filtered.length === attempts.length) {
    return draft(
      `A router or firewall on the way rejects connections to ${target.text} (${filtered[0]?.errno ?? ''})`,
      {
        confidence: 'likely',
        fix: [{ text: `Ask for TCP port ${target.port ?? 0} to be let through, for both families` }],
      },
    );
  }
  return nothing;
}

/** Families that are not meant do not count, unless there is nothing else. */
function meant(attempts: readonly Attempt[], context: JudgeContext): readonly Attempt[] {
  const kept = attempts.filter((attempt) => !leavesOut(context.intent, attempt.family));
  return kept.length > 0 ? kept : attempts;
}

function tally(attempts: readonly Attempt[]): string {
  const words = attempts.map(
    (attempt) =>
      `IPv${attempt.family} ${attempt.outcome === 'silent' ? 'no answer' : (attempt.errno ?? 'failed')}`,
  );
  return [...new Set(words)].join(', ');
}

function fixFor(dead: readonly Attempt[], target: TargetSubject, path: PathFacts): Fix[] {
  const fixes: Fix[] = [];
  if (dead.some((attempt) => attempt.errno === 'ECONNREFUSED')) {
    fixes.push({
      text: 'Look on that host whether the program runs, and on which addresses it listens',
      commands: ['bbx status', `bbx doctor listen ${pasted(printHostPort('::', target.port ?? 0))}`],
    });
  }
  if (dead.some((attempt) => attempt.outcome === 'silent')) {
    fixes.push({
      text: `Look for a firewall or security group that drops TCP port ${target.port ?? 0}, and whether the address is still right`,
    });
  }
  if (dead.some((attempt) => attempt.errno === 'EHOSTUNREACH' || attempt.errno === 'ENETUNREACH')) {
    fixes.push({
      text: 'Look whether the host is up and a route leads there',
      commands: [...new Set(dead.map((attempt) => attempt.address))]
        .slice(0, 2)
        .map((address) => `ip${familyOf(address) === 6 ? ' -6' : ''} route get ${address}`),
    });
  }
  if (fixes.length === 0 && path.attempts.length > 0) fixes.push({ text: 'Look at the system codes above' });
  return fixes;
}

export const pth08 = defineCheck<'target', { at: string }>({
  id: 'PTH-08',
  title: 'a zone for a link-local address',
  about: 'target',
  topics,
  needs: [],
  gather: () => ({ at: new Date().toISOString() }),
  judge: ({ at }, target) => judgeZone(target, at),
});

export function judgeZone(target: TargetSubject, at: string): Judgement {
  if (familyOf(target.host) !== 6 || kindOf(target.host) !== 'link-local')
    return skip('it is no link-local address');
  if (target.host.includes('%')) return nothing;
  return found({
    status: 'error',
    title: `${target.text} is a link-local address without the interface that leads to it`,
    evidence: [evidence('file', target.source, target.text, at)],
    fix: [
      {
        text: `Write the interface after a %: ${printHostPort(`${target.host}%eth0`, target.port ?? 9989)}, or use a name or a global address`,
        commands: ['ip -6 neighbour show'],
      },
    ],
  });
}

export const pathChecks = [pth01, pth02, pth03, pth04, pth08];
