import {
  TARGET_TOPICS,
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type Judgement,
} from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ClockFact } from '../../facts/clock.ts';
import type { TargetSubject } from '../../subject.ts';
import { noPeer } from '../peers/question.ts';
import { tlsWanted } from '../tls/question.ts';
import { spanOf } from './span.ts';

interface SkewFacts {
  readonly at: string;
  readonly clocks: readonly ClockFact[];
}

export const clk01 = defineCheck<'target', SkewFacts>({
  id: 'CLK-01',
  title: 'this clock and theirs agree',
  about: 'target',
  topics: ['clock', 'ipv6', ...TARGET_TOPICS],
  needs: ['PTH-01'],
  behindHops: true,
  gather,
  judge: (facts, target) => judgeSkew(facts, target),
});

/** More than a build's log shows as odd; certificates and tokens bear a minute, hardly more. */
const WARN_S = 2;
const ERROR_S = 60;

async function gather(context: CheckContext, target: TargetSubject): Promise<SkewFacts> {
  const at = new Date().toISOString();
  const { probes, topic } = context;
  if (target.port === undefined || target.stopped !== undefined) return { at, clocks: [] };
  if (tlsWanted(target, topic)) {
    const { addresses } = await probes.tls(target);
    return { at, clocks: addresses.flatMap(({ clock }) => clock ?? []) };
  }
  if (noPeer(target) !== undefined) return { at, clocks: [] };
  return { at, clocks: (await probes.peers(target)).flatMap(({ clock }) => clock ?? []) };
}

function judgeSkew({ at, clocks }: SkewFacts, target: TargetSubject): Judgement {
  if (target.stopped !== undefined) return skip(target.stopped);
  // The quickest exchange knows best.
  const clock = clocks.toSorted((a, b) => a.within - b.within)[0];
  if (clock === undefined) return skip('nobody there tells the time');
  // What may be the error of measuring is no skew.
  const off = Math.abs(clock.ahead) - clock.within;
  if (off <= WARN_S) return nothing;
  const grave = off > ERROR_S;
  return found({
    status: grave ? 'error' : 'warn',
    title: `This host's clock is ${spanOf(Math.abs(clock.ahead))} ${clock.ahead > 0 ? 'behind' : 'ahead of'} that of ${target.text}`,
    evidence: [
      evidence(
        'peer',
        `time in ${clock.from === 'Date' ? 'the Date header' : 'the greeting'} of ${target.text}`,
        `${clock.ahead > 0 ? '+' : ''}${clock.ahead.toFixed(1)} s against ours, ± ${clock.within.toFixed(1)} s`,
        at,
      ),
    ],
    fix: [
      {
        text: `Let NTP keep the clock of both hosts${grave ? '; certificates and signed requests are refused while it is wrong' : ''}`,
        commands: ['timedatectl set-ntp true', 'timedatectl status'],
      },
    ],
  });
}
