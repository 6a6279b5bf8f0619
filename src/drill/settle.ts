import type { FarmEvent } from '../api/objects.ts';
import { spoolsLeft } from './checks/farm.ts';
import type { Asked } from './ask.ts';
import { until } from './program.ts';
import type { Sandbox } from './sandbox.ts';

/** All that was asked for must have ended so long after the fault is over, ms. A link that is half-open alone takes 35 s to be found. */
const SETTLE_MS = 120_000;
/** So long a watcher may need to be back after a restart, and a spool to be emptied, ms. */
const QUIET_MS = 15_000;

/** While builds run on a farm that is whole, their ends are heard: it is asked only in case nothing is heard, ms. */
const IN_CASE_MS = 1_000;
/** What is not told by an event is asked for so often, ms: that trouble is over, or that a worker knows that its build is. */
const LOOK_MS = 100;
const CHANGES: ReadonlySet<FarmEvent['type']> = new Set([
  'request.submitted',
  'request.finished',
  'worker.changed',
]);

/**
 * Waits until the farm is whole again, then until nothing runs and nothing waits, and all of it was heard and acknowledged. `before`: number of
 * events that were heard before the round.
 */
export async function settle(
  farm: Sandbox,
  { asked, before }: { asked: Asked; before: number },
  signal: AbortSignal,
  onRecovered: () => void,
): Promise<void> {
  const { watcher } = farm;
  const end = performance.now() + SETTLE_MS;
  for (;;) {
    const { whole, quiet, builds } = await look(farm, signal);
    if (whole) onRecovered();
    if (whole && quiet) break;
    if (performance.now() > end)
      throw new Error(`all builds end and all workers are back: ${late(SETTLE_MS)}`);
    await watcher.next(CHANGES, whole && builds ? IN_CASE_MS : LOOK_MS, signal);
  }
  await hearEnds(farm, { asked, before }, signal);
  let left: string[] = [];
  await until(
    'spools are emptied',
    QUIET_MS,
    async () => (left = await spoolsLeft(farm)).length === 0,
    signal,
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new Error(left.join('; '), { cause: error });
  });
}

/** `whole`: nobody is missing and nothing is wrong; `quiet`: nothing runs or waits; `builds`: some do as far as the master knows. */
async function look(
  { client, workers: machines }: Sandbox,
  signal: AbortSignal,
): Promise<{ whole: boolean; quiet: boolean; builds: boolean }> {
  const { workers, running, pending, trouble } = await client.call(
    'status',
    {},
    { signal, timeoutMs: 10_000 },
  );
  const builds = running.length + pending.length > 0;
  return {
    whole:
      // One whose end of the link alone is gone is attached for the master, though it is not back yet.
      machines.every(({ relay }) => relay.halfOpened === 0) &&
      workers.every(({ attached, notes }) => attached && notes.every(isRefusal)) &&
      trouble.every(({ code }) => STAYS.has(code)),
    quiet: !builds && workers.every((one) => one.running === 0),
    builds,
  };
}

/**
 * Waits until the watcher has heard the end of every build that was asked for, be it by a fault that wanted more of them: a watcher that was cut off may
 * have heard nothing of those yet, so it must have come as far as the farm's newest request.
 */
async function hearEnds(
  { client, watcher }: Sandbox,
  { asked, before }: { asked: Asked; before: number },
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + QUIET_MS;
  const newest = await client.call('requests', { query: { limit: 1 } }, { signal });
  for (;;) {
    if (watcher.broken !== undefined) throw watcher.broken;
    const waited = new Set(asked.requests);
    const ended = new Set<number>();
    const last = watcher.heard.findLast(({ event }) => event.type === 'request.submitted')?.event;
    const reached = last?.type === 'request.submitted' ? last.buildrequestid : 0;
    for (const { event } of watcher.heard.slice(before)) {
      if (event.type === 'request.submitted') waited.add(event.buildrequestid);
      if (event.type === 'request.finished') ended.add(event.buildrequestid);
    }
    const isThere = newest.every(({ buildrequestid }) => buildrequestid <= reached);
    if (isThere && [...waited].every((id) => ended.has(id))) return;
    if (performance.now() > end)
      throw new Error(`the watcher hears the end of every build: ${late(QUIET_MS)}`);
    await watcher.next(CHANGES, IN_CASE_MS, signal);
  }
}

const late = (ms: number) => `not within ${ms / 1_000} s`;

/**
 * What status goes on telling of though it is over: a worker that has refused a build is known to take some again only when it is asked for one,
 * ten seconds later at the earliest, and that two processes had one name is told for some minutes.
 */
const STAYS = new Set(['BBX-MAS-WORKER-REFUSES', 'BBX-MAS-WORKER-TWICE']);
const isRefusal = (note: string) => note.startsWith('refuses builds');

/** What keeps a farm from being quiet. */
export async function stuck(farm: Sandbox): Promise<string[]> {
  const state = await farm.client.call('status', {}).catch(() => undefined);
  if (state === undefined) return ['the master does not answer'];
  return [
    ...state.running.map(({ builder, number, state_string }) => `${builder}/${number} runs: ${state_string}`),
    ...state.pending.map(({ buildrequestid, builder }) => `request ${buildrequestid} of ${builder} waits`),
    ...state.workers.filter(({ attached }) => !attached).map(({ name }) => `${name} is not attached`),
    ...state.workers.flatMap(({ name, notes }) => notes.map((note) => `${name} says: ${note}`)),
    ...state.trouble.map(({ subject, message }) => `trouble with ${subject}: ${message}`),
  ];
}
