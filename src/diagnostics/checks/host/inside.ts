import { defineCheck, found, nothing, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { HostFacts } from '../../facts/host.ts';

export const hst10 = defineCheck<'host', HostFacts>({
  id: 'HST-10',
  title: 'a container, or a network of its own',
  about: 'host',
  topics: ['host'],
  needs: [],
  gather: (context) => context.probes.host(),
  judge: judgeInside,
});

function judgeInside(host: HostFacts): Judgement {
  if (host.inside.length === 0) return nothing;
  return found({
    status: 'info',
    title: `This runs in ${host.inside.join(' and ')}: its addresses, names and ports need not be those of the machine`,
    evidence: host.inside.map((what) => evidence('proc', 'surroundings of this process', what, host.at)),
  });
}
