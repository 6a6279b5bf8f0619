import { stat } from 'node:fs/promises';
import type { StatusObject } from '../../api/objects.ts';
import { buildRows } from '../../store/build-rows.ts';
import { pendingRows } from '../../store/buildrequests.ts';
import type { Db } from '../../store/database.ts';
import { showBuild, showRequest, showWorker } from './http/views.ts';
import type { TroubleList } from './trouble.ts';
import type { Roster } from './workers/roster.ts';

/** Lists in a status are for people; who wants all asks for builds or requests. */
const MOST = 1_000;

/** Facts about the master itself. */
export type MasterFacts = Omit<StatusObject, 'config' | 'workers' | 'running' | 'pending' | 'trouble'> & {
  config: Omit<StatusObject['config'], 'changed'>;
};

/** Everything that `bbx status` shows. */
export async function readStatus(
  db: Db,
  facts: MasterFacts,
  roster: Roster,
  trouble: TroubleList,
): Promise<StatusObject> {
  const running = await buildRows(db, { complete: false }, { limit: MOST });
  const pending = await pendingRows(db, MOST);
  return {
    ...facts,
    config: { ...facts.config, changed: await isNewer(facts.config.file, facts.config.loaded_at) },
    workers: roster
      .all()
      .filter(({ state }) => state !== 'removed')
      .map((worker) => showWorker(worker, roster)),
    running: running.map(showBuild),
    pending: pending.map(showRequest),
    trouble: trouble.list(),
  };
}

/** Whether a file was written after a time (epoch seconds), or is gone. */
async function isNewer(file: string, at: number): Promise<boolean> {
  try {
    return (await stat(file)).mtimeMs / 1_000 > at;
  } catch {
    return true;
  }
}
