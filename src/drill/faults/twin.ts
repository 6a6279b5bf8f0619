import { sleep } from '../../base/abort.ts';
import { EXIT } from '../../base/exit.ts';
import type { Fault, Striking } from '../fault.ts';
import { killAll } from '../processes.ts';
import { until } from '../program.ts';
import { pick } from '../random.ts';
import type { Machine } from '../machine.ts';
import type { Sandbox } from '../sandbox.ts';

/** A process whose session was taken by another ends so soon, ms. */
const REPLACED_MS = 20_000;
/** Two that are started again and again are told apart so soon, ms. */
const TOLD_APART_MS = 40_000;
/** A process that was replaced hears it when the newer one is in, and ends its commands then, ms. */
const FAREWELL_MS = 1_000;
/** A service manager waits about so long before it starts a program again, ms. */
const RESTART_MS = 100;

/** A copy of a worker's directory, as a cloned machine has it, is started beside the worker. */
export const TWIN_FAULTS: readonly Fault[] = [
  {
    name: 'twin',
    title: "a copy of a worker's directory is started beside it, perhaps both again and again",
    holds:
      'the newer session wins and the older process ends with 8, and its commands within 1 s; of two that alternate one is refused, and status names both addresses',
    weight: 1,
    draw(random, { workers }) {
      const name = pick(random, workers);
      const alternate = random() < 0.5;
      return {
        words: `start a copy of ${name} beside it${alternate ? ', and both anew whenever one ends' : ''}`,
        mercy: 'interrupted',
        hit: [name],
        besideMs: FAREWELL_MS,
        async strike(farm, striking) {
          const worker = farm.worker(name);
          const before = await rivalry(farm, name, striking.signal);
          await askToBeMet(farm, striking.signal);
          const twin = await farm.copyOf(name);
          try {
            await twin.launch();
            await (alternate
              ? untilRefused(farm, [worker, twin], before, striking)
              : untilReplaced(farm, worker, before, striking));
          } finally {
            await twin.program.end('SIGKILL', 1_000);
            await killAll(twin.dir);
            await farm.remove(twin);
          }
          // One that was refused would come again only after a while.
          await worker.program.end('SIGKILL', 1_000);
          await worker.launch();
        },
      };
    },
  },
];

/** Asks for builds that still run when the copy is there: those of the round may have ended by then. */
async function askToBeMet(farm: Sandbox, signal: AbortSignal): Promise<void> {
  const body = { builder: 'long', reason: 'drill: to be met by a copy of its worker' };
  for (const _ of farm.workers) await farm.client.call('startBuild', { body }, { signal });
}

/** What status tells of two processes of this name. */
async function rivalry(farm: Sandbox, name: string, signal: AbortSignal): Promise<string[]> {
  const { trouble } = await farm.client.call('status', {}, { signal });
  return trouble
    .filter(({ code, subject }) => code === 'BBX-MAS-WORKER-TWICE' && subject.split(/\W/).includes(name))
    .map(({ message }) => message);
}

const isRefusal = (message: string) => message.includes('is refused');

/**
 * Waits until the older process has ended. Who has rivals `before` was in such a round a short while ago: the copy may rightly be taken for one
 * of two that alternate still.
 */
async function untilReplaced(
  farm: Sandbox,
  worker: Machine,
  before: readonly string[],
  { signal, noticed, wrong }: Striking,
): Promise<void> {
  const refused = async () =>
    before.length > 0 &&
    (await rivalry(farm, worker.name, signal)).some((one) => isRefusal(one) && !before.includes(one));
  await until(
    'the older process ends',
    REPLACED_MS,
    async () => !worker.program.running || (await refused()),
    signal,
  );
  noticed();
  if (worker.program.running) return;
  const code = await worker.program.ended;
  if (code !== EXIT.conflict) wrong(`the process that was replaced ended with ${code}`);
}

/** Starts each of the two again when it ends, until status says that they alternate, which it did not `before`. */
async function untilRefused(
  farm: Sandbox,
  both: readonly [worker: Machine, twin: Machine],
  before: readonly string[],
  { signal, noticed, wrong }: Striking,
): Promise<void> {
  const end = performance.now() + TOLD_APART_MS;
  for (;;) {
    const told = await rivalry(farm, both[0].name, signal);
    const said = told.find((message) => isRefusal(message) && !before.includes(message));
    if (said !== undefined) {
      noticed();
      const named = said.match(/\[[\d:a-f]+\]:\d+|\d+\.\d+\.\d+\.\d+:\d+/g) ?? [];
      if (new Set(named).size < 2) wrong(`not both addresses are named: ${said}`);
      return;
    }
    if (performance.now() > end) return wrong('two processes of one name alternate, and none is refused');
    for (const machine of both) {
      if (machine.program.running) continue;
      await sleep(RESTART_MS, signal);
      await machine.launch();
    }
    await sleep(RESTART_MS, signal);
  }
}
