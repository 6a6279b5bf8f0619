import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, skip, type Draft, type JudgeContext, type Judgement } from '../../check.ts';
import { demandsOf, targetAddresses, type Demand } from '../../demand.ts';
import { attemptEvidence } from '../../evidence.ts';
import { hasIpv4, hasIpv6, type HostFacts } from '../../facts/host.ts';
import type { ListenerFacts } from '../../facts/listeners.ts';
import { insistsOn, leavesOut, type Family } from '../../intent.ts';
import type { ListenerSubject } from '../../subject.ts';
import { topics } from './question.ts';
import { rowsEvidence } from './rows.ts';
import { setListen } from './set-listen.ts';

/** Families that the listener, as written, is meant to take. */
function wantedFamilies(listener: ListenerSubject): Family[] {
  const families = listener.hosts.flatMap((host): Family[] => {
    if (host === '::') return [6, 4];
    const family = familyOf(host);
    return family === 0 ? [] : [family];
  });
  return [...new Set(families)];
}

interface FamilyQuestion {
  readonly facts: ListenerFacts;
  readonly host: HostFacts;
  readonly demands: readonly Demand[];
}

export const lsn02 = defineCheck<
  'listener',
  Omit<FamilyQuestion, 'demands'> & { targets: Awaited<ReturnType<typeof targetAddresses>> }
>({
  id: 'LSN-02',
  title: 'which families it takes',
  about: 'listener',
  topics,
  needs: ['LSN-01'],
  causes: ['STK-07', 'HST-01', 'LSN-11', 'LSN-03', 'HST-06'],
  async gather(context, listener) {
    const [facts, host, targets] = await Promise.all([
      context.probes.listener(listener),
      context.probes.host(),
      targetAddresses(context),
    ]);
    return { facts, host, targets };
  },
  judge: ({ facts, host, targets }, listener, context) =>
    judgeFamiliesTaken({ facts, host, demands: demandsOf(context, targets) }, listener, context),
});

function judgeFamiliesTaken(
  { facts, host, demands }: FamilyQuestion,
  listener: ListenerSubject,
  context: JudgeContext,
): Judgement {
  if (listener.state === 'stopped') return skip('its master does not run');
  if (listener.hosts.length > 1) return skip('of localhost LSN-09 tells');
  if ((facts.rows ?? []).length === 0) return skip('nothing listens there');
  const wanted = new Set(wantedFamilies(listener));
  const drafts: Draft[] = [];
  for (const family of [6, 4] as const) {
    if (leavesOut(context.intent, family) || !(family === 6 ? hasIpv6(host) : hasIpv4(host))) continue;
    const tries = facts.attempts.filter((attempt) => attempt.family === family);
    if (tries.length === 0 || tries.some((attempt) => attempt.outcome === 'connected')) continue;
    const asked = wanted.has(family);
    const needed =
      insistsOn(context.intent, family) ||
      demands.some((demand) => demand.family === family && demand.why.includes(`:${listener.port} `));
    if (!asked && !needed) continue;
    const other = family === 6 ? 4 : 6;
    drafts.push({
      status: 'error',
      title: `Port ${listener.port} takes IPv${other} alone: connections over IPv${family} are refused`,
      evidence: [
        ...rowsEvidence(facts, listener.port),
        ...tries.map((attempt) => attemptEvidence(attempt, facts.at)),
      ],
      fix: [
        {
          text: `Listen on both families: [::]:${listener.port}${asked ? ', and start the program again' : ''} (stock Buildbot: "tcp:${listener.port}:interface=\\\\:\\\\:")`,
          ...(listener.state === 'running' && !asked
            ? {
                commands: setListen(listener, `[::]:${listener.port}`),
              }
            : {}),
        },
      ],
    });
  }
  return found(...drafts);
}
