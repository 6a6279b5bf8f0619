import { printHostPort } from '../../../net/endpoint/host.ts';
import { LIMITS } from '../../../protocol/bbx/limits.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { RestFact } from '../../facts/links.ts';
import type { TargetSubject } from '../../subject.ts';
import { noPath, topics } from './question.ts';

interface Facts {
  readonly at: string;
  readonly rests: readonly RestFact[] | undefined;
}

export const pth07 = defineCheck<'target', Facts>({
  id: 'PTH-07',
  title: 'connections that rest stay alive (--soak)',
  about: 'target',
  topics,
  needs: ['PTH-01', 'PRO-01'],
  causes: ['PTH-01', 'PTH-06', 'PRO-09'],
  gather: async (context, target) => ({
    at: new Date().toISOString(),
    rests: await context.probes.rests(target),
  }),
  judge: (facts, target) => judgeRests(facts, target),
});

const HEARTBEAT_S = LIMITS.pingEveryMs / 1_000;
/** What stock Buildbot waits between its signs of life. */
const STOCK_S = 600;

function judgeRests({ at, rests }: Facts, target: TargetSubject): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  if (rests === undefined) return skip('not tested: minutes of rest are tried with --soak');
  if (rests.length === 0) return skip('no master that answers probes');
  const got = rests.map((rest) => restEvidence(rest, target, at));
  const tried = rests.filter(({ alive }) => alive !== null);
  if (tried.length === 0) {
    return found({
      status: 'unknown',
      title: `No connection to ${target.text} could be let rest`,
      evidence: got,
    });
  }
  const dead = tried.filter(({ alive }) => alive === false);
  if (dead.length === 0) return nothing;
  const shortest = Math.min(...dead.map(({ seconds }) => seconds));
  const longest = Math.max(0, ...tried.filter(({ alive }) => alive).map((rest) => rest.seconds));
  const between = longest > 0 && longest < shortest ? ` (${longest} s are survived)` : '';
  const matters = shortest <= HEARTBEAT_S;
  return found({
    status: matters ? 'error' : 'warn',
    title: `Something on the way to ${target.text} forgets a connection that rests for ${shortest} s${between}`,
    evidence: got,
    fix: [
      {
        text: matters
          ? `Raise its limit over ${HEARTBEAT_S} s: bbx sends a sign of life that often`
          : `Signs of life every ${HEARTBEAT_S} s keep bbx safe; programs that rest longer are not (stock Buildbot waits ${STOCK_S} s: keepalive = ${HEARTBEAT_S * 2} in buildbot.tac)`,
      },
    ],
  });
}

function restEvidence(rest: RestFact, target: TargetSubject, at: string) {
  const who = rest.first === 'master' ? 'the master speaks first' : 'this end speaks first';
  const got = rest.alive === true ? 'alive' : (rest.problem ?? 'dead');
  const where = printHostPort(rest.address, target.port ?? 0);
  return evidence('peer', `${where} after ${rest.seconds} s of rest, ${who}`, got, at);
}
