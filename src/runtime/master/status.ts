import { stat } from 'node:fs/promises';
import { within } from '../../base/abort.ts';
import type { StatusObject } from '../../api/objects.ts';
import type { Clock } from '../../base/clock.ts';
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
export type MasterFacts = Omit<StatusObject, 'config' | 'workers' | keyof Lists | 'trouble'> & {
  config: Omit<StatusObject['config'], 'changed'>;
};

/** What the database knows of a status. */
type Lists = Pick<StatusObject, 'running' | 'pending' | 'lists'>;

/**
 * Everything that `bbx status` shows. While the database is away, or does not answer in time, it shows the builds and requests of the last
 * time, says of when they are, and what is wrong where that is known: then of all times an answer is wanted.
 */
export function createStatus(options: {
  store: Store;
  roster: Roster;
  trouble: TroubleList;
  clock: Pick<Clock, 'wall'>;
}) {
  const { store, roster, trouble, clock } = options;
  let last: Lists = { running: [], pending: [], lists: { stale: true, read_at: null } };

  const read = async (): Promise<Lists> => {
    const lists = { stale: false, read_at: clock.wall() };
    const rows = await store.read(async (db) => ({
      running: (await buildRows(db, { complete: false }, { limit: MOST })).map(showBuild),
      pending: (await pendingRows(db, MOST)).map(showRequest),
    }));
    last = { ...rows, lists };
    return last;
  };
  const newest = async (): Promise<Lists> => {
    if (trouble.get(STORE)?.code !== 'BBX-STO-AWAY') {
      try {
        const found = await within(read(), LISTS_MS);
        if (found !== undefined) return found;
      } catch (error) {
        if (!(error instanceof BbxError && error.retryable)) throw error;
        trouble.say(STORE, error);
      }
    }
    return { ...last, lists: { ...last.lists, stale: true } };
  };

  return {
    async read(facts: MasterFacts): Promise<StatusObject> {
      const { running, pending, lists } = await newest();
      return {
        ...facts,
        config: { ...facts.config, changed: await isNewer(facts.config.file, facts.config.loaded_at) },
        workers: roster
          .all()
          .filter(({ state }) => state !== 'removed')
          .map((worker) => showWorker(worker, roster)),
        running,
        pending,
        lists,
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
