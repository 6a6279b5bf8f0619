import type { Clock } from '../../base/clock.ts';
import type { SteadyClock } from '../../base/steady-clock.ts';
import type { MasterSession } from '../../protocol/bbx/master-contract.ts';
import type { Running } from './running.ts';

/** Clocks that differ by less are left as they are: a moved time is worse to compare with the worker's own logs. */
const APART_S = 2;

/**
 * The times of builds as rows have them. A worker tells its own; they are moved by the difference of the clocks, and within a build never
 * go back nor past the present. So a build never ends before it began, whatever happened to either clock meanwhile.
 */
export interface BuildTimes {
  /** What a worker said of the clocks with its inventory: the master's is so many seconds ahead. */
  learn(session: MasterSession, clocks: { ahead: number } | undefined): void;
  /** The master's time for a moment of a worker's clock: moved when the two are far apart. */
  here(session: MasterSession, at: number): number;
  /** The master's time for a moment that a worker told of a build; the build's `lastAt` goes on to it. */
  place(build: Pick<Running, 'lastAt'>, session: MasterSession, at: number): number;
}

/** Times of builds by a steady clock of the master's. */
export function createBuildTimes(clock: Clock, steady: SteadyClock): BuildTimes {
  /** Monotonic ms here at the beginning of a worker's wall clock. */
  const beginnings = new WeakMap<MasterSession, number>();
  function here(session: MasterSession, at: number): number {
    const beginning = beginnings.get(session);
    if (beginning === undefined) return at;
    const placed = steady.wallAt(at * 1000 + beginning);
    return Math.abs(placed - at) > APART_S ? placed : at;
  }
  return {
    here,
    learn(session, clocks) {
      if (clocks === undefined) return;
      beginnings.set(session, clock.monotonic() - (clock.wall() - clocks.ahead) * 1000);
    },
    place(build, session, at) {
      build.lastAt = Math.max(Math.min(here(session, at), steady.wall()), build.lastAt);
      return build.lastAt;
    },
  };
}
