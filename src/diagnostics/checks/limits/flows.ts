import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { LimitFacts } from '../../facts/limits.ts';
import { limits, topics } from './question.ts';

const MANY = 0.8;
const ALL = 0.95;

export const lim03 = defineCheck<'host', LimitFacts>({
  id: 'LIM-03',
  title: "room in the packet filter's table",
  about: 'host',
  topics,
  needs: [],
  gather: limits,
  judge: judgeFlows,
});

function judgeFlows({ at, flows }: LimitFacts): Judgement {
  if (flows === null) return skip('no table of connections (nf_conntrack) is in use here');
  const share = flows.count / flows.most;
  if (share < MANY) return nothing;
  return found({
    status: share < ALL ? 'warn' : 'error',
    title: `The packet filter's table of connections is ${Math.round(share * 100)} % full: when it is full, new connections are dropped without a word`,
    evidence: [
      evidence('proc', 'nf_conntrack_count of nf_conntrack_max', `${flows.count} of ${flows.most}`, at),
    ],
    fix: [
      {
        text: 'Make the table larger, or let connections that are over be forgotten sooner',
        commands: [`sudo sysctl net.netfilter.nf_conntrack_max=${flows.most * 4}`],
      },
    ],
  });
}
