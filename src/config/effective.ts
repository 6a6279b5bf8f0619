import { printDuration } from '../base/duration.ts';
import type { GitStep, ShellStep, StepPlan } from '../build/plan.ts';
import { printAddress } from '../net/endpoint/address.ts';
import { printHop } from '../net/endpoint/hop.ts';
import { printListen } from '../net/endpoint/listen-address.ts';
import type { MasterConfig } from './master-config.ts';
import { printSize } from './schema/size.ts';
import type { WorkerConfig } from './worker-config.ts';

/**
 * A configuration as one would write it with every default spelt out; what `config show` prints. Loaded again it gives the same
 * configuration.
 */
export function effectiveMaster(config: MasterConfig): Record<string, unknown> {
  const urls = new Map(Object.entries(config.repositories).map(([name, { git }]) => [git, name]));
  return {
    title: config.title,
    listen: { workers: config.listen.workers.map(printListen), web: config.listen.web.map(printListen) },
    reach: config.reach.map(printAddress),
    ...(config.url === null ? {} : { url: config.url }),
    network: config.network,
    store: config.store,
    workers: table(config.workers, ({ tags, maxBuilds }) => ({ tags, ...unlessNull({ maxBuilds }) })),
    lostWorkerGrace: printDuration(config.lostWorkerGraceMs),
    repositories: table(config.repositories, ({ pollMs, credentials, ...rest }) => ({
      ...rest,
      poll: orOff(pollMs),
      ...unlessNull({ credentials }),
    })),
    schedulers: table(config.schedulers, (scheduler) => {
      if (scheduler.kind === 'branch') {
        const { treeStableTimerMs, ...rest } = scheduler;
        return { ...rest, treeStableTimer: printDuration(treeStableTimerMs) };
      }
      return unlessNull({ ...scheduler });
    }),
    builders: table(
      config.builders,
      ({ workers, steps, repository, needs, builddir: _builddir, ...rest }) => ({
        ...rest,
        workers: unlessNull({ ...workers }),
        ...unlessNull({ repository }),
        needs: needs.map(printAddress),
        steps: steps.map((step) => effectiveStep(step, urls)),
      }),
    ),
    secrets: config.secrets,
    logMaxSize: config.logMaxSize === null ? 'off' : printSize(config.logMaxSize),
    logMaxTailSize: printSize(config.logMaxTailSize),
    access: config.access,
    retention: { logs: orOff(config.retention.logsMs), builds: config.retention.builds ?? 'off' },
  };
}

/** A worker's configuration as it counts, in the words of worker.yaml. */
export function effectiveWorker(config: WorkerConfig): Record<string, unknown> {
  return {
    name: config.name,
    master: config.master.map(printAddress),
    pin: config.pins,
    via: config.via.map(printHop),
    maxBuilds: config.maxBuilds,
    tags: config.tags,
    drainTimeout: printDuration(config.drainTimeoutMs),
    ...unlessNull({ runAs: config.runAs }),
    spoolLimit: printSize(config.spoolLimitBytes),
  };
}

function effectiveStep(step: StepPlan, urls: ReadonlyMap<string, string>): Record<string, unknown> {
  return step.kind === 'shell' ? shell(step) : git(step, urls);
}

function shell(step: ShellStep) {
  const { kind: _kind, command, env, decodeRC, ...options } = step;
  return { run: command, env, decodeRC, ...common(options) };
}

function git(step: GitStep, urls: ReadonlyMap<string, string>) {
  const {
    kind: _kind,
    repository,
    branch,
    revision,
    mode,
    submodules,
    shallow,
    credentials,
    ...options
  } = step;
  const name = urls.get(repository);
  return {
    git: {
      ...(name === undefined ? {} : { repository: name }),
      ...unlessNull({ branch, revision, shallow, credentials }),
      mode,
      submodules,
    },
    ...common(options),
  };
}

function common(options: Omit<ShellStep, 'kind' | 'command' | 'env' | 'decodeRC'>) {
  const { timeoutMs, maxTimeMs, sigtermTimeMs, logMax, ...rest } = options;
  return {
    ...rest,
    timeout: orOff(timeoutMs),
    maxTime: orOff(maxTimeMs),
    sigtermTime: printDuration(sigtermTimeMs),
    ...(logMax === null
      ? { logMaxSize: 'off' }
      : { logMaxSize: printSize(logMax.bytes), logMaxTailSize: printSize(logMax.tailBytes) }),
  };
}

function orOff(ms: number | null): string {
  return ms === null ? 'off' : printDuration(ms);
}

function unlessNull(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

function table<From>(from: Record<string, From>, to: (value: From) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value)]));
}
