import type { Log } from '../../base/log.ts';
import { oneLine } from './trouble.ts';

/**
 * Lets memory follow what is committed, act by act. The rows stand whatever happens here: an act that throws is a fault of ours, which is said, and keeps
 * none of the others from being done; to take it for a failure of the transaction would write everything twice.
 */
export function follow(acts: Iterable<() => void>, say: Log): void {
  for (const act of acts) {
    try {
      act();
    } catch (error) {
      say.error('What follows a change of the farm could not be done', { error: oneLine(error) });
    }
  }
}
