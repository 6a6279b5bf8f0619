import type { Log } from '../../../base/log.ts';
import { Secret } from '../../../base/secret.ts';
import type { SteadyClock } from '../../../base/steady-clock.ts';
import type { SpoolLog } from '../spool-log.ts';
import type { LogPlace, SpoolDeps } from '../spool-segment.ts';
import type { CommandEnd } from '../verbs/context.ts';
import type { KeeperClient } from './client.ts';
import { tellEveryMs } from './deadline.ts';
import { openKeeperHouse } from './house.ts';
import { createKeptLog, type KeptLog } from './kept-log.ts';
import type { HeldBuild, KeptState, LogState, Notice, RunOrder } from './messages.ts';

/** A build whose commands and logs are the keeper's. */
export interface KeptBuild {
  /** The build as it was left by a former worker process; undefined when it began here. */
  readonly former: { secrets: ReadonlyMap<string, Secret> } | undefined;
  /** The keeper has ended what ran of it, since the master was away for too long. */
  readonly orphaned: boolean;
  /** Called when it does. */
  onOrphaned: (() => void) | undefined;
  /** The keeper is gone: what ran is over or unknown. */
  readonly lost: boolean;
  openLog(place: LogPlace, deps: SpoolDeps): SpoolLog;
  /** Whether the command of a step was started. */
  knows(step: number): boolean;
  /** Runs a step's command once, or waits for the end of the one that runs or ran. Rejects with `KeeperLost`. */
  run(order: Omit<RunOrder, 'key'>, signal: AbortSignal): Promise<CommandEnd>;
  /** A step that is done over: what a former worker said in its log stays. Gives whether there is anything. */
  goOnBehind(log: number): boolean;
  /** Output that waits for room fails. */
  giveUp(why: string): void;
  /** Ends what runs; the keeper forgets the build and has none of its files open. */
  release(): Promise<void>;
}

export interface KeptBuildsOptions {
  dir: string;
  software: string;
  /** Follows that of a keeper with builds: their logs are timed by it. */
  clock: SteadyClock;
  log: Log;
}

/** The keeper's builds, seen from the worker. */
export interface KeptBuilds {
  /** Builds that a former process left, by the name of their directory in the spool. */
  find(key: string): KeptBuild | undefined;
  readonly found: readonly HeldBuild[];
  /** Whether a build went with a keeper of another version, by the name of its directory in the spool. */
  wasEnded(key: string): boolean;
  /** How long ago the master was heard when the former process last told, ms; undefined when there is no build of one. */
  readonly silentMs: number | undefined;
  /** Leaves a build with the keeper, which is started when there is none; undefined when there cannot be one. */
  hold(build: HeldBuild): Promise<KeptBuild | undefined>;
  /** Starts the keeper, so that the first build need not wait for it. */
  warm(): void;
  /** From now on the keeper is told, and tells. */
  watch(on: {
    lost(): void;
    spool(said: Notice & { type: 'spool' }): void;
    silentMs(): number;
    room(): { limit: number; other: number };
    /** Why there can be no keeper; undefined: there can. */
    trouble(words: string | undefined): void;
  }): void;
  quit(): Promise<void>;
  /** Goes without the keeper, which stays for the next worker process. */
  leave(): void;
}

