import type { Properties } from '../../build/plan.ts';
import type { Clock } from '../../base/clock.ts';
import { resultOf } from '../../build/results.ts';
import { findBuilder } from '../../store/builders.ts';
import { requestById, type RequestListRow } from '../../store/buildrequests.ts';
import { submitBuildset, type NewBuildset } from '../../store/buildsets.ts';
import { buildById, type BuildRow } from '../../store/build-rows.ts';
import { changesOfBuildset } from '../../store/changes.ts';
import type { Tx } from '../../store/database.ts';
import type { Builds } from './builds.ts';
import { codes } from './codes.ts';
import type { Dispatcher } from './dispatch.ts';
import { endWaitingRequest } from './endings.ts';
import type { Emit, Farm } from './events.ts';
import type { Waiting } from './match.ts';

/** A submitted request, for the dispatcher. */
export interface Submitted extends Waiting {
  builder: string;
  builderid: number;
}

/** Writes a buildset with a request for each builder; for use in the transaction of what submits it. */
export async function submit(
  tx: Tx,
  emit: Emit,
  set: Omit<NewBuildset, 'builderids'> & { builders: readonly string[] },
): Promise<Submitted[]> {
  const { builders, ...rest } = set;
  const rows = [];
  for (const name of new Set(builders)) {
    const row = await findBuilder(tx, name);
    if (row?.active === true) rows.push(row);
  }
  if (rows.length === 0) return [];
  const byId = new Map(rows.map((row) => [row.builderid, row.name]));
  const { requests } = await submitBuildset(tx, { ...rest, builderids: [...byId.keys()] });
  return requests.map(({ buildrequestid, builderid }) => {
    const builder = byId.get(builderid)!;
    emit({ type: 'request.submitted', buildrequestid, builder });
    return { id: buildrequestid, builder, builderid, priority: set.priority, submittedAt: set.now };
  });
}

export interface Requests {
  /** Commits what `act` submits, and hands it to the dispatcher. */
  submitting<T>(act: (tx: Tx, emit: Emit) => Promise<{ submitted: Submitted[]; value: T }>): Promise<T>;
  /** A build that somebody asks for, now. */
  force(asked: {
    builder: string;
    repository: string | null;
    branch: string | null;
    revision: string | null;
    reason: string;
    priority: number;
    properties: Properties;
  }): Promise<RequestListRow>;
  /** The same sources, properties and changes again. */
  retry(build: BuildRow): Promise<RequestListRow>;
  /** The same for a request that has ended: what its newest build built, or what it asked for where none had begun. */
  retryRequest(request: RequestListRow): Promise<RequestListRow>;
  cancelRequest(request: RequestListRow, reason: string): Promise<RequestListRow>;
  cancelBuild(build: BuildRow, reason: string): Promise<BuildRow>;
}

/** Between two looks a waiting request may begin, or its build end as `retry`; one that has ended is found so each time. */
const CANCEL_LOOKS = 3;

/** Submits, cancels and repeats requests. */
export function createRequests(options: {
  farm: Farm;
  builds: Builds;
  dispatcher: Dispatcher;
  clock: Clock;
}): Requests {
  const { farm, builds, dispatcher, clock } = options;

  /** Submits once more what was asked for under this name. */
  async function again(
    asked: Pick<RequestListRow, 'builder' | 'buildsetid' | 'properties' | 'priority'> &
      Pick<RequestListRow, 'repository' | 'branch' | 'revision'>,
    name: string,
  ): Promise<RequestListRow> {
    if (dispatcher.draining) throw codes['BBX-API-DRAINING']({});
    const { builder, repository, branch, revision, properties, priority } = asked;
    const changes = await farm.store.read((db) => changesOfBuildset(db, asked.buildsetid));
    const id = await requests.submitting(async (tx, emit) => {
      const submitted = await submit(tx, emit, {
        ...{ repository, branch, revision, properties, priority },
        builders: [builder],
        reason: `retry of ${name}`,
        scheduler: null,
        changeids: changes.map(({ changeid }) => changeid),
        now: clock.wall(),
      });
      return { submitted, value: submitted[0]?.id };
    });
    if (id === undefined) throw codes['BBX-API-NOT-FOUND']({ kind: 'builder', name: builder });
    return (await farm.store.read((db) => requestById(db, id)))!;
  }

  const requests: Requests = {
    async submitting(act) {
      const { submitted, value } = await farm.change(act);
      for (const { builderid, ...request } of submitted) dispatcher.add(builderid, request);
      if (submitted.length > 0) dispatcher.nudge();
      return value;
    },

    async force({ builder, ...asked }) {
      if (dispatcher.draining) throw codes['BBX-API-DRAINING']({});
      const id = await requests.submitting(async (tx, emit) => {
        const submitted = await submit(tx, emit, {
          ...asked,
          builders: [builder],
          scheduler: null,
          changeids: [],
          now: clock.wall(),
        });
        return { submitted, value: submitted[0]?.id };
      });
      if (id === undefined) throw codes['BBX-API-NOT-FOUND']({ kind: 'builder', name: builder });
      return (await farm.store.read((db) => requestById(db, id)))!;
    },

    async retry(build) {
      const name = `${build.builder}/${build.number}`;
      if (build.complete_at === null) throw codes['BBX-API-RUNNING']({ kind: 'build', name });
      const request = await farm.store.read((db) => requestById(db, build.buildrequestid));
      const { properties = {}, priority = 0 } = request ?? {};
      return again({ ...build, properties, priority }, name);
    },

    async retryRequest(request) {
      const name = `r${request.buildrequestid}`;
      if (request.complete_at === null) throw codes['BBX-API-RUNNING']({ kind: 'request', name });
      const newest = request.builds.at(-1);
      const build =
        newest === undefined ? undefined : await farm.store.read((db) => buildById(db, newest.buildid));
      return build === undefined ? again(request, name) : requests.retry(build);
    },

    async cancelRequest(request, reason) {
      const { buildrequestid, builder } = request;
      const name = `r${buildrequestid}`;
      if (request.complete_at !== null) {
        throw codes['BBX-API-COMPLETE']({
          kind: 'request',
          name,
          result: resultOf(request.results) ?? 'unknown',
        });
      }
      for (let look = 0; look < CANCEL_LOOKS; look += 1) {
        const ended = await farm.change((tx, emit) =>
          endWaitingRequest(tx, emit, { buildrequestid, builder }, { reason, at: clock.wall() }),
        );
        if (ended) {
          dispatcher.remove(buildrequestid);
          break;
        }
        const running = builds.running.all().find(({ requestid }) => requestid === buildrequestid);
        if (running !== undefined && (await builds.cancel(running.buildid, reason))) break;
      }
      return (await farm.store.read((db) => requestById(db, buildrequestid)))!;
    },

    async cancelBuild(build, reason) {
      if (!(await builds.cancel(build.buildid, reason))) {
        const name = `${build.builder}/${build.number}`;
        const now = await farm.store.read((db) => buildById(db, build.buildid));
        const result = resultOf(now?.results) ?? 'ending';
        throw codes['BBX-API-COMPLETE']({ kind: 'build', name, result });
      }
      return (await farm.store.read((db) => buildById(db, build.buildid)))!;
    },
  };
  return requests;
}
