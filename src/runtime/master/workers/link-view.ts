import type { LinkEventObject, LinkObject } from '../../../api/objects.ts';
import { resultOf } from '../../../build/results.ts';
import type { BuildRow } from '../../../store/build-rows.ts';
import type { Db } from '../../../store/database.ts';
import { logsOfBuild, type BuildLogRow } from '../../../store/logs.ts';
import { linkFacts, linkSessions, newestLinkSessions, SESSIONS_KEPT } from '../../../store/links.ts';
import { linkEvents } from './link-story.ts';
import type { Worker } from './roster.ts';

/** Sessions of a build that are looked at: more than that, and the answer is "all the time". */
const SESSIONS = 200;
const FACTS = 1_000;
/** What a side writes down about a session comes within this of its beginning or end. */
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
/** Later than any row. */
const LATEST_S = 1e12;

/** Times without a link to its worker while a build ran, and what became of it each time. */
export async function linksOfBuild(db: Db, build: BuildRow): Promise<LinkEventObject[]> {
  const { workerid, started_at: from, complete_at: to } = build;
  // Of a master that was killed the rows end up to a minute too early.
  const sessions = await linkSessions(db, workerid, { from: from - 2 * MINUTE_S, limit: SESSIONS });
  const first = sessions[0];
  if (first === undefined || (first.closed_at === null && sessions.length === 1)) return [];
  // The first session may have begun days before; of that time only its beginning counts.
  const early = await linkFacts(db, workerid, {
    ...{ from: first.opened_at - MINUTE_S, to: Math.min(first.opened_at + MINUTE_S, from), limit: FACTS },
  });
  // From a minute before the end of the earliest session that was asked for.
  const facts = await linkFacts(db, workerid, {
    ...{ from: from - 3 * MINUTE_S, to: (to ?? LATEST_S) + HOUR_S, limit: FACTS },
  });
  const events = linkEvents(
    sessions,
    [...early, ...facts.filter((fact) => !early.some((each) => isSame(each, fact)))],
    {
      from,
      to,
    },
  );
  const logs = events.length === 0 ? [] : await logsOfBuild(db, build.buildid);
  return events.map((event, index) => ({
    ...event,
    words: `${event.words}, ${fate(build, event, index === events.length - 1, logs)}`,
  }));
}

function isSame(a: { boot: string; number: number }, b: { boot: string; number: number }): boolean {
  return a.boot === b.boot && a.number === b.number;
}

/** By its receipt: something of it is missing or is something else, for whatever reason. `last`: only the last loss of a link leaves a log without its end. */
function isNotWhole({ receipt }: BuildLogRow, last: boolean): boolean {
  return receipt === 'holes' || receipt === 'mismatch' || (last && receipt === 'unsaid');
}

/** What a lost link did to a build, as far as its result and its logs tell. */
function fate(build: BuildRow, event: LinkEventObject, last: boolean, logs: readonly BuildLogRow[]): string {
  const result = resultOf(build.results);
  if (build.complete_at === null && event.back_at === null) return 'the build may go on there';
  const endedMeanwhile =
    build.complete_at !== null && (event.back_at === null || build.complete_at <= event.back_at);
  const givenUp = (result === 'retry' && last) || (result === 'exception' && endedMeanwhile);
  if (givenUp) return 'the build was given up';
  const [first, ...others] = logs.filter((log) => isNotWhole(log, last));
  if (first === undefined) return 'nothing lost';
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  return `what it cost is not known: log "${first.name}" of step ${first.step}${more} not whole`;
}

/** The link to a worker, now and lately. `now` is epoch seconds. */
export async function linkOfWorker(db: Db, worker: Worker, now: number): Promise<LinkObject> {
  const sessions = await newestLinkSessions(db, worker.workerid, SESSIONS_KEPT);
  const losses = linkEvents(sessions, [], { from: now - DAY_S, to: null });
  const newest = losses.at(-1);
  const facts =
    newest === undefined
      ? []
      : await linkFacts(db, worker.workerid, {
          ...{ from: newest.lost_at - MINUTE_S, to: (newest.back_at ?? now) + MINUTE_S, limit: FACTS },
        });
  const last =
    newest === undefined
      ? null
      : (linkEvents(sessions.slice(-3), facts, { from: 0, to: null }).at(-1) ?? null);
  const session = worker.attached?.session;
  const page = worker.attached?.page;
  const pulse = page?.pulse;
  return {
    since: page?.openedAt ?? null,
    rtt_ms: pulse?.medianMs ?? null,
    rtt_min_ms: pulse?.minMs ?? null,
    rtt_max_ms: pulse?.maxMs ?? null,
    pings: pulse?.pings ?? 0,
    missed: pulse?.missed ?? 0,
    received: session?.traffic.received ?? 0,
    sent: session?.traffic.sent ?? 0,
    clock_ahead: page?.ahead ?? null,
    lost_hour: losses.filter(({ lost_at }) => lost_at >= now - HOUR_S).length,
    lost_day: losses.filter(({ lost_at }) => lost_at >= now - DAY_S).length,
    last,
  };
}
