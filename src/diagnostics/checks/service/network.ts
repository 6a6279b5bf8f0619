import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { NetworkFacts } from '../../facts/service.ts';
import type { ProgramSubject } from '../../subject.ts';

export const svc06 = defineCheck<'program', NetworkFacts>({
  id: 'SVC-06',
  title: 'the program has the network that is looked at',
  about: 'program',
  topics: ['host', 'ipv6', 'listen'],
  needs: [],
  gather: (context, program) => context.probes.network(program),
  judge: judgeNetwork,
});

function judgeNetwork({ at, own, program: other }: NetworkFacts, program: ProgramSubject): Judgement {
  if (program.running !== true) return skip('it does not run');
  if (own === null || other === null) return skip('its network cannot be seen by this user');
  if (own === other) return nothing;
  return found({
    status: 'warn',
    title: `The ${program.role} runs in another network than this shell: what is said here of addresses, names and ports is not true for it`,
    evidence: [
      evidence('proc', 'network of this process', own, at),
      evidence('proc', `network of the ${program.role}`, other, at),
    ],
    fix: [
      {
        text: 'Run the doctor where the program runs: in its container, or by nsenter',
        commands: [
          `sudo nsenter --net --target "$(pgrep -f 'bbx run ${program.role}' | head -1)" bbx doctor`,
        ],
      },
    ],
  });
}
