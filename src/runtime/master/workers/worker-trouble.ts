import { codes } from '../codes.ts';
import type { TroubleList } from '../trouble.ts';

/** How long status says that two processes had one name. */
const TWICE_SHOWN_MS = 15 * 60_000;

/** What trouble with two processes of a name is filed under. */
export function twoProcesses(name: string): string {
  return `worker ${name}: two processes`;
}

/** What a worker says of itself stands in `status` for as long as it is connected and says so. */
export function sayNotes(trouble: TroubleList, worker: string, notes: readonly string[]): void {
  if (notes.length === 0) trouble.clear(`worker ${worker}`);
  else trouble.say(`worker ${worker}`, codes['BBX-MAS-WORKER-NOTE']({ worker, note: notes.join('; ') }));
}

/** Two processes had one name. Nothing ends this by itself: it is shown for a while. */
export function sayTwice(
  trouble: TroubleList,
  about: { worker: string; old: string; newcomer: string; refused: boolean },
): void {
  trouble.say(twoProcesses(about.worker), codes['BBX-MAS-WORKER-TWICE'](about), { forMs: TWICE_SHOWN_MS });
}
