import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { TimeSyncFacts } from '../../facts/clock.ts';

export const clk02 = defineCheck<'host', TimeSyncFacts>({
  id: 'CLK-02',
  title: 'NTP keeps the clock of this host',
  about: 'host',
  topics: ['clock', 'host'],
  needs: [],
  causes: ['CLK-01'],
  gather: (context) => context.probes.timeSync(),
  judge: judgeKept,
});

/** A fact as long as nothing is wrong with the time itself: virtual machines and containers have it from their host. */
function judgeKept(facts: TimeSyncFacts): Judgement {
  if (facts.tool === null || facts.synchronized === null)
    return skip('neither timedatectl nor chronyc can tell here');
  if (facts.synchronized) return nothing;
  return found({
    status: facts.service === true ? 'warn' : 'info',
    title:
      facts.service === true
        ? 'NTP is switched on, and has not set the clock of this host'
        : 'Nothing on this host keeps its clock (a host of virtual machines or containers may do it for it)',
    evidence: [evidence('cmd', facts.tool, facts.said, facts.at)],
    fix: [
      {
        text: facts.service === true ? 'Let UDP port 123 out to the time servers' : 'Switch NTP on',
        commands:
          facts.tool === 'chronyc'
            ? ['chronyc sources']
            : ['timedatectl set-ntp true', 'timedatectl timesync-status'],
      },
    ],
  });
}