/** Looks for the keeper of a worker directory whose lock this process holds. */
export async function openKeptBuilds(options: KeptBuildsOptions): Promise<KeptBuilds> {
  const builds = new Map<
    string,
    { kept: KeptBuild; told: (log: LogState) => void; orphanAfter: number | null; orphan: () => void }
  >();
  let watcher: Parameters<KeptBuilds['watch']>[0] | undefined;
  let keeper: KeeperClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  let trouble: string | undefined;

  const tell = () => {
    if (watcher === undefined || keeper === undefined || keeper.lost) return;
    // Its answers say nothing; that it is gone is said elsewhere.
    keeper.call('room', watcher.room()).catch(() => undefined);
    if (builds.size > 0) keeper.call('contact', { ageMs: watcher.silentMs() }).catch(() => undefined);
  };
  const tellOften = () => {
    clearTimeout(timer);
    if (watcher === undefined) return;
    const everyMs = tellEveryMs([...builds.values()].map(({ orphanAfter }) => orphanAfter));
    timer = setTimeout(() => {
      tell();
      tellOften();
    }, everyMs);
  };
  const house = await openKeeperHouse({
    ...options,
    onMet(met, lastWords) {
      keeper = met;
      const { builds: held, wall } = met.hello;
      if (held.length > 0 && wall !== undefined) options.clock.follow(wall, met.helloMs / 1_000);
      // Before anything that it has told since: that may have come in one piece with its greeting.
      for (const state of met.hello.builds) adopt(met, state.build, state);
      met.onNotice = (notice) => {
        if (notice.type === 'spool') watcher?.spool(notice);
        if (notice.type === 'orphaned') builds.get(notice.key)?.orphan();
        if (notice.type === 'grew') for (const state of notice.logs) builds.get(state.key)?.told(state);
      };
      met.onLost = () => {
        const said = lastWords();
        const why = said === '' ? 'it was killed, or the system gave it no memory' : said;
        options.log.error(`The keeper of the commands has ended: what they did then is not known: ${why}`);
        builds.clear();
        watcher?.lost();
      };
      tell();
    },
    onTrouble(words) {
      trouble = words;
      watcher?.trouble(words);
    },
  });
  const found = house.found?.hello.builds ?? [];

  function adopt(client: KeeperClient, build: HeldBuild, state?: KeptState): KeptBuild {
    const { key } = build;
    const logs = new Map<number, KeptLog>();
    /** Of logs that are not open here: a worker that starts hears of them before it has read its spool. */
    const states = new Map(state?.logs.map((log) => [log.id, log]));
    const runs = new Set(state?.runs);
    const secrets = new Map(Object.entries(build.secrets).map(([name, value]) => [name, new Secret(value)]));
    let orphaned = state?.orphaned ?? false;
    const kept: KeptBuild = {
      former: state === undefined ? undefined : { secrets },
      get orphaned() {
        return orphaned;
      },
      onOrphaned: undefined,
      get lost() {
        return client.lost;
      },
      openLog(place, deps) {
        const log = createKeptLog(key, place, deps, client, states.get(place.id));
        logs.set(place.id, log);
        return log;
      },
      knows: (step) => runs.has(step),
      async run(order, signal) {
        runs.add(order.step);
        const cancel = () => {
          client.call('cancel', { key, step: order.step }).catch(() => undefined);
        };
        const ended = client.call('run', { ...order, key });
        if (signal.aborted) cancel();
        else signal.addEventListener('abort', cancel, { once: true });
        try {
          const { error, log, ...end } = await ended;
          if (log !== undefined) logs.get(order.log.id)?.ended(log);
          return error === undefined ? end : { ...end, error: new Error(error) };
        } finally {
          signal.removeEventListener('abort', cancel);
        }
      },
      goOnBehind(id) {
        const before = states.get(id);
        if (before !== undefined) logs.get(id)?.goOnBehind();
        return before !== undefined && before.size > 0;
      },
      giveUp(why) {
        client.call('giveUp', { key, why }).catch(() => undefined);
      },
      async release() {
        builds.delete(key);
        await client.call('release', { key }).catch(() => undefined);
      },
    };
    const orphan = () => {
      orphaned = true;
      kept.onOrphaned?.();
    };
    const told = (now: LogState) => {
      const log = logs.get(now.id);
      if (log !== undefined) return log.told(now);
      // It tells of each file once.
      states.set(now.id, { ...now, files: [...(states.get(now.id)?.files ?? []), ...now.files] });
    };
    builds.set(key, { kept, told, orphanAfter: build.orphanAfter, orphan });
    // A shorter grace than those before may want to be told more often.
    tellOften();
    return kept;
  }

  return {
    find: (key) => builds.get(key)?.kept,
    found: found.map(({ build }) => build),
    wasEnded: (key) => house.ended.includes(key),
    get silentMs() {
      return found.length === 0 ? undefined : house.found?.hello.contactAgeMs;
    },
    async hold(build) {
      const client = await house.get();
      if (client === undefined) return undefined;
      // It does things in the order in which it is told, and one that is gone says so to whoever asks it to run something.
      const held = client.call('hold', { build }).catch(() => undefined);
      // But the journal must not say that the build began before the keeper is sure to hear of it: this process may be killed.
      if (client.unsent > 0) await held;
      return adopt(client, build);
    },
    warm: () => void house.get(),
    watch(on) {
      watcher = on;
      if (trouble !== undefined) on.trouble(trouble);
      tell();
      tellOften();
    },
    leave() {
      clearTimeout(timer);
      watcher = undefined;
      house.leave();
    },
    async quit() {
      clearTimeout(timer);
      watcher = undefined;
      await house.quit();
    },
  };
}
