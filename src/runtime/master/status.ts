import { stat } from 'node:fs/promises';
import { within } from '../../base/abort.ts';
import type { StatusObject } from '../../api/objects.ts';
import { BbxError } from '../../base/error.ts';
import { buildRows } from '../../store/build-rows.ts';
import { pendingRows } from '../../store/buildrequests.ts';
import type { Store } from '../../store/store.ts';
import { showBuild, showRequest, showWorker } from './http/views.ts';
import { STORE, type TroubleList } from './trouble.ts';
import type { Roster } from './workers/roster.ts';

/** Lists in a status are for people; who wants all asks for builds or requests. */
const MOST = 1_000;

/** The database has so long to answer. Who asks waits for 10 s, and a read of a database that has just gone waits as long for its return. */
const LISTS_MS = 5_000;

/** Facts about the master itself. */
export type MasterFacts = Omit<StatusObject, 'config' | 'workers' | 'running' | 'pending' | 'trouble'> & {
  config: Omit<StatusObject['config'], 'changed'>;
};

/** What the database knows of a status. */
type Lists = Pick<StatusObject, 'running' | 'pending'>;

/**
 * Everything that `bbx status` shows. While the database is away, or does not answer in time, it shows the builds and requests of the last
 * time, beside the words of what is wrong where they are known: then of all times an answer is wanted.
 */
export function createStatus(options: { store: Store; roster: Roster; trouble: TroubleList }) {
  const { store, roster, trouble } = options;
  let last: Lists = { running: [], pending: [] };

  const lists = async (): Promise<Lists> => {
    if (trouble.get(STORE)?.code === 'BBX-STO-AWAY') return last;
    const read = async () => {
      last = await store.read(async (db) => ({
        running: (await buildRows(db, { complete: false }, { limit: MOST })).map(showBuild),
        pending: (await pendingRows(db, MOST)).map(showRequest),
      }));
    };
    try {
      await within(read(), LISTS_MS);
    } catch (error) {
      if (!(error instanceof BbxError && error.retryable)) throw error;
      trouble.say(STORE, error);
    }
    return last;
  };

  return {
    async read(facts: MasterFacts): Promise<StatusObject> {
      const { running, pending } = await lists();
      return {
        ...facts,
        config: { ...facts.config, changed: await isNewer(facts.config.file, facts.config.loaded_at) },
        workers: roster
          .all()
          .filter(({ state }) => state !== 'removed')
          .map((worker) => showWorker(worker, roster)),
        running,
        pending,
        trouble: trouble.list(),
      };
    },
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
