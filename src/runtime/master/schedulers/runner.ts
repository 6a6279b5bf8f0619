import type { Clock } from '../../../base/clock.ts';
import { sleep } from '../../../base/abort.ts';
import type { Log } from '../../../base/log.ts';
import type {
  BranchSchedulerConfig,
  MasterConfig,
  NightlySchedulerConfig,
  SchedulerConfig,
} from '../../../config/master-config.ts';
import { schedulerChanges } from '../../../store/changes.ts';
import {
  getSchedulerState,
  removeSchedulerChanges,
  setSchedulerState,
} from '../../../store/scheduler-state.ts';
import type { Farm } from '../events.ts';
import { submit, type Requests } from '../requests.ts';
import { oneLine } from '../trouble.ts';
import { dueTrees } from './branch.ts';
import { decideNightly, holds, type NightlyMemory } from './nightly.ts';
import { createPatience } from './patience.ts';

/** Longest sleep: the wall clock may be set meanwhile, and a night must not be missed for it. */
const LONGEST_WAIT_MS = 60_000;
const RETRY_MS = 5_000;

export interface SchedulerRunner {
  /** Changes have come, or the configuration is another. */
  nudge(): void;
  /** Epoch seconds of a scheduler's next act, as of its last look; null: it waits for nothing. */
  nextAt(name: string): number | null;
  stop(): Promise<void>;
}

/** Lets the configuration's schedulers look, and submits what they decide. */
export function runSchedulers(options: {
  farm: Farm;
  requests: Requests;
  config: () => MasterConfig;
  clock: Clock;
  log: Log;
}): SchedulerRunner {
  const { farm, requests, config, clock, log: say } = options;
  const stopping = new AbortController();
  const next = new Map<string, number | null>();
  const patience = createPatience(clock);
  let again = false;
  let wake: (() => void) | undefined;

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      again = false;
      let waitMs = LONGEST_WAIT_MS;
      for (const [name, scheduler] of Object.entries(config().schedulers)) {
        try {
          const at = await look(name, scheduler);
          next.set(name, at);
          if (at !== null) waitMs = Math.min(waitMs, Math.max(0, (at - clock.wall()) * 1_000));
        } catch (error) {
          if (stopping.signal.aborted) return;
          say.error('A scheduler failed', { scheduler: name, error: oneLine(error) });
          waitMs = Math.min(waitMs, RETRY_MS);
        }
      }
      if (again) continue;
      const woken = new AbortController();
      wake = () => woken.abort();
      await sleep(waitMs, AbortSignal.any([stopping.signal, woken.signal])).catch(() => undefined);
      wake = undefined;
    }
  }

  function look(name: string, scheduler: SchedulerConfig): Promise<number | null> {
    return scheduler.kind === 'branch' ? lookBranch(name, scheduler) : lookNightly(name, scheduler);
  }

  async function lookBranch(name: string, scheduler: BranchSchedulerConfig): Promise<number | null> {
    const rows = await farm.store.read((db) => schedulerChanges(db, name));
    const now = clock.wall();
    const waits = patience.waits(name, rows, now);
    const waiting = rows.map((row) => ({ ...row, receivedAt: now - waits.get(row.changeid)! }));
    const { due, nextAt } = dueTrees(scheduler, waiting, now);
    for (const { repository, branch, revision, changes } of due) {
      const properties = rows.find(({ changeid }) => changeid === changes.at(-1))?.properties ?? {};
      await requests.submitting(async (tx, emit) => {
        const submitted = await submit(tx, emit, {
          reason: `scheduler ${name}`,
          scheduler: name,
          repository,
          branch,
          revision,
          properties: { ...properties, ...scheduler.properties, scheduler: name },
          changeids: changes,
          builders: scheduler.builders,
          priority: scheduler.priority,
          now: clock.wall(),
        });
        await removeSchedulerChanges(tx, name, changes);
        return { submitted, value: undefined };
      });
    }
    return nextAt;
  }

  async function lookNightly(name: string, scheduler: NightlySchedulerConfig): Promise<number | null> {
    const rule = { ...scheduler, timezone: scheduler.timezone ?? undefined };
    const { memory, changes } = await farm.store.read(async (db) => ({
      memory: (await getSchedulerState(db, name)) as NightlyMemory | undefined,
      changes: await schedulerChanges(db, name),
    }));
    const now = clock.wall();
    const decision = decideNightly(rule, memory, changes.length, now);
    const remember = { cron: scheduler.cron, lastAt: decision.act === 'wait' ? now : decision.at };
    if (decision.act === 'wait') {
      if (!holds(rule, memory, now)) await farm.store.write((tx) => setSchedulerState(tx, name, remember));
      return decision.at;
    }
    if (decision.act === 'skip') say.info('Nothing to build', { scheduler: name, why: decision.why });
    const last = changes.at(-1);
    await requests.submitting(async (tx, emit) => {
      await setSchedulerState(tx, name, remember);
      if (decision.act === 'skip') return { submitted: [], value: undefined };
      const submitted = await submit(tx, emit, {
        reason: `scheduler ${name}`,
        scheduler: name,
        repository: last?.repository ?? scheduler.repository,
        branch: last?.branch ?? scheduler.branch,
        revision: last?.revision ?? null,
        properties: { ...scheduler.properties, scheduler: name },
        changeids: changes.map(({ changeid }) => changeid),
        builders: scheduler.builders,
        priority: scheduler.priority,
        now,
      });
      await removeSchedulerChanges(
        tx,
        name,
        changes.map(({ changeid }) => changeid),
      );
      return { submitted, value: undefined };
    });
    return decideNightly(rule, remember, 0, now).at;
  }

  const running = loop();
  return {
    nudge() {
      again = true;
      wake?.();
    },
    nextAt: (name) => next.get(name) ?? null,
    async stop() {
      stopping.abort(new Error('the master stops'));
      await running;
    },
  };
}
