import * as z from 'zod';
import type { PlacesObject } from '../../api/path.ts';
import { dialledWay, type DialledWay } from '../../protocol/bbx/dial-facts.ts';
import type { Reached } from '../facts/sources.ts';
import { placeTarget } from '../place-target.ts';
import type { Probes } from '../probes.ts';
import { toldName } from './both-ends.ts';

/** What a worker sees of places, by its own words. */
export interface WorkerSight {
  readonly worker: string;
  readonly at: string;
  readonly ways: readonly DialledWay[];
}

/** A master's answer about a worker, as facts. Where the worker goes through hops nothing was tried, and nothing is known. */
export function readSight({ worker, at, places }: PlacesObject): WorkerSight {
  return { worker, at: new Date(at * 1_000).toISOString(), ways: z.array(dialledWay).parse(places) };
}

/** Answers for the hosts that a worker has tried with what it told; what this host itself sees of them is `hereReach`. */
export function answerForSight(probes: Probes, { ways, at }: WorkerSight): void {
  const own = { ...probes };
  const of = (host: string, port?: number) =>
    ways.find((way) => way.host === host && (port === undefined || way.port === port) && !way.behindHops);
  Object.assign(probes, {
    name: async (host: string, server?: string) => {
      const way = of(host);
      return way === undefined ? own.name(host, server) : toldName(way, at);
    },
    path: async (target) => {
      const way = target.port === undefined ? undefined : of(target.host, target.port);
      if (way === undefined) return own.path(target);
      return { at, attempts: way.addresses.map(({ met: _, ...attempt }) => attempt), listensHere: null };
    },
    hereReach: async ({ host, port, source }): Promise<Reached | undefined> => {
      if (host === null || port === null || of(host, port) === undefined) return undefined;
      const target = placeTarget(host, port, source);
      const [name, path] = await Promise.all([own.name(host), own.path(target)]);
      return { text: target.text, name, path };
    },
  } satisfies Partial<Probes>);
}
