import type { Log } from '../../../base/log.ts';
import { setWorkerDraining } from '../../../store/workers.ts';
import type { Farm } from '../events.ts';
import { oneLine } from '../trouble.ts';
import type { Worker } from './roster.ts';

/**
 * A worker has come with this `boot`. A drain that was asked of one process is over with it; one that was asked while no process was there
 * is the next one's.
 */
export function followDrain(farm: Farm, worker: Worker, boot: string, say: Log): void {
  if (worker.drains === null || worker.drains === boot) return;
  worker.drains = worker.drains === '' ? boot : null;
  worker.draining = worker.drains !== null;
  const { name, drains } = worker;
  farm.store
    .write((tx) => setWorkerDraining(tx, name, drains))
    .catch((error: unknown) => say.error('A drain could not be kept', { name, error: oneLine(error) }));
}
