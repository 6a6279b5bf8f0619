import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openClient, type Client } from '../client/client.ts';
import { controlSocket } from '../config/layout.ts';
import { startPair, type PostgresPair } from '../exec/postgres-pair.ts';
import type { PostgresServer } from '../exec/postgres-server.ts';
import { TALK } from './builders.ts';
import { codes } from './codes.ts';
import { masterYaml, type FarmWords } from './farm-config.ts';
import { createMachine, type Machine, type WorkerMachine } from './machine.ts';
import { openNamespace, type Namespace } from './namespace.ts';
import { hasGit, makeOrigin } from './origin.ts';
import { freePort, loopback } from './ports.ts';
import { killAll } from './processes.ts';
import { runBbx, until, type BbxCommand, type Ran } from './program.ts';
import { startRelay } from './relay.ts';
import { startWatcher, type Watcher } from './watcher.ts';

export interface SandboxOptions {
  bbx: BbxCommand;
  /** Environment of all programs. */
  env: Readonly<Record<string, string | undefined>>;
  workers: number;
  store: 'sqlite' | 'postgres';
  /** Where small disks stand, if they are allowed: a soak's master needs more room, and without faults nobody needs any. */
  smallDisks?: 'all' | 'workers' | 'none';
  signal: AbortSignal;
}

/** A farm of real programs in a temporary directory, TLS on, with a relay before each worker. */
export interface Sandbox extends AsyncDisposable {
  readonly dir: string;
  readonly master: Machine;
  readonly workers: readonly WorkerMachine[];
  readonly client: Client;
  readonly watcher: Watcher;
  /** Small disks below store, logs, spools and workspaces; or why there are none. */
  readonly disks: Namespace | { because: string };
  /** Process that holds the namespace open; 0 without one. */
  readonly holder: number;
  /** The server of the store, where that is PostgreSQL. */
  readonly postgres: PostgresServer | undefined;
  /** It, and the place from which another takes over. */
  readonly pair: PostgresPair | undefined;
  worker(name: string): WorkerMachine;
  /** A path of the farm as this process reaches it, its small disks with it. */
  seen(path: string): string;
  /** Copies a worker's directory, as it is at this moment; the copy dials the same relay. */
  copyOf(name: string): Promise<Machine>;
  /** Removes a copy whose program has ended. */
  remove(copy: Machine): Promise<void>;
  /** Resolves when the master answers; rejects when its program ends. */
  masterAnswers(limitMs?: number): Promise<void>;
  /** Writes another configuration and has it applied. */
  configure(words: Pick<FarmWords, 'grace'>): Promise<void>;
  /** Runs a command of bbx in the farm's place, whatever its exit code. */
  run(args: readonly string[], limitMs: number): Promise<Ran>;
  /** Ends all programs in good order; gives what did not end well. */
  stop(): Promise<string[]>;
  /** The directory stays when the sandbox is disposed of. */
  keep(): void;
}

/** The drill's programs say all that they know into these files. */
export const SAID = 'said';
/** Where traces of steps stand, see `TALK`. */
export const LIVES = 'lives';
export const SECRET_VALUE = 'drill-secret-5f1c9a70';

/** Longest time in which a program that was started answers, ms; a machine under load takes a multiple of the usual 300 ms. */
const START_MS = 60_000;
/** A master that was told to stop, ms. */
export const MASTER_STOP_MS = 15_000;
/** A worker that was told to stop and has builds, which end before, ms. */
export const WORKER_STOP_MS = 60_000;
const MIB = 1 << 20;
/** Enough for a master, few enough to be used up. */
const CONNECTIONS = 40;

