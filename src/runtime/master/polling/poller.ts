import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { sleep } from '../../../base/abort.ts';
import { createBackoff } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import { BbxError } from '../../../base/error.ts';
import type { Log } from '../../../base/log.ts';
import type { MasterConfig, RepositoryConfig } from '../../../config/master-config.ts';
import { commitsBetween, lsRemote, type Commit, type GitOptions } from '../../../exec/git.ts';
import { pollRows, pollState, recordPoll, setPollState } from '../../../store/polls.ts';
import { writeChange } from '../changes.ts';
import { codes } from '../codes.ts';
import type { GitRoutes } from '../../../net/git-routes.ts';
import type { Farm } from '../events.ts';
import { oneLine, type TroubleList } from '../trouble.ts';
import { withCredentials } from './credentials.ts';
import { findMoves, type Moves } from './moves.ts';

/** Commits of one push that become changes of their own; of a larger one (an import, a rebased year) the newest. */
const COMMITS = 100;
/** A first fetch of a big repository's history takes minutes. */
const FETCH_LIMIT_MS = 30 * 60_000;
/** Share of an interval that is drawn at random, so that many repositories of one host are not asked in step. */
const JITTER = 0.1;
/** Repositories that are asked at the same time. */
const AT_ONCE = 8;
/** After failures the delay grows to so many intervals … */
const BACKOFF_INTERVALS = 16;
/** … but not beyond this. */
const BACKOFF_MAX_MS = 30 * 60_000;
/** After a store that was away, ms. */
const STORE_RETRY_MS = 5_000;

export interface Pollers {
  /** Takes up the repositories of the configuration as it is now. */
  apply(): void;
  stop(): Promise<void>;
}

/** Finds out why a host cannot be reached; the doctor's first finding in words, or nothing. */
export type Diagnose = (target: string, error: BbxError, signal: AbortSignal) => Promise<string | undefined>;

