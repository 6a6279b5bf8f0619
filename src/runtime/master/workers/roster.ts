import type { MasterSession } from '../../../protocol/bbx/master-contract.ts';
import type { MasterConfig } from '../../../config/master.ts';
import { workerSettings } from '../../../config/worker-settings.ts';
import type { Candidate } from '../match.ts';
import type { LinkPage } from './link-page.ts';

/** What a connected worker said of itself, and the session that it said it in. */
export interface Attachment {
  session: MasterSession;
  page: LinkPage;
  boot: string;
  peer: string;
  software: string;
  /** True from the handled inventory on: before that it gets no work. */
  ready: boolean;
  maxBuilds: number;
  draining: boolean;
  facts: Readonly<Record<string, string>>;
  notes: readonly string[];
  /** What it can be asked beyond builds. */
  capabilities: readonly string[];
}

/** A worker that the store knows, with what is known of it now. */
export interface Worker {
  workerid: number;
  name: string;
  state: Candidate['state'];
  /** SPKI, DER in base64. */
  publicKey: string | null;
  paused: boolean;
  /** Somebody asked the master to give it nothing more until it is resumed. */
  draining: boolean;
  /** The process (`boot`) that this was asked of; empty: the next one; null: nobody asked. */
  drains: string | null;
  peer: string | null;
  seenAt: number | null;
  /** Of its last inventory; a new object with each. */
  facts: Readonly<Record<string, string>>;
  maxBuilds: number;
  attached: Attachment | undefined;
  /** Builds of other lives of the store that it has reported. */
  aside?: ReadonlySet<string>;
  /** Its unfinished builds: buildid → builder. */
  builds: Map<number, string>;
  /** Monotonic ms until which it gets nothing, because it refused an assignment. */
  restsUntil: number;
  /** Assignments that it refused, one after the other. */
  refusals: number;
  /** Why it refused the last one, which counts while it rests; null once it has taken one, or is gone. */
  refusedWhy: string | null;
}

export interface Roster {
  get(name: string): Worker | undefined;
  byId(workerid: number): Worker | undefined;
  all(): Worker[];
  put(worker: Worker): void;
  forget(name: string): void;
  /** As the dispatcher and `why` see it. */
  candidate(worker: Worker): Candidate;
  /** All of them; `ending`: builds that are about to end, whose places count as free. */
  candidates(ending?: ReadonlySet<number>): Candidate[];
}

/** The workers of the farm in memory; rows are written by those who change them. */
export function createRoster(options: { config: () => MasterConfig; monotonic: () => number }): Roster {
  const byName = new Map<string, Worker>();
  const byId = new Map<number, Worker>();

  // What a worker can do changes with the configuration and its inventory only, and is asked for in every round of the dispatcher.
  let cachedFor: MasterConfig | undefined;
  let cache = new WeakMap<object, ReturnType<typeof placesOf>>();
  const places = (worker: Worker) => {
    if (cachedFor !== options.config()) {
      cachedFor = options.config();
      cache = new WeakMap();
    }
    let found = cache.get(worker.facts);
    if (found === undefined) cache.set(worker.facts, (found = placesOf(cachedFor, worker)));
    return found;
  };

  const candidate = (worker: Worker, ending?: ReadonlySet<number>): Candidate => {
    const { tags, maxBuilds } = places(worker);
    return {
      name: worker.name,
      state: worker.state,
      connected: worker.attached?.ready === true,
      seenAt: worker.seenAt,
      paused: worker.paused,
      draining: worker.draining || worker.attached?.draining === true,
      tags,
      resting: worker.restsUntil > options.monotonic(),
      refusedWhy: worker.refusedWhy,
      maxBuilds,
      building: new Set(ending === undefined ? worker.builds.values() : buildersLess(worker.builds, ending)),
    };
  };

  return {
    get: (name) => byName.get(name),
    byId: (workerid) => byId.get(workerid),
    all: () => [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    put(worker) {
      byName.set(worker.name, worker);
      byId.set(worker.workerid, worker);
    },
    forget(name) {
      const worker = byName.get(name);
      byName.delete(name);
      if (worker !== undefined) byId.delete(worker.workerid);
    },
    candidate: (worker) => candidate(worker),
    candidates: (ending) => [...byName.values()].map((worker) => candidate(worker, ending)),
  };
}

/** Builders of unfinished builds, less those of some that are about to end. */
function* buildersLess(builds: ReadonlyMap<number, string>, ending: ReadonlySet<number>): Generator<string> {
  for (const [buildid, builder] of builds) if (!ending.has(buildid)) yield builder;
}

/** Tags and places of a worker: its own words and those of `master.yaml` together; of two `maxBuilds` the smaller counts. */
export function placesOf(
  config: MasterConfig,
  worker: Pick<Worker, 'name' | 'facts' | 'maxBuilds'>,
): { tags: string[]; maxBuilds: number } {
  const own = (worker.facts['tags'] ?? '').split(/[\s,]+/).filter((tag) => tag !== '');
  const given = workerSettings(config.workers, worker.name);
  const tags = new Set([...own, ...given.tags]);
  return { tags: [...tags], maxBuilds: Math.min(worker.maxBuilds, given.maxBuilds ?? worker.maxBuilds) };
}
