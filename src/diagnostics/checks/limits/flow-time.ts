import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { LimitFacts } from '../../facts/limits.ts';
import { limits, topics } from './question.ts';

/** A stock worker speaks after ten minutes of silence; bbx within half a minute. */
const STOCK_KEEPALIVE_S = 600;
const BBX_SILENCE_S = 60;

export const lim04 = defineCheck<'host', LimitFacts>({
  id: 'LIM-04',
  title: 'silent connections are remembered',
  about: 'host',
  topics,
  needs: [],
  gather: limits,
  judge: judgeFlowTime,
});

function judgeFlowTime({ at, flows, flowSeconds }: LimitFacts): Judgement {
  // A table without entries belongs to a filter that looks at nothing.
  if (flowSeconds === null || flows === null || flows.count === 0)
    return skip('no table of connections (nf_conntrack) is in use here');
  if (flowSeconds >= STOCK_KEEPALIVE_S) return nothing;
  const short = flowSeconds < BBX_SILENCE_S;
  return found({
    status: short ? 'warn' : 'info',
    title: `The packet filter of this host forgets a connection after ${flowSeconds} s of silence${short ? '' : ': a stock worker (keepalive 600 s) would be cut off, bbx is not'}`,
    evidence: [evidence('proc', 'nf_conntrack_tcp_timeout_established', String(flowSeconds), at)],
    ...(short
      ? {
          fix: [
            {
              text: 'Let it remember longer than the longest silence',
              commands: ['sudo sysctl net.netfilter.nf_conntrack_tcp_timeout_established=7200'],
            },
          ],
        }
      : {}),
  });
}
