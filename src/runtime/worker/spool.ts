import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { KeptBuild } from './keeper/kept-builds.ts';
import { createFullDisk } from './full-disk.ts';
import { MOST_ASIDE, asideNote, asideOf, readAside, type AsideBuild } from './spool-aside.ts';
import { createSpoolBudget } from './spool-budget.ts';
import { createSpoolBuild, recoverSpoolBuild, spoolDirectoryName } from './spool-build.ts';
import type { SpoolBuild } from './spool-build.ts';
import type { SpoolLease } from './spool-lease.ts';
import type { SpoolDeps } from './spool-segment.ts';

/** How long nobody may wait for room until the spool no longer counts as full. */
const RELIEF_MS = 1_000;

/**
 * What the worker has not yet been told to be stored: every event and every byte is written here before it is sent, and stays until
 * the master has acknowledged it.
 */
export interface Spool {
  readonly builds: readonly SpoolBuild[];
  /** Builds of other lives of the store that are kept. */
  readonly aside: readonly AsideBuild[];
  create(lease: SpoolLease): Promise<SpoolBuild>;
  /** Deletes one that is acknowledged to its end or dropped. */
  remove(build: SpoolBuild): Promise<void>;
  /** Moves one of another life of the store to `old-<epoch>/`, where nothing reads it again. Gives the new place. */
  setAside(build: SpoolBuild): Promise<string>;
  /** What the master should know: a full spool, a full disk, things set aside. */
  notes(): string[];
  /** Called when `notes` may have changed. */
  onNote(listener: () => void): void;
  readonly used: number;
  readonly limit: number;
  /** What the keeper's logs take, and what holds them up. */
  keeperSaid(said: { own: number; waiting: number; fullDisk: string | undefined }): void;
  /** Why commands have no keeper, for `notes`; undefined: they have. */
  keeperTrouble(words: string | undefined): void;
  /** Bytes beside those of the keeper's logs. */
  readonly other: number;
  /** Writers that wait for room, in the spool or on its disk, are let fail, the keeper's too. */
  giveUp(): void;
  /** The same, and files are closed. */
  close(): Promise<void>;
}

/** Opens the directory, cuts what a crash left half-written, and deletes attempts whose assignment was never complete. */
export async function openSpool(options: {
  dir: string;
  limitBytes: number;
  clock: Clock;
  log: Log;
  /** What a former process left with the keeper, by the name of its directory. */
  kept?: ((name: string) => KeptBuild | undefined) | undefined;
}): Promise<Spool> {
  const { dir, clock, log } = options;
  const budget = createSpoolBudget(options.limitBytes);
  const stopping = new Error('the worker is stopping');
  const stop = new AbortController();
  const builds: SpoolBuild[] = [];
  const listeners: (() => void)[] = [];
  const aside = new Set<string>();
  const asideBuilds: AsideBuild[] = [];
  let fullDisk: string | undefined;
  const told = () => {
    for (const listener of listeners) listener();
  };
  const disk = createFullDisk(stop.signal, (error) => {
    fullDisk = error === undefined ? undefined : fullDiskWords(error.message);
    if (fullDisk === undefined) log.info('no step waits for the disk of the spool any more', { dir });
    else log.error(fullDisk, { dir });
    told();
  });
  const deps: SpoolDeps = { clock, budget, disk };
  let saidFull = false;
  let relief: NodeJS.Timeout | undefined;
  budget.onPressure(() => {
    if (!saidFull) told();
    saidFull = true;
    for (const build of builds) build.squeeze();
  });
  budget.onRelief(() => {
    // A full spool that is being emptied is full again after each piece: only a lasting relief is news.
    relief ??= setTimeout(() => {
      relief = undefined;
      if (budget.waiting > 0) return;
      saidFull = false;
      told();
    }, RELIEF_MS);
  });

  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(dir, entry.name);
    if (entry.name.startsWith('old-')) {
      aside.add(entry.name);
      asideBuilds.push(...(await readAside(dir, entry.name)));
      continue;
    }
    if (!/^\d+-\d+-[0-9a-f]{16}$/.test(entry.name)) continue;
    const build = await recoverSpoolBuild(path, deps, options.kept?.(entry.name));
    if (build === undefined) await rm(path, { recursive: true, force: true });
    else builds.push(build);
  }

  let noKeeper: string | undefined;
  let keeper = { own: 0, waiting: 0, fullDisk: undefined as string | undefined };
  function giveUp(): void {
    budget.giveUp(stopping);
    for (const build of builds) build.giveUp(stopping);
  }
  const forget = (build: SpoolBuild) => {
    const at = builds.indexOf(build);
    if (at >= 0) builds.splice(at, 1);
  };
  return {
    builds,
    get aside() {
      return asideBuilds.slice(0, MOST_ASIDE);
    },
    async create(lease) {
      const build = await createSpoolBuild(dir, lease, deps);
      builds.push(build);
      return build;
    },
    async remove(build) {
      forget(build);
      await build.remove();
    },
    async setAside(build) {
      forget(build);
      await build.release();
      // The epoch comes from a file name's point of view from a stranger.
      const name = `old-${build.lease.epoch.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64)}`;
      await mkdir(join(dir, name), { recursive: true, mode: 0o700 });
      const place = join(dir, name, spoolDirectoryName(build.lease));
      await rename(build.dir, place);
      aside.add(name);
      asideBuilds.push(asideOf(build, name));
      told();
      return place;
    },
    notes() {
      const notes: string[] = [];
      if (fullDisk !== undefined) notes.push(fullDisk);
      else if (keeper.fullDisk !== undefined) notes.push(fullDiskWords(keeper.fullDisk));
      const waiting = budget.waiting + keeper.waiting;
      if (waiting > 0) {
        notes.push(
          `the spool is full (${budget.used} of ${budget.limit} bytes); ${waiting} steps are held up`,
        );
      }
      if (noKeeper !== undefined) notes.push(noKeeper);
      for (const name of [...aside].slice(0, 5)) notes.push(asideNote(name, asideBuilds));
      return notes;
    },
    onNote: (listener) => void listeners.push(listener),
    get used() {
      return budget.used;
    },
    limit: budget.limit,
    get other() {
      return budget.used - keeper.own;
    },
    keeperSaid(said) {
      const before = keeper;
      keeper = said;
      if (said.own > before.own) budget.force(said.own - before.own);
      else budget.give(before.own - said.own);
      if (said.waiting > 0) for (const build of builds) build.squeeze();
      if (said.fullDisk !== undefined && before.fullDisk === undefined)
        log.error(fullDiskWords(said.fullDisk), { dir });
      if (said.fullDisk === undefined && before.fullDisk !== undefined)
        log.info('no step waits for the disk of the spool any more', { dir });
      if (said.waiting > 0 !== before.waiting > 0 || said.fullDisk !== before.fullDisk) told();
    },
    keeperTrouble(words) {
      if (words === noKeeper) return;
      noKeeper = words;
      told();
    },
    giveUp,
    async close() {
      clearTimeout(relief);
      giveUp();
      stop.abort(stopping);
      for (const build of builds) await build.close();
    },
  };
}

function fullDiskWords(why: string): string {
  return `the disk of the spool is full (${why}); steps are held up until there is room`;
}
