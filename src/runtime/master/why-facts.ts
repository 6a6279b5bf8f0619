import type { WhyObject } from '../../api/objects.ts';
import { didYouMean } from '../../base/did-you-mean.ts';
import { resultOf } from '../../build/results.ts';
import type { Clock } from '../../base/clock.ts';
import type { MasterConfig } from '../../config/master-config.ts';
import { requestById, requestsOfChange, type RequestListRow } from '../../store/buildrequests.ts';
import { buildById, buildByRevision, type BuildRow } from '../../store/build-rows.ts';
import { changeById, changeRows, schedulerChanges, type ChangeRow } from '../../store/changes.ts';
import type { Db } from '../../store/database.ts';
import { pollRows } from '../../store/polls.ts';
import { stepRows } from '../../store/steps.ts';
import { schedulerRefusal } from './changes.ts';
import { codes } from './codes.ts';
import type { Dispatcher } from './dispatch.ts';
import { findRequest, tryBuild } from './http/lookup.ts';
import type { SchedulerRunner } from './schedulers/runner.ts';
import { LOG_FILES, STORE, type TroubleList } from './trouble.ts';
import { whyChange, type ChangeFacts, type SchedulerFacts } from './why-change.ts';
import { whyBuild, whyRequest } from './why.ts';
import { linksOfBuild } from './workers/link-view.ts';
import type { Roster } from './workers/roster.ts';

export interface WhyDeps {
  config: () => MasterConfig;
  roster: Roster;
  dispatcher: Dispatcher;
  schedulers: SchedulerRunner;
  trouble: Pick<TroubleList, 'get'>;
  clock: Clock;
}

/** A revision as people shorten it. */
const REVISION = /^[0-9a-f]{7,64}$/;

/**
 * Explains a subject of `bbx why`: `r17`, `c5`, a BUILD, a repository's name or address (`repository/NAME` whatever else has the name), or a
 * revision. Of a name that a builder and a repository share, both are told. Throws BBX-API-NOT-FOUND.
 */
export async function explain(db: Db, subject: string, deps: WhyDeps): Promise<WhyObject> {
  if (/^r\d+$/.test(subject)) return aboutRequest(db, await findRequest(db, subject), deps);
  if (/^c\d+$/.test(subject)) {
    const change = await changeById(db, Number(subject.slice(1)));
    if (change === undefined) throw codes['BBX-API-NOT-FOUND']({ kind: 'change', name: subject });
    return aboutChange(db, subject, change.repository, change, deps);
  }
  const { repositories, builders } = deps.config();
  const meant = repositoryOf(subject, repositories);
  if (meant !== undefined && !Object.hasOwn(builders, subject)) return aboutRepository(db, meant, deps);
  const build = await tryBuild(db, subject);
  if (build !== undefined) {
    const why = await aboutBuild(db, build, deps);
    if (!Object.hasOwn(repositories, subject)) return why;
    const { reasons } = await aboutRepository(db, subject, deps);
    return { ...why, reasons: [...why.reasons, ...reasons] };
  }
  if (Object.hasOwn(repositories, subject)) return aboutRepository(db, subject, deps);
  if (REVISION.test(subject)) {
    const [change] = await changeRows(db, { revision: subject }, { limit: 1 });
    if (change !== undefined) return aboutChange(db, subject, change.repository, change, deps);
    const built = await buildByRevision(db, subject);
    if (built !== undefined) return aboutBuild(db, built, deps);
  }
  const known = [...Object.keys(repositories), ...Object.keys(builders)];
  throw codes['BBX-API-NOT-FOUND']({ kind: 'subject', name: subject, meant: didYouMean(subject, known) });
}