/** Makes and starts a farm as a user would, with the commands of this very program. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { bbx, signal } = options;
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'bbx-drill-')));
  const masterDir = join(dir, 'master');
  const names = Array.from({ length: options.workers }, (_, index) => `w${index + 1}`);
  const host = await loopback();
  const port = await freePort(host);
  const listen = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const env = environment(options.env);
  const client = openClient({ socket: controlSocket(masterDir, options.env), dir: masterDir });
  const watcher = startWatcher(client);
  const workers: WorkerMachine[] = [];
  const mounted: string[] = [];
  const closing = new AsyncDisposableStack();
  let disks: Namespace | { because: string } = { because: 'not yet' };
  let pair: PostgresPair | undefined;
  let revision = '';
  let reload = 0;
  let copies = 0;
  let kept = false;

  const within = () => ('within' in disks ? disks.within : []);
  const run = (args: readonly string[], limitMs: number, input = '') =>
    runBbx(bbx, args, { within: within(), cwd: dir, env, input, limitMs });
  const mustRun = async (args: readonly string[], input?: string): Promise<Ran> => {
    signal.throwIfAborted();
    const ran = await run(args, START_MS, input);
    if (ran.code !== 0) {
      kept = true;
      const said = `${ran.stderr}${ran.stdout}`.trim() || `ended with ${ran.code}`;
      throw codes['BBX-DRI-SANDBOX']({ what: `bbx ${args[0]} ${args[1] ?? ''}`, dir, said });
    }
    return ran;
  };
  const yaml = (grace: string) =>
    masterYaml({
      dir,
      listen,
      workers: names,
      grace,
      store: pair?.url() ?? 'sqlite:store/state.sqlite',
      reload,
      revision,
    });
  /** Runs a program that is not bbx where the farm's programs see their files. */
  const inPlace = async (words: readonly string[]) => {
    const [program = '', ...rest] = [...within(), ...words];
    await promisify(execFile)(program, rest, { timeout: START_MS });
  };
  /** A small disk of its own under a directory, where that is allowed. */
  const onDisk = async (path: string, bytes: number) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if ('within' in disks) await disks.mount(path, bytes);
    mounted.push(path);
  };
  /** What stands on the small disks and in PostgreSQL's log goes with them: a directory that is kept gets a copy. */
  const saveForLater = async () => {
    const seen = 'within' in disks ? disks.seen : undefined;
    if (seen !== undefined)
      for (const path of mounted) await cp(seen(path), path, { recursive: true }).catch(() => undefined);
    if (pair !== undefined) await writeFile(join(dir, SAID, 'postgres.txt'), await pair.server.log());
  };
  const place = { bbx, dir, said: join(dir, SAID), env, within };
  const machine = (kind: 'master' | 'worker', name: string, at: string) =>
    createMachine(place, { name, dir: at, args: ['run', kind, at] });
  const master = machine('master', 'master', masterDir);

  const sandbox: Sandbox = {
    dir,
    master,
    workers,
    client,
    watcher,
    get disks() {
      return disks;
    },
    get holder() {
      return 'within' in disks ? disks.pid : 0;
    },
    get postgres() {
      return pair?.server;
    },
    get pair() {
      return pair;
    },
    async copyOf(name) {
      copies += 1;
      const to = join(dir, `${name}-copy-${copies}`);
      // The lock is the kernel's, the socket the other keeper's: neither can be copied. Files of builds come and go meanwhile.
      const script =
        '{ cp -a "$1" "$2" 2>&1 || true; } | grep -v "No such file or directory$" >&2 || true; test -f "$2/worker.yaml"';
      await inPlace(['sh', '-c', script, 'sh', join(dir, name), to]);
      return machine('worker', `${name}-copy-${copies}`, to);
    },
    remove: ({ dir: at }) => rm(at, { recursive: true, force: true, maxRetries: 5 }),
    seen: (path) => ('within' in disks ? disks.seen(path) : path),
    worker: (name) => workers.find((worker) => worker.name === name)!,
    run,
    async masterAnswers(limitMs = START_MS) {
      await until(
        'the master answers',
        limitMs,
        async () => {
          if (!master.program.running)
            throw new Error(`the master ended by itself with ${await master.program.ended}`);
          return client.call('status', {}, { timeoutMs: 5_000, signal }).then(
            () => true,
            () => false,
          );
        },
        signal,
      );
    },
    async configure({ grace }) {
      reload += 1;
      await writeFile(join(masterDir, 'master.yaml'), yaml(grace));
      await client.call('applyConfig', {}, { signal });
    },
    async stop() {
      const wrong: string[] = [];
      await Promise.all(
        workers.map(async ({ name, program }) => {
          const code = await program.end('SIGTERM', WORKER_STOP_MS);
          if (code !== 0) wrong.push(`${name} ended with ${code} when it was told to stop`);
        }),
      );
      const code = await master.program.end('SIGTERM', MASTER_STOP_MS);
      if (code !== 0) wrong.push(`the master ended with ${code} when it was told to stop`);
      return wrong;
    },
    keep() {
      kept = true;
    },
    async [Symbol.asyncDispose]() {
      await watcher[Symbol.asyncDispose]();
      await client.close();
      await killAll(dir);
      if (kept) await saveForLater();
      await closing.disposeAsync();
      if (!kept) await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };

  try {
    await Promise.all([mkdir(join(dir, SAID)), mkdir(join(dir, LIVES))]);
    await writeFile(join(dir, 'talk.sh'), TALK);
    if (await hasGit()) revision = await makeOrigin(dir);
    if (options.store === 'postgres') {
      pair = closing.use(await startPair({ settings: { max_connections: CONNECTIONS } }));
    }
    const { smallDisks = 'all' } = options;
    if (smallDisks !== 'none') disks = await openNamespace();
    if ('within' in disks) closing.use(disks);
    await mustRun(['create-master', masterDir, '--name', 'drill']);
    const secret = join(masterDir, 'secrets', 'drill');
    await writeFile(secret, SECRET_VALUE, { mode: 0o600 });
    await chmod(secret, 0o600);
    await writeFile(join(masterDir, 'master.yaml'), yaml('10m'));
    for (const part of ['store', 'logs'])
      if (smallDisks === 'all') await onDisk(join(masterDir, part), 128 * MIB);
      else await mkdir(join(masterDir, part), { recursive: true, mode: 0o700 });
    for (const name of names) {
      const relay = closing.use(await startRelay(host, port));
      const at = join(dir, name);
      workers.push(Object.assign(machine('worker', name, at), { relay }));
      const joined = await mustRun(['worker', 'add', name, '--dir', masterDir]);
      const where = ['--master', relay.address, '--name', name, '--max-builds', '3'];
      await mustRun(['create-worker', at, ...where, '--join', '-'], joined.stdout);
      await onDisk(join(at, 'spool'), 64 * MIB);
      await onDisk(join(at, 'builds'), 32 * MIB);
    }
    await Promise.all([master, ...workers].map((one) => one.launch()));
    await sandbox.masterAnswers();
    await until(
      'the workers are attached',
      START_MS,
      async () => {
        const rows = await client.call('workers', {}, { signal });
        return rows.filter(({ attached }) => attached).length === names.length;
      },
      signal,
    );
    return sandbox;
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

/** This process's environment less what would steer the farm's programs; a marker of an outer build stays. */
function environment(from: SandboxOptions['env']): Record<string, string | undefined> {
  const kept = Object.entries(from).filter(
    ([name]) => name === 'BBX_BUILD' || !/^(?:BBX_|NODE_OPTIONS$|VITEST|TEST$|NOTIFY_SOCKET$)/.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: '1' };
}
