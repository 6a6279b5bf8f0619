import {
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { attemptEvidence, dnsEvidence, evidence, pasted } from '../../evidence.ts';
import type { SourceSubject } from '../../far-subjects.ts';
import type { Reached } from '../../facts/sources.ts';
import { insistsOn, leavesOut, type Family } from '../../intent.ts';
import { connects, reach, topics, usersOf } from './question.ts';

interface Ends {
  /** The worker's sight, and that of this host. */
  readonly there: Reached;
  readonly here: Reached;
}

export const src05 = defineCheck<'source', Ends | undefined>({
  id: 'SRC-05',
  title: 'master and worker reach the repository alike',
  about: 'source',
  topics,
  needs: [],
  gather,
  judge: judgeEnds,
});

async function gather(context: CheckContext, source: SourceSubject): Promise<Ends | undefined> {
  const here = await context.probes.hereReach(source);
  if (here === undefined || source.host === null || source.port === null) return undefined;
  return { here, there: await reach(context, source.host, source.port, source.source) };
}

function judgeEnds(ends: Ends | undefined, source: SourceSubject, context: JudgeContext): Judgement {
  if (ends === undefined) return skip('asked with --worker, of what is fetched from another host');
  const { here, there } = ends;
  const users = usersOf(source);
  const got = [
    ...sightEvidence('the worker', there),
    ...sightEvidence('this host', here),
    evidence('file', source.source, source.text, here.path.at),
  ];
  const look = (who: string) => ({
    text: `Look at the name and the way from the ${who}'s host: its resolver, its routes, the firewalls between`,
    commands: [`bbx doctor source ${pasted(source.text)}`],
  });
  if (connects(here) && !connects(there))
    return found({
      status: 'error',
      title: `The master reaches ${there.text}, and the worker does not (${whyNot(there)}): changes are seen, and no build${users === undefined ? '' : ` of ${users}`} can fetch them there`,
      evidence: got,
      fix: [look('worker')],
    });
  if (!connects(here) && connects(there))
    return found({
      // What is only downloaded by steps is nothing to the master.
      status: source.what === 'repository' ? 'warn' : 'info',
      title: `The worker reaches ${there.text}, and the master does not (${whyNot(here)})${source.what === 'repository' ? ': no change of it is seen' : ''}`,
      evidence: got,
      fix: [look('master')],
    });
  const lacking = ([6, 4] as const).find(
    (family) => over(here, family) && !over(there, family) && !leavesOut(context.intent, family),
  );
  if (lacking === undefined || !connects(there)) return nothing;
  return found({
    status: insistsOn(context.intent, lacking) ? 'warn' : 'info',
    title: `The master reaches ${there.text} over IPv${lacking}, and the worker over IPv${lacking === 6 ? 4 : 6} alone`,
    evidence: got,
    fix: [look('worker')],
  });
}

function over({ path }: Reached, family: Family): boolean {
  return path.attempts.some((attempt) => attempt.family === family && attempt.outcome === 'connected');
}

function whyNot({ name, path }: Reached): string {
  if (path.attempts.length === 0) return `no address: ${name.lookup?.errno ?? 'none was found'}`;
  const [first] = path.attempts;
  return first?.outcome === 'silent' ? 'no answer' : (first?.errno ?? 'refused');
}

function sightEvidence(who: string, { name, path }: Reached) {
  const lookup = name.lookup;
  return [
    ...dnsEvidence(name),
    ...(lookup === null
      ? []
      : [
          evidence(
            'dns',
            `lookup of ${name.name} by ${who}`,
            lookup.addresses.join(', ') || (lookup.errno ?? 'nothing'),
            name.at,
          ),
        ]),
    ...path.attempts.map((attempt) => {
      const one = attemptEvidence(attempt, path.at);
      return { ...one, what: `${one.what} from ${who}` };
    }),
  ];
}
