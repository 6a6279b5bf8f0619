import { matchesAny } from '../../base/pattern.ts';

/** A waiting request, as much of it as matching needs. */
export interface Waiting {
  id: number;
  priority: number;
  submittedAt: number;
}

/** A builder with its waiting requests, best first (`compareWaiting`). */
export interface Queue {
  builder: string;
  wants: WorkerRule;
  waiting: readonly Waiting[];
  /** When a build of it last started, or since when it could have; null: never. */
  lastStartedAt: number | null;
}

/** Which workers a builder takes: every tag, and one of the names where names are given. */
export interface WorkerRule {
  tags: readonly string[];
  names: readonly string[];
}

/** A worker as the roster sees it now. */
export interface Candidate {
  name: string;
  state: 'invited' | 'pending' | 'approved' | 'removed';
  connected: boolean;
  /** Since when it is not connected; null when it never was. */
  seenAt: number | null;
  paused: boolean;
  draining: boolean;
  /** It has just refused an assignment. */
  resting: boolean;
  /** What it said when it refused. */
  refusedWhy: string | null;
  tags: readonly string[];
  maxBuilds: number;
  /** Builders that it runs a build of now: one build of a builder at a time, since its workspace is the builder's. */
  building: ReadonlySet<string>;
}

export interface Pair {
  request: number;
  builder: string;
  worker: string;
}

/**
 * A builder that had a request waiting for so long without one build of it starting goes first once, whatever the priorities: so that
 * an endless flow of urgent work slows a builder down to one build an hour, but never stops it.
 */
export const STARVED_AFTER_S = 3_600;

/** Order of requests: the higher priority first, then the older, then the smaller id. */
export function compareWaiting(a: Waiting, b: Waiting): number {
  return b.priority - a.priority || a.submittedAt - b.submittedAt || a.id - b.id;
}

/**
 * Which requests start now, and where. Takes the best request of all builders in turn; a builder for which no worker is free steps
 * aside and holds nobody up. Of the fitting workers the least busy takes it (by share of its places), and of equals the one that fewest
 * other waiting builders could use.
 *
 * Cost: places given × (builders + workers); the number of waiting requests does not count, only each queue's head is looked at.
 */
export function match(queues: readonly Queue[], roster: readonly Candidate[], now: number): Pair[] {
  const places = roster
    .filter((worker) => refusal(worker) === undefined)
    .map((worker) => ({ worker, building: new Set(worker.building), wanted: 0 }));
  type Place = (typeof places)[number];
  const open = queues
    .filter((queue) => queue.waiting.length > 0)
    .map((queue) => ({
      queue,
      next: 0,
      fitting: places.filter(({ worker }) => misfit(queue.wants, worker) === undefined),
      starved: isStarved(queue, now),
    }));
  for (const entry of open) for (const place of entry.fitting) place.wanted += 1;

  const pairs: Pair[] = [];
  while (open.length > 0) {
    let best = 0;
    for (let index = 1; index < open.length; index += 1) {
      if (precedes(open[index]!, open[best]!)) best = index;
    }
    const entry = open[best]!;
    const { builder } = entry.queue;
    let chosen: Place | undefined;
    for (const place of entry.fitting) {
      if (place.building.size >= place.worker.maxBuilds || place.building.has(builder)) continue;
      if (chosen === undefined || isBetterPlace(place, chosen)) chosen = place;
    }
    const request = entry.queue.waiting[entry.next];
    if (chosen === undefined || request === undefined) {
      open.splice(best, 1);
      continue;
    }
    chosen.building.add(builder);
    pairs.push({ request: request.id, builder, worker: chosen.worker.name });
    entry.next += 1;
    entry.starved = false;
    if (entry.next >= entry.queue.waiting.length) open.splice(best, 1);
  }
  return pairs;
}

/** Why a worker takes no work at all, or undefined when it does. */
export function refusal(
  worker: Candidate,
): 'removed' | 'invited' | 'pending' | 'disconnected' | 'paused' | 'draining' | 'resting' | undefined {
  if (worker.state !== 'approved') return worker.state;
  if (!worker.connected) return 'disconnected';
  if (worker.paused) return 'paused';
  if (worker.draining) return 'draining';
  if (worker.resting) return 'resting';
  return undefined;
}

/** What a builder misses in a worker: a tag, or the name; undefined when it fits. */
export function misfit(rule: WorkerRule, worker: Candidate): { tag: string } | { name: string } | undefined {
  if (!matchesAny(rule.names, worker.name)) return { name: worker.name };
  const tag = rule.tags.find((wanted) => !worker.tags.includes(wanted));
  return tag === undefined ? undefined : { tag };
}

interface Entry {
  queue: Queue;
  next: number;
  starved: boolean;
}

function precedes(a: Entry, b: Entry): boolean {
  if (a.starved !== b.starved) return a.starved;
  return compareWaiting(a.queue.waiting[a.next]!, b.queue.waiting[b.next]!) < 0;
}

function isStarved(queue: Queue, now: number): boolean {
  const since = Math.max(queue.lastStartedAt ?? 0, queue.waiting[0]?.submittedAt ?? now);
  return now - since > STARVED_AFTER_S;
}

function isBetterPlace(
  a: { worker: Candidate; building: ReadonlySet<string>; wanted: number },
  b: { worker: Candidate; building: ReadonlySet<string>; wanted: number },
): boolean {
  const busyA = a.building.size / a.worker.maxBuilds;
  const busyB = b.building.size / b.worker.maxBuilds;
  if (busyA !== busyB) return busyA < busyB;
  if (a.wanted !== b.wanted) return a.wanted < b.wanted;
  // A bigger worker of the same share has more places left.
  return a.worker.maxBuilds > b.worker.maxBuilds;
}
