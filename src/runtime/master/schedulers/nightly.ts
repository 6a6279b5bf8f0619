import { Cron } from 'croner';

/** A `nightly` scheduler as its decisions need it. */
export interface NightlyRule {
  cron: string;
  /** IANA time zone; undefined: the master's. */
  timezone: string | undefined;
  onlyIfChanged: boolean;
}

/** What it remembers between starts. A changed `cron` starts counting afresh. */
export interface NightlyMemory {
  cron: string;
  /** The last time it was due and acted (epoch seconds), or when it was first seen. */
  lastAt: number;
}

export type NightlyDecision =
  | { act: 'build'; at: number }
  | { act: 'skip'; at: number; why: string }
  | { act: 'wait'; at: number | null };

/**
 * Whether a nightly scheduler is due at `now`. Times that passed while the master was down count once, however many they were; a time
 * that it acted on is in its memory and never comes again, also when the clock is set back. `at` of a wait is the next time, null when
 * the pattern has none any more; `at` of the others is what the memory must hold afterwards.
 */
export function decideNightly(
  rule: NightlyRule,
  memory: NightlyMemory | undefined,
  changes: number,
  now: number,
): NightlyDecision {
  const last = holds(rule, memory, now) ? memory.lastAt : now;
  const next = nextTime(rule, last);
  if (next === null || next > now) return { act: 'wait', at: next };
  if (rule.onlyIfChanged && changes === 0) {
    return { act: 'skip', at: now, why: 'nothing has changed since its last build' };
  }
  return { act: 'build', at: now };
}

/** Farther in the future than this a memory is of a clock that was wrong: it would keep the nights away until then. */
const FUTURE_S = 86_400;

/** Whether a memory is of this pattern, and of a time that can have been. */
export function holds(
  rule: Pick<NightlyRule, 'cron'>,
  memory: NightlyMemory | undefined,
  now: number,
): memory is NightlyMemory {
  return memory?.cron === rule.cron && memory.lastAt <= now + FUTURE_S;
}

/** The first time of the pattern after `after` (epoch seconds); null: none. */
export function nextTime(rule: Pick<NightlyRule, 'cron' | 'timezone'>, after: number): number | null {
  const cron = new Cron(rule.cron, {
    paused: true,
    ...(rule.timezone === undefined ? {} : { timezone: rule.timezone }),
  });
  const next = cron.nextRun(new Date(after * 1_000));
  return next === null ? null : next.getTime() / 1_000;
}
