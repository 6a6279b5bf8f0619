import { spoolsLeft } from './checks/farm.ts';
import type { Asked } from './ask.ts';
import { until } from './program.ts';
import type { Sandbox } from './sandbox.ts';

/** All that was asked for must have ended so long after the fault is over, ms. A link that is half-open alone takes 35 s to be found. */
const SETTLE_MS = 120_000;
/** So long a watcher may need to be back after a restart, and a spool to be emptied, ms. */
const QUIET_MS = 15_000;

/** Waits until the farm is whole again, then until nothing runs and nothing waits, and all of it was heard and acknowledged. */
export async function settle(
  farm: Sandbox,
  asked: Asked,
  signal: AbortSignal,
  onRecovered: () => void,
): Promise<void> {
  const status = () => farm.client.call('status', {}, { signal, timeoutMs: 10_000 });
  await until(
    'all builds end and all workers are back',
    SETTLE_MS,
    async () => {
      const { workers, running, pending, trouble } = await status();
      const whole =
        workers.every(({ attached, notes }) => attached && notes.every(isRefusal)) &&
        trouble.every(({ code }) => STAYS.has(code));
      if (whole) onRecovered();
      return (
        whole && running.length === 0 && pending.length === 0 && workers.every((one) => one.running === 0)
      );
    },
    signal,
  );
  const { heard } = farm.watcher;
  const finished = () =>
    new Set(heard.map(({ event }) => (event.type === 'request.finished' ? event.buildrequestid : 0)));
  await until(
    'the watcher hears the end of every build',
    QUIET_MS,
    () => {
      if (farm.watcher.broken !== undefined) throw farm.watcher.broken;
      const ends = finished();
      return [...asked.requests].every((id) => ends.has(id));
    },
    signal,
  );
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
