import type { NumberedEvent } from '../../client/events.ts';
import { sleep } from '../../base/abort.ts';
import { processesOf } from '../processes.ts';
import { until } from '../program.ts';
import type { Sandbox } from '../sandbox.ts';
import { spoolsLeft } from './farm.ts';

/** Reading the events of a farm once more, ms. */
const REPLAY_MS = 20_000;
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
  const left = () => processesOf(farm.dir).then((found) => found.filter(({ pid }) => pid !== farm.holder));
  await until('processes end', GONE_MS, async () => (await left()).length === 0).catch(() => undefined);
  for (const { pid, command } of await left()) wrong.push(`left running: ${pid} ${command}`);
  return wrong;
}

/** What the watcher has heard over all restarts must be what the master tells now to one who asks from the beginning. */
async function compareEvents(farm: Sandbox, signal: AbortSignal): Promise<string[]> {
  const stop = new AbortController();
  const told: NumberedEvent[] = [];
  const reading = (async () => {
    for await (const event of farm.client.events({
      after: 0,
      signal: AbortSignal.any([signal, stop.signal]),
    }))
      told.push(event);
  })();
  reading.catch(() => undefined);
  const { heard } = farm.watcher;
  await until(
    'events are told again',
    REPLAY_MS,
    () => (told.at(-1)?.id ?? 0) >= (heard.at(-1)?.id ?? 0),
    signal,
  ).catch(() => signal.throwIfAborted());
  // One that was told to the new reader is on its way to the old one.
  await sleep(300, signal);
  stop.abort();
  await reading.catch(() => undefined);
  const ids = (events: readonly { id: number }[]) => events.map(({ id }) => id).join();
  return ids(told) === ids(heard)
    ? []
    : [`the watcher heard ${heard.length} events, there are ${told.length}`];
}
