import type { Blow } from './fault.ts';
import type { Heard } from './watcher.ts';

/** Beside other farms on two processors a side may look at its clock so late. */
const LATE_MS = 3_000;

/** The first moment after the blow at which one of these workers dialled anew or the master missed one, monotonic ms. */
export function linkNotice(
  workers: readonly { name: string; relay: { dials: readonly number[] } }[],
  struck: number,
  heard: readonly Heard[],
): number | undefined {
  const names = new Set(workers.map(({ name }) => name));
  const missed = heard.find(
    ({ at, event }) =>
      at >= struck &&
      ((event.type === 'build.lost' && names.has(event.worker)) ||
        (event.type === 'worker.changed' && event.what === 'detached' && names.has(event.name))),
  );
  const dials = workers.map(({ relay }) => relay.dials.find((at) => at >= struck));
  const moments = [missed?.at, ...dials].filter((at) => at !== undefined);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** That a fault which lasted was not noticed in time, as a sentence. `noticed` is of the worker that was struck; times are monotonic ms. */
export function lateNotice(
  { notice }: Pick<Blow, 'notice'>,
  { struck, healed, noticed = Infinity }: { struck: number; healed: number; noticed: number | undefined },
): string | undefined {
  if (notice === undefined) return undefined;
  const { worker, withinMs } = notice;
  const limit = struck + withinMs + LATE_MS;
  if (healed <= limit || noticed <= limit) return undefined;
  const after = noticed === Infinity ? 'never' : `after ${Math.round(noticed - struck) / 1_000} s`;
  return `the dead link of ${worker} was noticed ${after}, and must be within ${withinMs / 1_000} s`;
}
