import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { attemptEvidence, outcomeText } from '../../evidence.ts';
import { hasIpv6, usableAddresses, type HostFacts } from '../../facts/host.ts';
import type { Attempt, PathFacts } from '../../facts/paths.ts';
import { insistsOn, type Family } from '../../intent.ts';
import type { TargetSubject } from '../../subject.ts';
import { meant, noPath, topics } from './question.ts';

export const pth02 = defineCheck<'target', PathFacts & { host: HostFacts }>({
  id: 'PTH-02',
  title: 'both families, where both are published',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-01'],
  causes: [
    'SVC-07',
    'LSN-02',
    'LSN-03',
    'HST-01',
    'HST-02',
    'HST-03',
    'HST-04',
    'HST-05',
    'HST-09',
    'HST-08',
    'DNS-06',
    'DNS-07',
    'PTH-09',
    'PTH-04',
    'PRX-07',
  ],
  async gather(context, target) {
    const [path, host] = await Promise.all([context.probes.path(target), context.probes.host()]);
    return { ...path, host };
  },
  judge: ({ host, ...path }, target, context) => judgeFamilies(path, host, target, context),
});

function judgeFamilies(
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
            ...forStockWorkers(target, family, attempts),
            {
              text: `${
                silent
                  ? `Let IPv${family} through every firewall on the way, in both directions`
                  : `Let the other end listen on IPv${family} too${isStocks(target) ? '' : ' (bbx: listen on [::])'}`
              }${orWithdraw(target, family)}`,
            },
          ],
        }),
  });
}

/** A stock worker dials the first A record and nothing else, so without IPv4 it never gets in by the name. */
function forStockWorkers(target: TargetSubject, dead: Family, attempts: readonly Attempt[]) {
  const six = attempts.find(({ family, outcome }) => family === 6 && outcome === 'connected');
  if (dead !== 4 || six === undefined || !isStocks(target)) return [];
  return [
    {
      text: `A stock worker without TLS tries the first A record alone: in its buildbot.tac write buildmaster_host = '${six.address}', without brackets`,
    },
  ];
}

/** A record that leads nowhere is better gone, but for those who look for no other. */
function orWithdraw(target: TargetSubject, dead: Family): string {
  if (dead === 4 && isStocks(target))
    return '; the A record must stay, since to a stock worker without TLS a name without it is unknown';
  return `, or withdraw the ${dead === 6 ? 'AAAA' : 'A'} record`;
}

function isStocks({ protocol }: TargetSubject): boolean {
  return protocol === 'pb' || protocol === 'msgpack';
}

function lacks(host: HostFacts, family: Family): boolean {
  return (family === 6 && !hasIpv6(host)) || usableAddresses(host, family).length === 0;
}
