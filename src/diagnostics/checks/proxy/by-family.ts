import { printHop } from '../../../net/endpoint/hop.ts';
import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { FamilyWay } from '../../facts/ways.ts';
import { insistsOn, leavesOut } from '../../intent.ts';
import type { TargetSubject } from '../../subject.ts';
import { topics } from './question.ts';

export const prx03 = defineCheck<'target', readonly FamilyWay[]>({
  id: 'PRX-03',
  title: 'the HTTP proxy connects over both families',
  about: 'target',
  topics,
  needs: ['PRX-02'],
  behindHops: true,
  gather: (context, target) => context.probes.familyWays(target),
  judge: judgeFamilies,
});

/** A proxy that takes no address at all has that as its rule, and the name still works: only a difference tells of its network. */
function judgeFamilies(
  ways: readonly FamilyWay[],
  target: TargetSubject,
  { intent }: JudgeContext,
): Judgement {
  const hop = (target.via ?? []).at(-1);
  if (hop?.kind !== 'http') return skip('no HTTP proxy connects to the target');
  if (ways.length < 2) return skip('no name that is published for both families');
  const dead = ways.filter(({ way }) => way.failure !== null);
  const [one] = dead;
  if (one === undefined) return nothing;
  if (dead.length === ways.length) return skip('the proxy takes no addresses, names alone');
  if (leavesOut(intent, one.family)) return skip(`IPv${one.family} is not meant`);
  const other = one.family === 6 ? 4 : 6;
  return found({
    status: insistsOn(intent, one.family) ? 'error' : 'warn',
    title: `${printHop(hop)} connects to ${target.text} over IPv${other} alone: ${whyOf(one)}`,
    evidence: ways.map(({ address, way }) =>
      evidence(
        'connect',
        `CONNECT ${printHostPort(address, target.port ?? 0)} at ${printHop(hop)}`,
        way.failure === null ? `a tunnel in ${way.ms} ms` : (way.failure.problem ?? way.failure.message),
        way.at,
      ),
    ),
    fix: [
      {
        text: `Look on the proxy's own host whether it has IPv${one.family}, and whether its rules let it connect there; by the name it goes over IPv${other}, as long as that is published`,
        commands: [
          `bbx doctor reach ${pasted(printHostPort(one.address, target.port ?? 0))} --via ${pasted(printHop(hop))}`,
        ],
      },
    ],
  });
}

function whyOf({ address, family, way: { failure } }: FamilyWay): string {
  const reply = failure?.reply === null || failure?.reply === undefined ? '' : ` (${failure.reply})`;
  return `to ${address} (IPv${family}) it makes no connection${reply}`;
}
