import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../rigs/farm.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { opened } from '../opened.ts';
import { BEGAN, masterConfig, SENDER } from './master-config.ts';

const LOOK_EVERY_MS = 5;
/** A hundred builds of it take half a minute, and ten times as long on a busy machine. */
const LIMIT_MS = 300_000;
/** Debian's Python is the one that Debian's Buildbot is installed for. */
const PYTHON = '/usr/bin/python3';

/** Stock Buildbot, where it is installed: its version, as it says itself. */
export function findBuildbot(): string | undefined {
  try {
    execFileSync('buildbot-worker', ['--version'], { stdio: 'ignore' });
    const text = execFileSync('buildbot', ['--version'], { encoding: 'utf8' });
    return /Buildbot version: (\S+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** A master and a worker of stock Buildbot on loopback, in a temporary directory. */
export interface Buildbot extends AsyncDisposable {
  /** The master's process. */
  readonly pid: number;
  /** Seconds from the master's start to its open port, and from the worker's start until it is attached. */
  readonly started: { master: number; worker: number };
  /** Sends changes and resolves when so many builds have ended, with the epoch seconds at which they were asked for and had ended. */
  build(branches: readonly string[], count: number): Promise<{ asked: number; ended: number }>;
  /** When the command of the log began, epoch seconds. */
  began(): Promise<number>;
}

export async function startBuildbot(lines: number): Promise<Buildbot> {
  const temp = await tempDir();
  const [master, worker] = [join(temp.path, 'master'), join(temp.path, 'worker')];
  const port = await freePort('127.0.0.1');
  const children: ChildProcess[] = [];
  const start = (program: string, args: string[]) => {
    const child = spawn(program, args, { cwd: temp.path, stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    return child;
  };
  execFileSync('buildbot', ['create-master', master], { stdio: 'ignore' });
  await writeFile(join(master, 'master.cfg'), masterConfig({ port, places: temp.path, lines }));
  execFileSync('buildbot-worker', ['create-worker', worker, `127.0.0.1:${port}`, 'w1', 'secret'], {
    stdio: 'ignore',
  });

  let from = performance.now();
  const first = start('buildbot', ['start', '--nodaemon', master]);
  first.stdout?.resume();
  await opened(port, '127.0.0.1');
  const masterSeconds = (performance.now() - from) / 1_000;
  from = performance.now();
  start('buildbot-worker', ['start', '--nodaemon', worker]).stdout?.resume();
  await until(async () => (await contents(join(worker, 'twistd.log'))).includes('worker is ready'));
  const started = { master: masterSeconds, worker: (performance.now() - from) / 1_000 };

  const sender = start(PYTHON, ['-c', SENDER, String(port)]);
  const said = createInterface({ input: sender.stdout! });
  await once(said, 'line');
  const rows = new DatabaseSync(join(master, 'state.sqlite'), { readOnly: true });
  const ended = rows.prepare('select count(*) as count from builds where complete_at is not null');
  const count = () => Number(ended.get()?.['count']);
  return {
    pid: Number(await contents(join(master, 'twistd.pid'))) || first.pid!,
    started,
    async build(branches, each) {
      const wanted = count() + branches.length * each;
      const asked = Date.now() / 1_000;
      for (const branch of branches) sender.stdin?.write(`${branch} ${each}\n`);
      await until(() => count() >= wanted);
      return { asked, ended: Date.now() / 1_000 };
    },
    began: async () => Number(await contents(join(temp.path, BEGAN))),
    async [Symbol.asyncDispose]() {
      rows.close();
      for (const child of children.reverse()) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const closed = once(child, 'exit');
        // It waits for its worker otherwise, and nothing of it is kept.
        child.kill('SIGKILL');
        await closed;
      }
      await temp[Symbol.asyncDispose]();
    },
  };
}

async function contents(file: string): Promise<string> {
  return existsSync(file) ? readFile(file, 'utf8') : '';
}

async function until(there: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!(await there())) {
    if (performance.now() > limit) throw new Error(`Buildbot did not get there in ${LIMIT_MS / 1_000} s`);
    await delay(LOOK_EVERY_MS);
  }
}
