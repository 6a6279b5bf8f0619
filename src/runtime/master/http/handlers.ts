import { didYouMean } from '../../../base/did-you-mean.ts';
import type { Clock } from '../../../base/clock.ts';
import type { MasterConfig } from '../../../config/master-config.ts';
import { builderRows } from '../../../store/builders.ts';
import { requestRows } from '../../../store/buildrequests.ts';
import { buildRows } from '../../../store/build-rows.ts';
import { changeRows } from '../../../store/changes.ts';
import { stepRows } from '../../../store/steps.ts';
import type { Changes } from '../changes.ts';
import { codes } from '../codes.ts';
import type { Farm } from '../events.ts';
import type { LogIntake } from '../logs.ts';
import type { LiveConfig } from '../reload.ts';
import { planForced } from '../schedulers/forced.ts';
import type { Requests } from '../requests.ts';
import { createStatus, type MasterFacts } from '../status.ts';
import type { TroubleList } from '../trouble.ts';
import { explain, type WhyDeps } from '../why-facts.ts';
import type { WorkerAdmin } from '../workers/admin.ts';
import { twoProcesses } from '../workers/worker-trouble.ts';
import type { LinkBook } from '../workers/link-book.ts';
import { linkOfWorker, linksOfBuild } from '../workers/link-view.ts';
import type { PathProbe } from '../workers/path-probe.ts';
import type { Roster } from '../workers/roster.ts';
import { findBuild, findRequest, findStepOf } from './lookup.ts';
import type { Handlers } from './routes.ts';
import { showBuild, showBuilder, showChange, showRequest, showStep, showWorker } from './views.ts';

export interface HandlerDeps extends WhyDeps {
  farm: Farm;
  roster: Roster;
  logs: LogIntake;
  requests: Requests;
  changes: Changes;
  workers: WorkerAdmin;
  trouble: TroubleList;
  config: () => MasterConfig;
  facts: () => MasterFacts;
  live: Pick<LiveConfig, 'apply' | 'plan'>;
  clock: Clock;
  book: Pick<LinkBook, 'settled'>;
  paths: PathProbe;
}

/** What answers each route of the table. */
export function createHandlers(deps: HandlerDeps): Handlers {
  const { farm, roster, logs, requests, changes, workers, trouble, config, facts, live, clock, book, paths } =
    deps;
  const { store } = farm;
  const status = createStatus({ store, roster, trouble, clock });

  const knownBuilder = (name: string) => {
    const { builders } = config();
    if (Object.hasOwn(builders, name)) return builders[name]!;
    throw codes['BBX-API-NOT-FOUND']({
      kind: 'builder',
      name,
      meant: didYouMean(name, Object.keys(builders)),
    });
  };
  const checkBuilder = async (name: string | undefined) => {
    if (name === undefined || Object.hasOwn(config().builders, name)) return;
    const rows = await store.read((db) => builderRows(db, { name }));
    if (rows.length === 0) knownBuilder(name);
  };

  return {
    status: () => status.read(facts()),

    async builders() {
      const rows = await store.read((db) => builderRows(db));
      return rows.map((row) => showBuilder(row, config(), roster));
    },
    async builder({ params }) {
      await checkBuilder(params.builder);
      const [row] = await store.read((db) => builderRows(db, { name: params.builder }));
      return showBuilder(row!, config(), roster);
    },

    workers: async () => roster.all().map((worker) => showWorker(worker, roster)),
    async worker({ params }) {
      const worker = workers.known(params.worker);
      await book.settled();
      const link = await store.read((db) => linkOfWorker(db, worker, clock.wall()));
      const shown = showWorker(worker, roster);
      const twice = trouble.get(twoProcesses(worker.name));
      return { ...shown, notes: twice === undefined ? shown.notes : [...shown.notes, twice.message], link };
    },
    workerPath: ({ params }) => paths.ask(workers.known(params.worker)),
    workerPlaces: ({ params, body }) => paths.askPlaces(workers.known(params.worker), body.places),
    addWorker: ({ body }) => workers.invite(body),
    approveWorker: async ({ params }) => showWorker(await workers.approve(params.worker), roster),
    pauseWorker: async ({ params }) => showWorker(await workers.pause(params.worker), roster),
    resumeWorker: async ({ params }) => showWorker(await workers.resume(params.worker), roster),
    drainWorker: async ({ params }) => showWorker(await workers.drain(params.worker), roster),
    removeWorker: async ({ params }) => showWorker(await workers.remove(params.worker), roster),

    async builds({ query: { limit, offset, builder, worker, complete } }) {
      await checkBuilder(builder);
      if (worker !== undefined) workers.known(worker);
      const filter = {
        ...(builder === undefined ? {} : { builder }),
        ...(worker === undefined ? {} : { worker }),
        ...(complete === undefined ? {} : { complete }),
      };
      return (await store.read((db) => buildRows(db, filter, { limit, offset }))).map(showBuild);
    },
    async build({ params }) {
      await book.settled();
      return store.read(async (db) => {
        const build = await findBuild(db, params.build);
        const steps = await stepRows(db, build.buildid);
        const links = await linksOfBuild(db, build);
        return { ...showBuild(build), steps: steps.map((step) => showStep(step, logs.sizeOf)), links };
      });
    },
    step: ({ params }) =>
      store.read(async (db) =>
        showStep(await findStepOf(db, await findBuild(db, params.build), params.step), logs.sizeOf),
      ),
    async startBuild({ body }) {
      const builder = knownBuilder(body.builder);
      return showRequest(await requests.force(planForced(body, builder)));
    },
    async cancelBuild({ params, body }) {
      const build = await store.read((db) => findBuild(db, params.build));
      return showBuild(await requests.cancelBuild(build, body.reason));
    },
    async retryBuild({ params }) {
      const build = await store.read((db) => findBuild(db, params.build));
      knownBuilder(build.builder);
      return showRequest(await requests.retry(build));
    },

    async requests({ query: { limit, offset, builder, complete } }) {
      await checkBuilder(builder);
      const filter = {
        ...(builder === undefined ? {} : { builder }),
        ...(complete === undefined ? {} : { complete }),
      };
      return (await store.read((db) => requestRows(db, filter, { limit, offset }))).map(showRequest);
    },
    request: async ({ params }) => showRequest(await store.read((db) => findRequest(db, params.request))),
    async cancelRequest({ params, body }) {
      const request = await store.read((db) => findRequest(db, params.request));
      return showRequest(await requests.cancelRequest(request, body.reason));
    },
    async retryRequest({ params }) {
      const request = await store.read((db) => findRequest(db, params.request));
      return showRequest(await requests.retryRequest(request));
    },

    changes: async ({ query }) => (await store.read((db) => changeRows(db, {}, query))).map(showChange),
    async sendChange({ body: { when, ...change } }) {
      const { repositories } = config();
      if (!Object.hasOwn(repositories, change.repository)) {
        const meant = didYouMean(change.repository, Object.keys(repositories));
        throw codes['BBX-API-NOT-FOUND']({ kind: 'repository', name: change.repository, meant });
      }
      return showChange(await changes.add({ ...change, when_timestamp: when ?? clock.wall() }));
    },

    async why({ params }) {
      await book.settled();
      return store.read((db) => explain(db, params.subject, deps));
    },
    planConfig: () => live.plan(),
    applyConfig: () => live.apply(),
  };
}
