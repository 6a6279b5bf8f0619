import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openClient, type Client } from '../../../src/client/client.ts';
import { controlSocket } from '../../../src/config/layout.ts';
import { bbxOk, startBbx, type Program } from '../bbx.ts';
import { cuttableRelay, type CuttableRelay } from '../cuttable-relay.ts';
import { startFarm, type Farm } from '../farm.ts';
import { until } from '../wait.ts';

/** A farm whose programs can be killed and started at any moment, with a relay before its master. */
export interface DrillFarm extends AsyncDisposable {
  readonly farm: Farm;
  readonly relay: CuttableRelay;
  readonly client: Client;
  readonly workers: readonly string[];
  master: Program;
  /** Starts the master's program and waits for nothing. */
  launchMaster(): Program;
  /** Resolves when the master answers; fails when its program ends. */
  masterAnswers(): Promise<void>;
  worker(name: string): Program;
  launchWorker(name: string): Program;
  /** Everything that all programs have said, for who looks for the reason of a failure. */
  output(): string;
}

export async function startDrillFarm(options: {
  workers: readonly string[];
  maxBuilds: number;
  /** More lines of their `worker.yaml`. */
  workerConfig: string;
  config: (dir: string) => string;
  prepare: (dir: string) => Promise<void>;
}): Promise<DrillFarm> {
  const { workers, maxBuilds } = options;
  const relay = await cuttableRelay();
  const programs: { name: string; program: Program }[] = [];
  const current = new Map<string, Program>();
  let farm: Farm;
  try {
    farm = await startFarm({ reach: relay.address, config: options.config('/nowhere') });
  } catch (error) {
    await relay[Symbol.asyncDispose]();
    throw error;
  }
  relay.target = farm.address;
  const launch = (name: string, args: readonly string[]) => {
    const program = startBbx(args, { cwd: farm.dir });
    programs.push({ name, program });
    current.set(name, program);
    return program;
  };
  const rig: DrillFarm = {
    farm,
    relay,
    workers,
    master: farm.master,
    client: openClient({ socket: controlSocket(farm.masterDir, process.env), dir: farm.masterDir }),
    launchMaster() {
      rig.master = launch('master', ['run', 'master', farm.masterDir]);
      return rig.master;
    },
    async masterAnswers() {
      await until('the master to answer', async () => {
        if (rig.master.child.exitCode !== null)
          throw new Error(`the master ended with ${rig.master.child.exitCode}:\n${rig.master.output()}`);
        return rig.client.call('status', {}, { timeoutMs: 5_000 }).then(
          () => true,
          () => false,
        );
      });
    },
    worker: (name) => current.get(name)!,
    launchWorker: (name) => launch(name, ['run', 'worker', join(farm.dir, name)]),
    output: () => programs.map(({ name, program }) => `--- ${name}\n${program.output()}`).join('\n'),
    async [Symbol.asyncDispose]() {
      await rig.client.close();
      await Promise.all(
        programs.map(async ({ program }) => {
          if (program.child.exitCode === null) program.child.kill('SIGKILL');
          await program.ended;
        }),
      );
      await farm[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
  try {
    await options.prepare(farm.dir);
    await farm.writeConfig(options.config(farm.dir));
    await bbxOk(['config', 'apply', '--dir', farm.masterDir], { cwd: farm.dir });
    for (const name of workers) {
      const dir = join(farm.dir, name);
      const joined = await bbxOk(['worker', 'add', name, '--dir', farm.masterDir], { cwd: farm.dir });
      const where = ['--master', relay.address, '--name', name, '--max-builds', String(maxBuilds)];
      await bbxOk(['create-worker', dir, ...where, '--join', '-'], {
        cwd: farm.dir,
        input: joined.stdout,
      });
      await appendFile(join(dir, 'worker.yaml'), options.workerConfig);
      rig.launchWorker(name);
    }
    await until('the workers to be attached', async () => {
      const rows = await rig.client.call('workers', {});
      return rows.filter(({ attached }) => attached).length === workers.length;
    });
    return rig;
  } catch (error) {
    const said = rig.output();
    await rig[Symbol.asyncDispose]();
    throw new Error(`the farm of the drill did not start:\n${said}`, { cause: error });
  }
}
