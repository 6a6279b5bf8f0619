import type { Clock } from '../../../base/clock.ts';
import { codes } from '../codes.ts';
import type { TroubleList } from '../trouble.ts';
import type { Worker } from './roster.ts';

/** A worker that refused an assignment gets nothing for so long; twice as long with each refusal after it. */
const REST_MS = 10_000;
/** The longest such rest: each try costs a build's number and row. */
const REST_MAX_MS = 10 * 60_000;
/** After its rest it is asked and has answered within this; where nobody wants a build it is not asked, and what it would say is not known. */
const ASKED_AGAIN_MS = 5_000;

/** The rests of workers that refuse builds. */
export interface Rests {
  /** It has refused a build: it rests. */
  refused(worker: Worker, why: string): void;
  /** It has taken one: its refusals are forgotten. */
  took(worker: Worker): void;
  /** It is asked again at once, whatever it refused. */
  end(worker: Worker): void;
}

/** Lets workers rest that refuse builds, and says why they do. */
export function createRests({ clock, trouble }: { clock: Clock; trouble: TroubleList }): Rests {
  function forget(worker: Worker): void {
    worker.refusals = 0;
    worker.refusedWhy = null;
    trouble.clear(refusalsOf(worker));
  }

  return {
    refused(worker, why) {
      const restMs = Math.min(REST_MS * 2 ** worker.refusals, REST_MAX_MS);
      worker.restsUntil = clock.monotonic() + restMs;
      worker.refusals += 1;
      worker.refusedWhy = why;
      // One that drains says so itself, and has no trouble.
      if (worker.attached?.draining === true) return;
      trouble.say(refusalsOf(worker), codes['BBX-MAS-WORKER-REFUSES']({ worker: worker.name, why }), {
        forMs: restMs + ASKED_AGAIN_MS,
      });
    },
    took: forget,
    end(worker) {
      worker.restsUntil = 0;
      forget(worker);
    },
  };
}

/** Its own words (notes) are another subject. */
function refusalsOf({ name }: Worker): string {
  return `worker ${name}: builds`;
}
