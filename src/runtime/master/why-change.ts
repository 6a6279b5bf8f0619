import { printDuration } from '../../base/duration.ts';
import type { Result } from '../../build/results.ts';
import type { WhyObject } from '../../api/objects.ts';
import { seconds } from './why.ts';

type Reason = WhyObject['reasons'][number];

export interface ChangeFacts {
  subject: string;
  /** Undefined: only a repository was asked about. */
  change:
    | { changeid: number; repository: string; branch: string; revision: string; receivedAt: number }
    | undefined;
  repository: string;
  poll: { polledAt: number; error: string | null } | 'never' | 'not polled';
  pollMs: number | null;
  schedulers: readonly SchedulerFacts[];
}

export interface SchedulerFacts {
  name: string;
  /** Why the change does not concern it at all. */
  refusal: string | undefined;
  /** Epoch seconds of the moment when its timer or its cron pattern lets it build; null when nothing waits. */
  nextAt: number | null;
  waitsFor: 'treeStableTimer' | 'cron' | undefined;
  requests: readonly { id: number; builder: string; result: Result | null; claimed: boolean }[];
  builders: readonly string[];
}

/** Why a change, a revision or a repository was built, or was not: the last poll, and each scheduler. */
export function whyChange(facts: ChangeFacts, now: number): WhyObject {
  const reasons: Reason[] = [pollReason(facts, now)];
  for (const scheduler of facts.schedulers)
    reasons.push(schedulerReason(scheduler, facts.change !== undefined, now));
  const fired = facts.schedulers.flatMap(({ requests }) => requests);
  const { change, subject, repository } = facts;
  let summary: string;
  if (change === undefined) {
    summary = `Repository "${repository}" has no change in the store yet`;
  } else if (fired.length > 0) {
    summary = `Change c${change.changeid} (${change.branch} at ${change.revision.slice(0, 12)}) made ${fired.length} ${fired.length === 1 ? 'request' : 'requests'}`;
  } else if (facts.schedulers.some(({ waitsFor }) => waitsFor !== undefined)) {
    summary = `Change c${change.changeid} waits in a scheduler`;
  } else {
    summary = `Change c${change.changeid} was built by no scheduler`;
  }
  return { subject, summary, reasons };
}

function pollReason({ repository, poll, pollMs }: ChangeFacts, now: number): Reason {
  const about = `repository "${repository}"`;
  if (poll === 'not polled') {
    return { about, reason: 'it is not polled: changes come by "bbx change send" only', since: null };
  }
  const every = pollMs === null ? '' : `, every ${printDuration(pollMs)}`;
  if (poll === 'never') return { about, reason: `it has not been polled yet${every}`, since: null };
  const ago = `last polled ${seconds(now - poll.polledAt)} ago${every}`;
  return {
    about,
    reason: poll.error === null ? ago : `${ago}, and that failed: ${poll.error}`,
    since: poll.polledAt,
  };
}

function schedulerReason(scheduler: SchedulerFacts, changed: boolean, now: number): Reason {
  const about = `scheduler "${scheduler.name}"`;
  if (scheduler.requests.length > 0) {
    const each = scheduler.requests.map(
      ({ id, builder, result, claimed }) =>
        `r${id} for "${builder}" (${result ?? (claimed ? 'running' : 'waiting')})`,
    );
    return { about, reason: `it fired: ${each.join(', ')}`, since: null };
  }
  if (scheduler.refusal !== undefined) return { about, reason: scheduler.refusal, since: null };
  if (scheduler.waitsFor === 'treeStableTimer' && scheduler.nextAt !== null) {
    return {
      about,
      reason: `its tree-stable timer has ${seconds(Math.max(0, scheduler.nextAt - now))} left`,
      since: null,
    };
  }
  if (scheduler.waitsFor === 'cron' && scheduler.nextAt !== null) {
    return {
      about,
      reason: `it waits for its time, in ${seconds(Math.max(0, scheduler.nextAt - now))}`,
      since: null,
    };
  }
  if (!changed) return { about, reason: 'it waits for a change', since: null };
  if (scheduler.builders.length === 0) return { about, reason: 'it names no builder', since: null };
  return { about, reason: 'it was not there, or had other branches, when the change came', since: null };
}
