import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildObject } from '../../src/api/objects.ts';
import { BbxError } from '../../src/base/error.ts';
import { openClient, type Client } from '../../src/client/client.ts';
import { controlSocket } from '../../src/config/layout.ts';
import { freePort as drillsPort } from '../../src/drill/ports.ts';
import { bbx, bbxOk, startBbx, type Program, type Ran, type RunOptions } from './bbx.ts';
import { makeDatabase } from './postgres.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './wait.ts';

/** A busy machine needs ten times what a quiet one does. */
const ATTACHED_MS = 60_000;

type Place = Pick<RunOptions, 'within' | 'uid' | 'gid' | 'env'>;

export interface FarmOptions {
  /** The whole `master.yaml` less `listen` and `reach`, which the rig writes. */
  config: string;
  /** Names of workers to make and start. */
  workers?: readonly string[];
  /** More flags for `create-worker`, of all workers. */
  workerFlags?: readonly string[];
  /** Address that the master listens on and workers dial. */
  host?: string;
  /** Where the master listens, and its web port, on a host that is its own. */
  listen?: { workers: string; web: string };
  /** Whose programs they are, and on which host: the master's with every command that talks to it, and the workers'. */
  masterAt?: Place;
  workersAt?: Place;
  /** Where workers are told to find the master; the address that it listens on unless a relay stands between. */
  reach?: string;
  /** Secrets to write into the master's directory before it starts, by file name. */
  secrets?: Record<string, string>;
  /** Environment of all programs. */
  env?: Record<string, string>;
}

/** A farm of real `bin/bbx` processes in a temporary directory, TLS on, ended and removed with its block. */
export interface Farm extends AsyncDisposable {
  readonly dir: string;
  readonly masterDir: string;
  readonly address: string;
  master: Program;
  readonly workers: Map<string, Program>;
  /** The master's API from this process: for what is asked until it is so, where a command each time would keep a processor busy. */
  readonly client: Client;
  /** Waits until the steps of a build, or of a builder's newest one, have printed these words. */
  printed(build: string, words: string | RegExp): Promise<void>;
  /** Waits until a build, or a builder's newest one, is over. */
  finished(build: string, limitMs?: number): Promise<BuildObject>;
  /** Runs a command in the master's directory, whatever its exit code. */
  run(...args: string[]): Promise<Ran>;
  /** Runs a command with `--json` and gives its answer; fails when it does not end with 0. */
  ask<Value>(...args: string[]): Promise<Value>;
  startMaster(): Promise<Program>;
  /** Makes the worker's directory if there is none, starts it and waits until it is attached; `master`: where it looks for it. */
  startWorker(name: string, master?: string): Promise<Program>;
  writeConfig(config: string): Promise<void>;
}

