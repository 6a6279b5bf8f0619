import type {
  BuilderObject,
  BuildObject,
  ChangeObject,
  RequestObject,
  StepObject,
  WorkerObject,
} from '../../../api/objects.ts';
import { resultOf, type Result } from '../../../build/results.ts';
import type { MasterConfig } from '../../../config/master-config.ts';
import { fingerprintOf } from '../../../protocol/bbx/keys.ts';
import type { BuilderListRow } from '../../../store/builders.ts';
import type { RequestListRow } from '../../../store/buildrequests.ts';
import type { BuildRow } from '../../../store/build-rows.ts';
import type { ChangeRow } from '../../../store/changes.ts';
import type { StepListRow } from '../../../store/steps.ts';
import { misfit, refusal } from '../match.ts';
import type { Roster, Worker } from '../workers/roster.ts';

/** Rows, and what the master knows beside them, as the objects of the API. */

export function showBuild(row: BuildRow): BuildObject {
  return {
    buildid: row.buildid,
    builderid: row.builderid,
    builder: row.builder,
    number: row.number,
    buildrequestid: row.buildrequestid,
    worker: row.worker,
    attempt: row.attempt,
    complete: row.complete_at !== null,
    results: row.results,
    result: wordOf(row.results),
    started_at: row.started_at,
    complete_at: row.complete_at,
    state_string: stateOf(row),
    reason: row.reason,
    branch: row.branch,
    revision: row.revision ?? gotRevision(row),
    properties: row.properties,
  };
}

/** What a build of "the newest" turned out to build. */
function gotRevision({ properties }: BuildRow): string | null {
  const got = properties['got_revision'];
  return typeof got === 'string' ? got : null;
}

function stateOf(row: BuildRow): string {
  if (row.complete_at !== null) return row.state_string;
  if (row.lost_at !== null) return `waiting for worker "${row.worker}" to come back`;
  if (row.cancel_reason !== null) return 'stopping';
  return row.state_string;
}

/** `sizeOf` knows where logs stand that still grow; their rows are behind. */
export function showStep(row: StepListRow, sizeOf: (logid: number) => number | undefined): StepObject {
  return {
    stepid: row.stepid,
    buildid: row.buildid,
    number: row.number,
    name: row.name,
    started_at: row.started_at,
    complete_at: row.complete_at,
    complete: row.complete_at !== null,
    results: row.results,
    result: wordOf(row.results),
    state_string: row.state_string,
    rc: row.rc,
    signal: row.signal,
    logs: row.logs.map((log) => ({ ...log, bytes: Math.max(log.bytes, sizeOf(log.logid) ?? 0) })),
  };
}

/** A request as the API shows it. */
export function showRequest(row: RequestListRow): RequestObject {
  return {
    buildrequestid: row.buildrequestid,
    buildsetid: row.buildsetid,
    builderid: row.builderid,
    builder: row.builder,
    priority: row.priority,
    submitted_at: row.submitted_at,
    claimed: row.claimed_at !== null,
    complete: row.complete_at !== null,
    results: row.results,
    result: wordOf(row.results),
    complete_at: row.complete_at,
    cancel_reason: row.cancel_reason,
    reason: row.reason,
    branch: row.branch,
    revision: row.revision,
    builds: row.builds.map(({ buildid, number, results }) => ({ buildid, number, result: wordOf(results) })),
  };
}

/** A change as the API shows it. */
export function showChange(row: ChangeRow): ChangeObject {
  const { changeid, repository, branch, revision, author, comments, files, when_timestamp } = row;
  return { changeid, repository, branch, revision, author, comments, files, when_timestamp };
}

/** A builder as the API shows it, with the workers that could build it. */
export function showBuilder(row: BuilderListRow, config: MasterConfig, roster: Roster): BuilderObject {
  const builder = Object.hasOwn(config.builders, row.name) ? config.builders[row.name] : undefined;
  const wants = { tags: builder?.workers.tags ?? [], names: builder?.workers.names ?? [] };
  const fitting = roster
    .candidates()
    .filter((worker) => builder !== undefined && worker.connected && misfit(wants, worker) === undefined);
  const { last } = row;
  return {
    builderid: row.builderid,
    name: row.name,
    active: row.active,
    tags: builder?.tags ?? [],
    workers: fitting.map(({ name }) => name).toSorted(),
    pending: row.pending,
    running: row.running,
    last:
      last === null
        ? null
        : { number: last.number, result: wordOf(last.results), complete_at: last.complete_at },
  };
}

/** A worker as the API shows it: its row, and what is known of it now. */
export function showWorker(worker: Worker, roster: Roster): WorkerObject {
  const candidate = roster.candidate(worker);
  const refused = refusal(candidate);
  return {
    workerid: worker.workerid,
    name: worker.name,
    state: worker.state,
    connected: candidate.connected,
    attached: refused === undefined || refused === 'resting',
    paused: worker.paused,
    draining: candidate.draining,
    tags: [...candidate.tags],
    maxBuilds: candidate.maxBuilds,
    running: worker.builds.size,
    fingerprint: worker.publicKey === null ? null : fingerprintOf(Buffer.from(worker.publicKey, 'base64')),
    peer: worker.attached?.peer ?? worker.peer,
    last_seen_at: worker.seenAt,
    facts: worker.facts,
    notes: [
      ...(worker.attached?.notes ?? []),
      // Afterwards nobody knows what it would say.
      ...(worker.refusedWhy === null || !candidate.resting ? [] : [`refuses builds: ${worker.refusedWhy}`]),
    ],
  };
}

/** The word for a row's result; null while there is none. */
export function wordOf(results: number | null): Result | null {
  return resultOf(results) ?? null;
}
