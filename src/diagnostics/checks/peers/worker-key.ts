import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { AuthenticationFact } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import { ANSWERED, noPeer, topics } from './question.ts';

export const pro05 = defineCheck<'target', { at: string; answer: AuthenticationFact | undefined }>({
  id: 'PRO-05',
  title: "the worker's key is accepted",
  about: 'target',
  behindHops: true,
  topics,
  needs: [...ANSWERED, 'PRO-04', 'PRO-07', 'PRO-01'],
  causes: ['PTH-01', 'PRO-03', 'PRX-06', 'PRO-04', 'PRO-01'],
  async gather(context, target) {
    const may = target.workerDir !== undefined && target.stopped === undefined && target.protocol === 'bbx';
    return {
      at: new Date().toISOString(),
      answer: may ? await context.probes.authenticate(target) : undefined,
    };
  },
  judge: ({ at, answer }, target) => judgeKey(answer, target, at),
});

function judgeKey(answer: AuthenticationFact | undefined, target: TargetSubject, at: string): Judgement {
  const none = noPeer(target);
  if (none !== undefined) return skip(none);
  if (target.workerDir === undefined) return skip("no worker's directory, so no key");
  if (answer === undefined) return skip('the worker has no key yet: it makes one at its first run');
  if (answer.accepted) return nothing;
  const name = target.workerName ?? 'NAME';
  if (answer.accepted === null) {
    return found({
      status: 'unknown',
      title: `Whether the master lets worker "${name}" in is not known: this user may not read the worker's key`,
      evidence: [evidence('file', answer.message ?? '', answer.code ?? '', at)],
      fix: [{ text: 'Ask as the user that the worker runs as' }],
    });
  }
  const got = [
    evidence(
      'peer',
      `authentication of "${name}", takes no slot`,
      `${answer.code ?? ''} ${answer.message ?? ''}`.trim(),
      at,
    ),
  ];
  if (answer.code === 'BBX-PRO-PENDING') {
    return found({
      status: 'warn',
      title: `The master knows worker "${name}" and waits for its approval`,
      evidence: got,
      fix: [
        {
          text: 'On the master, compare the fingerprint and approve it',
          commands: [`bbx worker approve ${name}`],
        },
      ],
    });
  }
  return found({
    status: 'error',
    title: `The master does not let worker "${name}" in: ${answer.message ?? 'no reason given'}`,
    evidence: got,
    fix: [
      {
        text: answer.hint ?? 'Make a new join string on the master and give it to the worker',
        commands: [`bbx worker add ${name} --renew`],
      },
    ],
  });
}
