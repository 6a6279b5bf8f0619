import { isLoopbackName } from '../../../net/address-kind.ts';
import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { SeriesFact } from '../../facts/trouble.ts';
import type { TargetSubject } from '../../subject.ts';
import { noPath, topics } from './question.ts';

interface Facts {
  readonly at: string;
  readonly series: readonly SeriesFact[];
}

export const pth10 = defineCheck<'target', Facts>({
  id: 'PTH-10',
  title: 'no packets are lost, and all take about as long',
  about: 'target',
  topics,
  needs: ['PTH-01'],
  causes: ['PTH-06', 'PTH-05'],
  gather: async (context, target) => ({
    at: new Date().toISOString(),
    series: await context.probes.series(target),
  }),
  judge: (facts, target) => judgeSeries(facts, target),
});

/** A first packet that was lost is sent again after 1 s (RFC 6298); what is so much later than the fastest has waited for that. */
const RESENT_MS = 900;
/** More than this share of lost ones is felt in every build. */
const LOST_SHARE = 0.05;
/** Times that differ by more than this factor, and by more than people could overlook. */
const JITTER = { factor: 5, ms: 100 };

function judgeSeries({ at, series }: Facts, target: TargetSubject): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  if (series.length === 0)
    return skip(
      isLoopbackName(target.host)
        ? 'nothing is lost within this host'
        : 'no connection seemed to lose a packet; with --soak it is tried anyway',
    );
  const troubled = series.map(weigh).filter(({ loses, wavers }) => loses || wavers);
  const worst = troubled.toSorted((a, b) => b.lost - a.lost)[0];
  if (worst === undefined) return nothing;
  const where = printHostPort(worst.fact.address, target.port ?? 0);
  const count = worst.fact.attempts.length;
  return found({
    status: 'warn',
    title: worst.loses
      ? `${worst.lost} of ${count} connections to ${where} ${worst.failed ? 'failed or came up late: something there may take only so many at a time' : 'lost a packet on the way, and waited until it was sent again'}`
      : `Connections to ${where} take ${Math.round(worst.median)} ms or ${Math.round(worst.late)} ms: the way is not steady`,
    confidence: worst.loses && !worst.failed ? 'proven' : 'likely',
    evidence: troubled.map(({ fact }) =>
      evidence(
        'connect',
        `tcp ${printHostPort(fact.address, target.port ?? 0)}, ${fact.attempts.length} times`,
        fact.attempts
          .map(({ outcome, ms, errno }) => (outcome === 'connected' ? ms : (errno ?? outcome)))
          .join(', '),
        at,
      ),
    ),
    fix: [
      {
        text: 'Look for errors and drops on the links of both hosts and between (a bad cable, Wi-Fi, a full uplink, a firewall that lets only so many connections a second through)',
        commands: ['ip -s link show', 'ss -ti'],
      },
    ],
  });
}

interface Weighed {
  readonly fact: SeriesFact;
  readonly lost: number;
  /** Some of them were told no, which is no loss of a packet. */
  readonly failed: boolean;
  readonly median: number;
  /** The time that one in twenty exceeds. */
  readonly late: number;
  readonly loses: boolean;
  readonly wavers: boolean;
}

function weigh(fact: SeriesFact): Weighed {
  const { attempts, heldUpMs } = fact;
  const times = attempts
    .map(({ outcome, ms }) => (outcome === 'connected' ? ms : Number.POSITIVE_INFINITY))
    .toSorted((a, b) => a - b);
  const fastest = times[0] ?? 0;
  // What this process itself slept through is no fault of the way.
  const lost = times.filter((ms) => ms - fastest >= RESENT_MS + heldUpMs).length;
  const kept = times.slice(0, times.length - lost);
  const median = kept[Math.floor(kept.length / 2)] ?? 0;
  const late = kept[Math.max(0, Math.floor(kept.length * 0.95) - 1)] ?? 0;
  return {
    ...{ fact, lost, median, late },
    failed: attempts.some(({ outcome }) => outcome === 'failed'),
    loses: lost / attempts.length > LOST_SHARE,
    wavers: late - heldUpMs > Math.max(median * JITTER.factor, median + JITTER.ms),
  };
}
