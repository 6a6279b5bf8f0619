import { within } from '../../base/abort.ts';
import { sentences } from '../../base/error.ts';
import type { BuildPlace } from './places.ts';

/**
 * A directory that cannot be had refuses the build: nothing ran, so it may run elsewhere at once. One that takes longer (a large workspace
 * is handed to another user) is taken on trust, since other messages wait meanwhile.
 */
const OPEN_PLACE_MS = 2_000;

/** The builds of a builder, which take turns in its directory. */
export interface Turns {
  /**
   * The directory for a build that is being assigned, or why it cannot be had; neither where another build of the builder still ends: then it
   * can be had, and is to be waited for.
   */
  ask(builddir: string): Promise<{ place?: Promise<BuildPlace>; problem?: string }>;
  /** The directory, once the last build that took it has ended. */
  wait(builddir: string): Promise<BuildPlace>;
  /** The next build there waits until `done` has settled. */
  take(builddir: string, done: Promise<void>): void;
}

export function createTurns(openPlace: (builddir: string) => Promise<BuildPlace>): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    async ask(builddir) {
      if (last.has(builddir)) return {};
      const place = openPlace(builddir);
      const problem = await within(problemOf(place), OPEN_PLACE_MS);
      return problem === undefined ? { place } : { problem };
    },
    async wait(builddir) {
      await last.get(builddir);
      return openPlace(builddir);
    },
    take(builddir, done) {
      const settled = done.catch(() => undefined);
      last.set(builddir, settled);
      void settled.then(() => {
        if (last.get(builddir) === settled) last.delete(builddir);
      });
    },
  };
}

/** Why a place could not be opened; undefined when it is. */
async function problemOf(opened: Promise<BuildPlace>): Promise<string | undefined> {
  try {
    await opened;
    return undefined;
  } catch (error) {
    return sentences(error).join(': ');
  }
}
