import type { Clock } from '../../base/clock.ts';
import type { LinkFact } from '../../protocol/bbx/link-facts.ts';
import type { Elapsed } from './elapsed.ts';

/** How often the clocks are compared. */
const LOOK_MS = 5_000;
/** Less than this between two clocks is how they are read. */
const CLOCK_S = 1;
const SLEPT_S = 2;
/** A look that comes so much too late was held up by more than a busy moment. */
const STALLED_S = 5;

/** Three clocks at one moment. */
export interface Reading {
  /** Epoch seconds; anybody may set it. */
  wall: number;
  /** Seconds; stands still while the machine sleeps. */
  monotonic: number;
  /** Seconds; goes on while the machine sleeps. */
  elapsed: number;
}

/** What must have happened between two readings that should be `everyS` apart. */
export function compareReadings(before: Reading, now: Reading, everyS: number): LinkFact[] {
  const monotonic = now.monotonic - before.monotonic;
  const elapsed = now.elapsed - before.elapsed;
  const set = now.wall - before.wall - elapsed;
  const slept = elapsed - monotonic;
  const late = monotonic - everyS;
  return [
    ...(slept > SLEPT_S ? [{ kind: 'slept' as const, seconds: round(slept) }] : []),
    ...(late > STALLED_S ? [{ kind: 'stalled' as const, seconds: round(late) }] : []),
    ...(Math.abs(set) > CLOCK_S ? [{ kind: 'clock' as const, by: round(set) }] : []),
  ];
}

/** Such a fact in words, for the worker's log. */
export function clockWords(fact: LinkFact): string {
  if (fact.kind === 'slept') return `this machine has slept for ${fact.seconds} s`;
  if (fact.kind === 'stalled')
    return `this process did not run for ${fact.seconds} s: it was stopped, or the machine is too busy`;
  if (fact.kind !== 'clock') return fact.kind;
  const way = fact.by > 0 ? 'forward' : 'back';
  return `the time of this machine was set ${way} by ${Math.abs(fact.by)} s; builds are timed without it`;
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

/** Notices that the machine slept, that its time was set, or that this process was held up. Gives the way to stop. */
export function watchClocks(options: {
  clock: Clock;
  elapsed: Elapsed;
  onFact(fact: LinkFact): void;
  everyMs?: number;
}): () => void {
  const { clock, elapsed, onFact, everyMs = LOOK_MS } = options;
  const read = (): Reading => ({
    wall: clock.wall(),
    monotonic: clock.monotonic() / 1000,
    elapsed: elapsed.seconds(),
  });
  let before = read();
  const timer = setInterval(() => {
    const now = read();
    for (const fact of compareReadings(before, now, everyMs / 1000)) onFact(fact);
    before = now;
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
