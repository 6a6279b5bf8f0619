import type { Client } from '../../client/client.ts';
import type { NumberedEvent } from '../../client/events.ts';
import { processesOf } from '../processes.ts';
import { until } from '../program.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Watcher } from '../watcher.ts';
import { spoolsLeft } from './farm.ts';

/** Reading the events of a farm once more, ms. */
const REPLAY_MS = 20_000;
/** Numbers of events in a sentence. */
const MOST_NAMED = 5;
/** `bbx db check`, ms. */
const CHECK_MS = 120_000;
/** Programs that were told to end are gone from the list of processes, ms. */
const GONE_MS = 2_000;

/** Stops a farm and looks at what is only seen at its end: events once more, exit codes, spools, the store, processes. */
export async function closeFarm(farm: Sandbox, signal: AbortSignal): Promise<string[]> {
  const wrong = await compareEvents(farm, signal);
  wrong.push(...(await farm.stop()));
  wrong.push(...(await spoolsLeft(farm)));
  const checked = await farm.run(['db', 'check', '--dir', farm.master.dir], CHECK_MS);
  if (checked.code !== 0)
    wrong.push(`db check ended with ${checked.code}: ${checked.stdout}${checked.stderr}`);
  else wrong.push(...checked.stdout.split('\n').filter((line) => /^(?:warn|error)\t/.test(line)));
  const left = () => processesOf(farm.dir).filter(({ pid }) => pid !== farm.holder);
  await until('processes end', GONE_MS, () => left().length === 0).catch(() => undefined);
  for (const { pid, command } of left()) wrong.push(`left running: ${pid} ${command}`);
  return wrong;
}

/** What the watcher has heard over all restarts must be what the master tells now to one who asks from the beginning. */
export async function compareEvents(
  { client, watcher: { heard } }: { client: Client; watcher: Pick<Watcher, 'heard'> },
  signal: AbortSignal,
  limitMs = REPLAY_MS,
): Promise<string[]> {
  const stop = new AbortController();
  const told: NumberedEvent[] = [];
  const reading = (async () => {
    for await (const event of client.events({ after: 0, signal: AbortSignal.any([signal, stop.signal]) }))
      told.push(event);
  })();
  reading.catch(() => undefined);
  const ids = (events: readonly { id: number }[]) => events.map(({ id }) => id).join();
  // Nothing happens any more, but what happened last may still be on its way to either; a farm has events as soon as a worker was there.
  const agree = () => told.length > 0 && told.length === heard.length && ids(told) === ids(heard);
  const agreed = await until('events are told again', limitMs, agree, signal).then(
    () => true,
    () => false,
  );
  signal.throwIfAborted();
  stop.abort();
  await reading.catch(() => undefined);
  return agreed ? [] : [differenceOf(heard, told)];
}

/** The two rows of events, as far as they differ, in a sentence. */
function differenceOf(heard: readonly { id: number }[], told: readonly { id: number }[]): string {
  if (told.length === 0) return 'the master tells no events at all';
  const [one, other] = [heard, told].map((events) => new Set(events.map(({ id }) => id)));
  const missed = told.filter(({ id }) => !one!.has(id)).map(({ id }) => id);
  const gone = heard.filter(({ id }) => !other!.has(id)).map(({ id }) => id);
  const named = [
    ...(missed.length > 0 ? [`it did not hear ${list(missed)}`] : []),
    ...(gone.length > 0 ? [`the master does not tell ${list(gone)} any more`] : []),
  ];
  const how = named.length > 0 ? named.join(', ') : 'in another order, or some twice';
  return `the watcher heard ${heard.length} events, there are ${told.length}: ${how}`;
}

function list(ids: readonly number[]): string {
  const more = ids.length - MOST_NAMED;
  return ids.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
