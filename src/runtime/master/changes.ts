import type { Clock } from '../../base/clock.ts';
import type { MasterConfig, SchedulerConfig } from '../../config/master-config.ts';
import { addChange, changeById, type ChangeRow, type NewChange } from '../../store/changes.ts';
import type { Tx } from '../../store/database.ts';
import { addSchedulerChanges } from '../../store/scheduler-state.ts';
import type { Emit, Farm } from './events.ts';
import { branchRefusal } from './schedulers/branch.ts';

/** Why a scheduler does not take a change; undefined when it does. */
export function schedulerRefusal(
  scheduler: SchedulerConfig,
  change: { repository: string; branch: string },
): string | undefined {
  if (scheduler.kind === 'branch') return branchRefusal(scheduler, change);
  const { repository, branch } = scheduler;
  return branchRefusal(
    { repository: repository ?? undefined, branches: branch === null ? [] : [branch] },
    change,
  );
}

/**
 * Writes a change, and notes it for each scheduler that builds it, in one transaction: so a change is never without its builds, whenever the
 * master falls.
 */
export async function writeChange(
  tx: Tx,
  emit: Emit,
  config: Pick<MasterConfig, 'schedulers'>,
  change: NewChange,
): Promise<number> {
  const changeid = await addChange(tx, change);
  const { repository, branch, revision } = change;
  emit({ type: 'change.added', changeid, repository, branch, revision });
  for (const [name, scheduler] of Object.entries(config.schedulers)) {
    if (schedulerRefusal(scheduler, change) === undefined) await addSchedulerChanges(tx, name, [changeid]);
  }
  return changeid;
}

export interface Changes {
  /** A change that somebody tells of. */
  add(change: Omit<NewChange, 'received_at'>): Promise<ChangeRow>;
}

/** Takes changes in, whoever saw them. */
export function createChanges(options: { farm: Farm; config: () => MasterConfig; clock: Clock }): Changes {
  const { farm, config, clock } = options;
  return {
    async add(change) {
      const changeid = await farm.change((tx, emit) =>
        writeChange(tx, emit, config(), { ...change, received_at: clock.wall() }),
      );
      return (await farm.store.read((db) => changeById(db, changeid)))!;
    },
  };
}
