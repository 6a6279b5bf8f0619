import { defineCheck, found, type Draft, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { LimitFacts } from '../../facts/limits.ts';
import { limits } from './question.ts';

/** What Node asks for, and so what a master's listeners get where the system allows it. */
const NODE_BACKLOG = 511;
/** RFC 1122 section 4.2.3.5 wants at least 100 s; eight tries are that. */
const LEAST_TRIES = 8;

export const lim05 = defineCheck<'host', LimitFacts>({
  id: 'LIM-05',
  title: "the kernel's settings of TCP",
  about: 'host',
  topics: ['host'],
  needs: [],
  gather: limits,
  judge: judgeKernel,
});

function judgeKernel({ at, somaxconn, retries }: LimitFacts): Judgement {
  const drafts: Draft[] = [];
  if (somaxconn !== null && somaxconn < NODE_BACKLOG) {
    drafts.push({
      status: 'info',
      title: `A listener may have ${somaxconn} connections waiting: of a whole farm that comes back at once some will have to try again`,
      evidence: [evidence('proc', 'net.core.somaxconn', String(somaxconn), at)],
    });
  }
  if (retries !== null && retries < LEAST_TRIES) {
    drafts.push({
      status: 'info',
      title: `The kernel gives a connection up after ${retries} tries: short outages end connections here`,
      evidence: [evidence('proc', 'net.ipv4.tcp_retries2', String(retries), at)],
    });
  }
  return found(...drafts);
}