export async function startFarm(options: FarmOptions): Promise<Farm> {
  const temp = await tempDir();
  const host = options.host ?? '[::1]';
  const address = options.listen?.workers ?? `${host}:${await freePort(host)}`;
  const web = options.listen?.web ?? `${host}:0`;
  const masterDir = join(temp.path, 'master');
  const env = options.env ?? {};
  // `BBX_TEST_STORE=postgres` runs every farm on a database of its own.
  const own = process.env['BBX_TEST_STORE'] === 'postgres' ? await makeDatabase() : undefined;
  const masterAt = { cwd: temp.path, env, ...options.masterAt };
  const workersAt = { cwd: temp.path, env, ...options.workersAt };
  const workers = new Map<string, Program>();
  const all: Program[] = [];
  const socket = controlSocket(masterDir, { ...process.env, ...masterAt.env });
  const client = openClient({ socket, dir: masterDir });
  /** The answer; undefined while there is none, as from a master that starts. */
  const answer = <Value>(asked: Promise<Value>) =>
    asked.catch((error: unknown) => {
      if (!(error instanceof BbxError)) throw error;
      return undefined;
    });

  const farm: Farm = {
    dir: temp.path,
    masterDir,
    address,
    workers,
    client,
    master: undefined as never,
    async printed(build, words) {
      await until(`"${words}" from ${build}`, async () => {
        const text = await answer(outputOf(client, build));
        return typeof words === 'string' ? text?.includes(words) : words.test(text ?? '');
      });
    },
    finished(name, limitMs = 60_000) {
      return until(
        `the end of ${name}`,
        async () => {
          const build = await answer(client.call('build', { params: { build: name } }));
          return build?.complete === true && build;
        },
        limitMs,
      );
    },
    run: (...args) => bbx(args, { ...masterAt, cwd: masterDir, limitMs: 90_000 }),
    async ask(...args) {
      return (await bbxOk([...args, '--json'], { ...masterAt, cwd: masterDir, limitMs: 90_000 })).json();
    },
    async writeConfig(config) {
      const store = own === undefined || /^store:/m.test(config) ? '' : `store: "${own.url}"\n`;
      const listen = `listen: { workers: "${address}", web: "${web}" }\nreach: ["${options.reach ?? address}"]\n`;
      await writeFile(join(masterDir, 'master.yaml'), store + listen + config);
    },
    async startMaster() {
      farm.master = startBbx(['run', 'master', masterDir], masterAt);
      all.push(farm.master);
      await until('the master to answer', async () => {
        const { exitCode, signalCode } = farm.master.child;
        if ((exitCode ?? signalCode) !== null)
          throw new Error(`the master ended with ${exitCode ?? signalCode}:\n${farm.master.output()}`);
        return answer(client.call('status', {}));
      });
      return farm.master;
    },
    async startWorker(name, master = options.reach ?? address) {
      const dir = join(temp.path, name);
      const joined = await bbxOk(['worker', 'add', name, '--dir', masterDir], masterAt);
      const flags = ['--master', master, '--name', name, '--join', '-', ...(options.workerFlags ?? [])];
      await bbxOk(['create-worker', dir, ...flags], { ...workersAt, input: joined.stdout });
      const program = startBbx(['run', 'worker', dir], workersAt);
      workers.set(name, program);
      all.push(program);
      const attached = async () =>
        (await answer(client.call('worker', { params: { worker: name } })))?.attached;
      await until(`worker ${name} to be attached`, attached, ATTACHED_MS);
      return program;
    },
    async [Symbol.asyncDispose]() {
      // Those that a test started in the place of others, too.
      const programs = new Set([...all, ...workers.values()]);
      await client.close();
      await Promise.all([...programs].map((program) => program[Symbol.asyncDispose]()));
      await temp[Symbol.asyncDispose]();
    },
  };

  try {
    await bbxOk(['create-master', masterDir, '--name', 'test farm'], masterAt);
    for (const [file, value] of Object.entries(options.secrets ?? {})) {
      await writeFile(join(masterDir, 'secrets', file), value, { mode: 0o600 });
    }
    await farm.writeConfig(options.config);
    await farm.startMaster();
    await Promise.all((options.workers ?? []).map((name) => farm.startWorker(name)));
    return farm;
  } catch (error) {
    const outputs = all.map((program) => program.output()).join('\n---\n');
    await farm[Symbol.asyncDispose]();
    throw new Error(`the farm did not start:\n${outputs}`, { cause: error });
  }
}

/** What a build has printed so far, step after step. */
async function outputOf(client: Client, name: string): Promise<string> {
  const build = await client.call('build', { params: { build: name } });
  const chunks: Uint8Array[] = [];
  for (const { number, logs } of build.steps ?? []) {
    for (const { name: log } of logs) {
      const where = { build: String(build.buildid), step: String(number), log };
      for await (const chunk of client.log({ ...where, channels: 'output' })) chunks.push(chunk);
    }
  }
  return Buffer.concat(chunks).toString();
}

/** A port that is free, and stays so while the master that listens there is away; its own port 0 would be another one the next time. */
export function freePort(host: string): Promise<number> {
  return drillsPort(host.replace(/^\[|\]$/g, ''));
}
