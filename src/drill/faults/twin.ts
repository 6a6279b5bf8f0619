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
/** A service manager waits about so long before it starts a program again, ms. */
const RESTART_MS = 100;

/** A copy of a worker's directory, as a cloned machine has it, is started beside the worker. */
export const TWIN_FAULTS: readonly Fault[] = [
  {
    name: 'twin',
    title: "a copy of a worker's directory is started beside it, perhaps both again and again",
    holds:
      'the newer session wins and the older process ends with 8; of two that alternate one is refused, and status names both addresses',
    weight: 1,
    draw(random, { workers }) {
      const name = pick(random, workers);
      const alternate = random() < 0.5;
      return {
        words: `start a copy of ${name} beside it${alternate ? ', and both anew whenever one ends' : ''}`,
        mercy: 'interrupted',
        hit: [name],
        async strike(farm, striking) {
          const worker = farm.worker(name);
          const twin = await farm.copyOf(name);
          try {
            await twin.launch();
            await (alternate
              ? untilRefused(farm, [worker, twin], striking)
              : untilReplaced(worker, striking));
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

async function untilReplaced(worker: Machine, { signal, noticed, wrong }: Striking): Promise<void> {
  await until('the older process ends', REPLACED_MS, () => !worker.program.running, signal);
  noticed();
  const code = await worker.program.ended;
  if (code !== EXIT.conflict) wrong(`the process that was replaced ended with ${code}`);
}

/** Starts each of the two again when it ends, until status says that they alternate. */
async function untilRefused(
  farm: Sandbox,
  both: readonly Machine[],
  { signal, noticed, wrong }: Striking,
): Promise<void> {
  const end = performance.now() + TOLD_APART_MS;
  for (;;) {
    const { trouble } = await farm.client.call('status', {}, { signal });
    const said = trouble.find(
      ({ code, message }) => code === 'BBX-MAS-WORKER-TWICE' && /is refused/.test(message),
    );
    if (said !== undefined) {
      noticed();
      const named = said.message.match(/\[[\d:a-f]+\]:\d+|\d+\.\d+\.\d+\.\d+:\d+/g) ?? [];
      if (new Set(named).size < 2) wrong(`not both addresses are named: ${said.message}`);
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