/** Polls each repository of the configuration that has an interval. */
export function runPollers(options: {
  farm: Farm;
  config: () => MasterConfig;
  /** Bare copies stand here. */
  mirrors: string;
  env: GitOptions['env'];
  /** How git's own connections are made. */
  routes: GitRoutes;
  clock: Clock;
  random: () => number;
  log: Log;
  trouble: TroubleList;
  diagnose: Diagnose | undefined;
}): Pollers {
  const { farm, config, mirrors, env, routes, clock, random, log: say, trouble, diagnose } = options;
  const stopping = new AbortController();
  const loops = new Map<string, { as: string; controller: AbortController; done: Promise<void> }>();
  const ended = new Set<Promise<void>>();
  const places = createPlaces(AT_ONCE);

  async function loop(name: string, repository: RepositoryConfig, signal: AbortSignal): Promise<void> {
    const interval = repository.pollMs!;
    const backoff = createBackoff({
      firstMs: interval,
      maxMs: Math.max(interval, Math.min(BACKOFF_MAX_MS, interval * BACKOFF_INTERVALS)),
      jitter: JITTER,
      random,
    });
    while (!signal.aborted) {
      let waitMs: number;
      try {
        await places.run(signal, () => poll(name, repository, signal));
        backoff.reset();
        waitMs = interval * (1 - JITTER * random());
      } catch (error) {
        if (signal.aborted) return;
        waitMs = backoff.next();
        // What is wrong with the store is not the repository's fault.
        if (error instanceof BbxError && error.code.startsWith('BBX-STO-')) {
          say.debug('A poll waits for the store', { repository: name, error: oneLine(error) });
          await sleep(Math.min(waitMs, STORE_RETRY_MS), signal).catch(() => undefined);
          continue;
        }
        await failed(name, repository, error, signal).catch((fault: unknown) => {
          if (!signal.aborted)
            say.error('A failed poll could not be noted', { repository: name, error: oneLine(fault) });
        });
      }
      await sleep(waitMs, signal).catch(() => undefined);
    }
  }

  async function poll(name: string, repository: RepositoryConfig, signal: AbortSignal): Promise<void> {
    const route = routes.open();
    try {
      await withCredentials(config(), repository, mirrors, (extraEnv) =>
        look(name, repository, { env, extraEnv: { ...route.env, ...extraEnv }, signal }),
      );
    } catch (error) {
      // git was only told that its proxy said no; why is known here.
      throw route.failures().at(-1) ?? error;
    } finally {
      route.close();
    }
  }

  async function look(name: string, repository: RepositoryConfig, git: GitOptions): Promise<void> {
    const { refs } = await lsRemote(repository.git, ['refs/heads/*'], git);
    const { before, seen } = await farm.store.read(async (db) => ({
      before: await pollState(db, name),
      seen: (await pollRows(db, { repository: name })).some(({ error }) => error === null),
    }));
    // A repository that was looked at and had no branch yet has been seen, too: its first push is a change.
    const moves = findMoves(repository.branches, seen || before.size > 0 ? before : undefined, refs);
    const commits = await commitsOf(name, repository, moves, git);
    await farm.change(async (tx, emit) => {
      for (const { branch, commit } of commits) {
        await writeChange(tx, emit, config(), {
          repository: name,
          branch,
          revision: commit.revision,
          author: commit.author,
          comments: commit.comments,
          files: commit.files,
          when_timestamp: commit.at,
          received_at: clock.wall(),
          properties: {},
        });
      }
      await setPollState(tx, name, moves.heads);
      await recordPoll(tx, name, clock.wall(), null);
    });
    trouble.clear(subjectOf(name));
    if (commits.length > 0) say.info('Changes found', { repository: name, changes: commits.length });
  }

  async function commitsOf(
    name: string,
    repository: RepositoryConfig,
    { moved }: Moves,
    git: GitOptions,
  ): Promise<{ branch: string; commit: Commit }[]> {
    const found: { branch: string; commit: Commit }[] = [];
    for (const { branch, from, to } of moved) {
      const commits = await commitsBetween(
        {
          url: repository.git,
          mirror: mirrorOf(mirrors, name, repository.git),
          branch,
          from,
          to,
          limit: COMMITS,
        },
        { ...git, timeoutMs: FETCH_LIMIT_MS },
      );
      // A branch set back to an older commit has nothing new before it, and is built as it stands now.
      if (commits.length === 0) {
        commits.push({
          revision: to,
          author: '',
          at: clock.wall(),
          comments: 'branch was set to this commit',
          files: [],
        });
      }
      for (const commit of commits) found.push({ branch, commit });
    }
    return found;
  }

  async function failed(
    name: string,
    repository: RepositoryConfig,
    error: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const cause = error instanceof BbxError ? error : undefined;
    const first = codes['BBX-MAS-POLL']({ repository: name, what: oneLine(error) }, { cause: error });
    const finding = cause === undefined ? undefined : await diagnose?.(repository.git, cause, signal);
    const said = new BbxError({
      code: cause?.code ?? first.code,
      message: finding === undefined ? first.message : `${first.message} (${finding})`,
      hint: cause?.hint ?? `Try it on the master's host: git ls-remote ${repository.git}`,
      exit: first.exit,
      retryable: true,
    });
    trouble.say(subjectOf(name), said);
    await farm.store.write((tx) => recordPoll(tx, name, clock.wall(), said.toJSON()));
  }

  const pollers: Pollers = {
    apply() {
      const wanted = new Map(
        Object.entries(config().repositories).filter(([, { pollMs }]) => pollMs !== null),
      );
      for (const [name, { as, controller, done }] of loops) {
        const repository = wanted.get(name);
        if (repository !== undefined && JSON.stringify(repository) === as) continue;
        controller.abort(new Error('the configuration has changed'));
        loops.delete(name);
        trouble.clear(subjectOf(name));
        ended.add(done);
        void done.finally(() => ended.delete(done));
      }
      for (const [name, repository] of wanted) {
        if (loops.has(name) || stopping.signal.aborted) continue;
        const controller = new AbortController();
        const signal = AbortSignal.any([stopping.signal, controller.signal]);
        loops.set(name, { as: JSON.stringify(repository), controller, done: loop(name, repository, signal) });
      }
    },
    async stop() {
      stopping.abort(new Error('the master stops'));
      await Promise.allSettled([...ended, ...[...loops.values()].map(({ done }) => done)]);
    },
  };
  return pollers;
}

function subjectOf(repository: string): string {
  return `repository ${repository}`;
}

/** Named by address, too: another repository under the same name must not meet the old one's objects. */
function mirrorOf(mirrors: string, name: string, url: string): string {
  return join(mirrors, `${name}-${createHash('sha256').update(url).digest('hex').slice(0, 12)}.git`);
}

/** Lets `most` acts run at a time; the others wait for their turn or the signal. */
function createPlaces(most: number) {
  let free = most;
  const queue: (() => void)[] = [];
  return {
    async run(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
      if (free > 0) free -= 1;
      else {
        await new Promise<void>((resolve, reject) => {
          const onAbort = () => {
            queue.splice(queue.indexOf(turn), 1);
            reject(signal.reason as Error);
          };
          const turn = () => {
            signal.removeEventListener('abort', onAbort);
            resolve();
          };
          queue.push(turn);
          signal.addEventListener('abort', onAbort, { once: true });
        });
      }
      try {
        await act();
      } finally {
        const next = queue.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