/** The repository that a text names: by its name, its address, or `repository/NAME`. */
function repositoryOf(text: string, repositories: MasterConfig['repositories']): string | undefined {
  const name = text.replace(/^repository\//, '');
  for (const each of [text, name]) if (Object.hasOwn(repositories, each)) return each;
  return Object.keys(repositories).find((each) => repositories[each]?.git === text);
}

async function aboutRepository(db: Db, name: string, deps: WhyDeps): Promise<WhyObject> {
  const [newest] = await changeRows(db, { repository: name }, { limit: 1 });
  return aboutChange(db, name, name, newest, deps);
}

async function aboutRequest(db: Db, row: RequestListRow, deps: WhyDeps): Promise<WhyObject> {
  const builder = deps.config().builders[row.builder];
  const builds = [];
  for (const { buildid } of row.builds) {
    const build = await buildById(db, buildid);
    if (build !== undefined) builds.push(build);
  }
  const waiting = deps.dispatcher.waiting.of(row.builderid);
  return whyRequest(
    {
      id: row.buildrequestid,
      builder: row.builder,
      builderActive: builder !== undefined,
      wants: { tags: builder?.workers.tags ?? [], names: builder?.workers.names ?? [] },
      submittedAt: row.submitted_at,
      claimed: row.claimed_at !== null,
      result: resultOf(row.results) ?? null,
      completeAt: row.complete_at,
      cancelReason: row.cancel_reason,
      masterDraining: deps.dispatcher.draining,
      storeTrouble: deps.trouble.get(STORE),
      before: Math.max(
        0,
        waiting.findIndex(({ id }) => id === row.buildrequestid),
      ),
      builds: builds.map((build) => ({
        buildid: build.buildid,
        number: build.number,
        worker: build.worker,
        result: resultOf(build.results) ?? null,
        startedAt: build.started_at,
      })),
    },
    deps.roster.all().map((worker) => deps.roster.candidate(worker)),
  );
}

async function aboutBuild(db: Db, row: BuildRow, { trouble }: WhyDeps): Promise<WhyObject> {
  const request = await requestById(db, row.buildrequestid);
  const steps = await stepRows(db, row.buildid);
  const links = await linksOfBuild(db, row);
  const troubles = [STORE, LOG_FILES, `worker ${row.worker}`].flatMap(
    (subject) => trouble.get(subject) ?? [],
  );
  return whyBuild({
    links,
    troubles: row.complete_at === null ? troubles : [],
    builder: row.builder,
    number: row.number,
    worker: row.worker,
    attempt: row.attempt,
    state: row.state_string,
    result: resultOf(row.results) ?? null,
    reason: row.reason,
    submittedAt: request?.submitted_at ?? row.started_at,
    startedAt: row.started_at,
    completeAt: row.complete_at,
    lostAt: row.lost_at,
    cancelReason: row.cancel_reason,
    steps: steps.map((step) => ({
      number: step.number,
      name: step.name,
      result: resultOf(step.results) ?? null,
      state: step.state_string,
      startedAt: step.started_at,
      completeAt: step.complete_at,
    })),
  });
}

async function aboutChange(
  db: Db,
  subject: string,
  repository: string,
  change: ChangeRow | undefined,
  deps: WhyDeps,
): Promise<WhyObject> {
  const { config, clock } = deps;
  const settings = config().repositories[repository];
  const [poll] = await pollRows(db, { repository });
  const polled: ChangeFacts['poll'] =
    settings === undefined || settings.pollMs === null
      ? 'not polled'
      : poll === undefined
        ? 'never'
        : { polledAt: poll.polled_at, error: messageOf(poll.error) };
  const requests = change === undefined ? [] : await requestsOfChange(db, change.changeid);
  const schedulers: SchedulerFacts[] = [];
  for (const [name, scheduler] of Object.entries(config().schedulers)) {
    const held =
      change !== undefined &&
      (await schedulerChanges(db, name)).some(({ changeid }) => changeid === change.changeid);
    schedulers.push({
      name,
      refusal:
        change !== undefined
          ? schedulerRefusal(scheduler, change)
          : scheduler.repository === repository
            ? undefined
            : 'it builds another repository',
      nextAt: deps.schedulers.nextAt(name),
      waitsFor: held ? (scheduler.kind === 'branch' ? 'treeStableTimer' : 'cron') : undefined,
      requests: requests
        .filter((request) => request.scheduler === name)
        .map((request) => ({
          id: request.buildrequestid,
          builder: request.builder,
          result: resultOf(request.results) ?? null,
          claimed: request.claimed_at !== null,
        })),
      builders: scheduler.builders,
    });
  }
  return whyChange(
    {
      subject,
      repository,
      change:
        change === undefined
          ? undefined
          : {
              changeid: change.changeid,
              repository: change.repository,
              branch: change.branch,
              revision: change.revision,
              receivedAt: change.received_at,
            },
      poll: polled,
      pollMs: settings?.pollMs ?? null,
      schedulers,
    },
    clock.wall(),
  );
}

function messageOf(error: unknown): string | null {
  if (error === null || error === undefined) return null;
  const { message } = error as { message?: unknown };
  return typeof message === 'string' ? message : JSON.stringify(error);
}
