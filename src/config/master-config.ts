import { resolve } from 'node:path';
import type { CheckedMaster } from './schema/master.ts';
import { planSteps, type StepSource } from './step-plan.ts';
import type { StepPlan, EnvValue, Properties } from '../build/plan.ts';
import type { Address, TcpAddress } from '../net/endpoint/address.ts';
import type { ListenAddress } from '../net/endpoint/listen-address.ts';

/** A master's configuration as the programs use it: every value checked, every name resolved. */
export interface MasterConfig {
  title: string;
  listen: { workers: ListenAddress[]; web: ListenAddress[] };
  /** How workers get here, best first. */
  reach: Address[];
  /** With a final slash. */
  url: string | null;
  network: { families: 'auto' | (4 | 6)[] };
  /** `sqlite:PATH` (relative to the directory) or `postgres://…`, as `openStore` takes it. */
  store: string;
  /** Keys are names or patterns with `*`; ask `workerSettings`. */
  workers: Record<string, WorkerSettings>;
  lostWorkerGraceMs: number;
  repositories: Record<string, RepositoryConfig>;
  schedulers: Record<string, SchedulerConfig>;
  builders: Record<string, BuilderConfig>;
  /** Absolute paths of secret files. */
  secrets: Record<string, { file: string }>;
  /** For steps that say nothing else; bytes, null: everything is kept. The steps have it already. */
  logMaxSize: number | null;
  logMaxTailSize: number;
  access: { read: 'everyone' | 'users'; write: 'users' | 'nobody' };
  /** null: kept for ever. `builds` counts finished builds of each builder. */
  retention: { logsMs: number | null; builds: number | null };
}

export interface WorkerSettings {
  tags: string[];
  /** null: the worker's own number counts. */
  maxBuilds: number | null;
}

export interface RepositoryConfig {
  git: string;
  /** null: never polled. */
  pollMs: number | null;
  /** Patterns of branches (`base/pattern.ts`). */
  branches: string[];
  /** Name of the secret with credentials in the form of git's credential store. */
  credentials: { secret: string } | null;
}

interface SchedulerCommon {
  builders: string[];
  priority: number;
  properties: Properties;
}
export interface BranchSchedulerConfig extends SchedulerCommon {
  kind: 'branch';
  repository: string;
  /** Patterns; the repository's own when none are written. */
  branches: string[];
  /** 0: every change is built at once, alone. */
  treeStableTimerMs: number;
}
export interface NightlySchedulerConfig extends SchedulerCommon {
  kind: 'nightly';
  repository: string | null;
  /** null: the repository's default branch. */
  branch: string | null;
  cron: string;
  /** null: the master's own time zone. */
  timezone: string | null;
  onlyIfChanged: boolean;
}
export type SchedulerConfig = BranchSchedulerConfig | NightlySchedulerConfig;

export interface BuilderConfig {
  description: string;
  tags: string[];
  /** null: no condition. A worker must be named, and have all tags. */
  workers: { names: string[] | null; tags: string[] | null };
  repository: string | null;
  /** Directory of its builds at the worker, for `BuildPlan.builddir`. */
  builddir: string;
  env: Record<string, EnvValue>;
  properties: Properties;
  /** Hosts that its steps download from; for the doctor alone. */
  needs: TcpAddress[];
  /** `continue`: a worker that cannot reach the master goes on (`orphanAfter: null` in `assign`). */
  orphan: 'stop' | 'continue';
  /**
   * As they go into a plan, except that a git step whose `repository` is that of the builder's repository and whose branch and
   * revision are null takes branch and revision from the source stamp.
   */
  steps: StepPlan[];
}

/** Looks the names up in a document that check and cross-check have passed. `dir` is what file names are relative to. */
export function resolveMaster(checked: CheckedMaster, dir: string): MasterConfig {
  return {
    title: checked.title,
    listen: checked.listen,
    reach: checked.reach,
    url: checked.url ?? null,
    network: checked.network,
    store: checked.store,
    workers: table(checked.workers, ({ tags, maxBuilds }) => ({ tags, maxBuilds: maxBuilds ?? null })),
    lostWorkerGraceMs: checked.lostWorkerGrace,
    repositories: table(checked.repositories, ({ git, poll, branches, credentials }) => ({
      git,
      pollMs: poll,
      branches,
      credentials: credentials ?? null,
    })),
    schedulers: table(checked.schedulers, (scheduler) => resolveScheduler(scheduler, checked)),
    builders: table(checked.builders, (builder, name) => resolveBuilder(builder, name, checked)),
    secrets: table(checked.secrets, ({ file }) => ({ file: resolve(dir, file) })),
    logMaxSize: checked.logMaxSize,
    logMaxTailSize: checked.logMaxTailSize,
    access: checked.access,
    retention: { logsMs: checked.retention.logs, builds: checked.retention.builds },
  };
}

function resolveScheduler(
  scheduler: CheckedMaster['schedulers'][string],
  checked: CheckedMaster,
): SchedulerConfig {
  if (scheduler.kind === 'nightly') {
    const { repository, branch, timezone, ...rest } = scheduler;
    return { ...rest, repository: repository ?? null, branch: branch ?? null, timezone: timezone ?? null };
  }
  const { treeStableTimer, branches, ...rest } = scheduler;
  return {
    ...rest,
    branches: branches ?? checked.repositories[scheduler.repository]?.branches ?? [],
    treeStableTimerMs: treeStableTimer,
  };
}

function resolveBuilder(
  builder: CheckedMaster['builders'][string],
  name: string,
  checked: CheckedMaster,
): BuilderConfig {
  const sourceOf = (written: string | undefined): StepSource => {
    const repository = checked.repositories[written ?? builder.repository ?? ''];
    if (repository === undefined)
      throw new Error(`builder ${name}: a git step without repository passed the check`);
    return { url: repository.git, credentials: repository.credentials ?? null };
  };
  return {
    description: builder.description,
    tags: builder.tags,
    workers: { names: builder.workers.names ?? null, tags: builder.workers.tags ?? null },
    repository: builder.repository ?? null,
    builddir: name,
    env: builder.env,
    properties: builder.properties,
    needs: builder.needs,
    orphan: builder.orphan,
    steps: planSteps(builder.steps, sourceOf, checked),
  };
}

function table<From, To>(
  from: Record<string, From>,
  to: (value: From, name: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value, name)]));
}
