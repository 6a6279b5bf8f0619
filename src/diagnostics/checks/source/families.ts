import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { SourceSubject } from '../../far-subjects.ts';
import type { Reached } from '../../facts/sources.ts';
import { insistsOn, leavesOut, type Family } from '../../intent.ts';
import {
  connects,
  familyTopics,
  has,
  reach,
  reachedEvidence,
  sshEvidence,
  usersOf,
  whyNoHost,
} from './question.ts';

export const src01 = defineCheck<'source', Reached | undefined>({
  id: 'SRC-01',
  title: 'hosts that builds fetch from, by family',
  about: 'source',
  topics: familyTopics,
  needs: [],
  causes: [
    ...['LIM-01', 'LIM-02', 'HST-01', 'HST-09', 'HST-08', 'HST-02', 'HST-03', 'DNS-13', 'DNS-12', 'DNS-10'],
    ...['DNS-01', 'DNS-02', 'DNS-07', 'PTH-04', 'PTH-01', 'SRC-05'],
  ],
  gather: async (context, { host, port, source }) =>
    host === null || port === null ? undefined : reach(context, host, port, source),
  judge: judgeReach,
});

function judgeReach(reached: Reached | undefined, subject: SourceSubject, context: JudgeContext): Judgement {
  if (reached === undefined) return skip(whyNoHost(subject));
  const { text, name } = reached;
  const users = usersOf(subject);
  const got = [
    ...reachedEvidence(reached),
    ...sshEvidence(subject, name.at),
    evidence(
      'file',
      subject.source,
      users === undefined ? subject.text : `${subject.text}, for ${users}`,
      name.at,
    ),
  ];
  if (!connects(reached)) {
    return found({
      status: 'error',
      title: `${text} cannot be reached from here${users === undefined ? '' : `: ${users} cannot fetch from it`}`,
      evidence: got,
      fix: [
        {
          text: 'Look at its name and at the way to it',
          commands: [`bbx doctor reach ${pasted(text)} --protocol tcp`],
        },
      ],
    });
  }
  for (const [family, other, record] of [
    [6, 4, 'AAAA'],
    [4, 6, 'A'],
  ] as const) {
    if (leavesOut(context.intent, family) || has(reached, family)) continue;
    const alone = leavesOut(context.intent, other);
    const insisted = insistsOn(context.intent, family);
    return found({
      status: alone ? 'error' : insisted ? 'warn' : 'info',
      title:
        name.literal === null
          ? `${name.name} has no ${record}: an IPv${family}-only worker cannot fetch from it`
          : `${text} is an IPv${other} address: an IPv${family}-only worker cannot fetch from it`,
      evidence: got,
      fix: fixFor(family),
    });
  }
  return nothing;
}

function fixFor(family: Family) {
  return [
    {
      text:
        family === 6
          ? 'Give such workers NAT64 with DNS64, or an HTTP proxy that has IPv4; or fetch from a mirror that has both'
          : 'Fetch from a mirror that has both, or through a proxy',
    },
    { text: 'Or let a worker with that family build it: workers: {tags: [...]} of the builder' },
  ];
}
