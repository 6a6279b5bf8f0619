import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MARKER_VARIABLE } from '../../src/exec/marker.ts';

/** A busy machine needs ten times what a quiet one does. */
const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** A running program of stock Buildbot; killed at the end of its block, since a master without a port does not end on SIGTERM. */
export interface StockProgram extends AsyncDisposable {
  readonly pid: number;
  /** All of its log so far. */
  log(): Promise<string>;
  /** Resolves when the log has it; throws with the log when the program ends before, or time does. */
  logged(pattern: RegExp): Promise<void>;
  /** The exit code, or null for a signal; throws when it does not end. */
  ended(): Promise<number | null>;
}

/** Makes the directory of a master once; the others are copies, which is quicker. */
export async function makeStockMaster(dir: string, template: string, config: string): Promise<void> {
  await cp(template, dir, { recursive: true });
  await writeFile(join(dir, 'master.cfg'), config);
}

export function makeTemplate(dir: string): void {
  execFileSync('buildbot', ['create-master', '--relocatable', dir], { stdio: 'ignore' });
}

/** A `master.cfg` whose port is this piece of Python. With a PBChangeSource a master says that it is running though its port did not open; without one it ends. */
export function stockConfig(port: string): string {
  return `from buildbot.plugins import *
c = BuildmasterConfig = {}
c['title'] = 'test'
c['titleURL'] = 'http://localhost/'
c['buildbotURL'] = 'http://localhost/'
c['workers'] = [worker.Worker('w1', 'hunter2')]
c['protocols'] = {'pb': {'port': ${port}}}
c['change_source'] = [changes.PBChangeSource(user='c', passwd='c')]
c['builders'] = [util.BuilderConfig(name='b', workernames=['w1'], factory=util.BuildFactory())]
c['schedulers'] = [schedulers.ForceScheduler(name='force', builderNames=['b'])]
c['buildbotNetUsageData'] = None
`;
}

export function startStock(program: 'buildbot' | 'buildbot-worker', dir: string): StockProgram {
  const marker = process.env[MARKER_VARIABLE];
  const child = spawn(program, ['start', '--nodaemon', dir], {
    stdio: 'ignore',
    env: { ...process.env, ...(marker === undefined ? {} : { [MARKER_VARIABLE]: marker }) },
  });
  const log = () => readFile(join(dir, 'twistd.log'), 'utf8').catch(() => '');
  const over = () => child.exitCode !== null || child.signalCode !== null;
  const until = async (there: () => boolean | Promise<boolean>, what: string) => {
    const limit = performance.now() + LIMIT_MS;
    while (!(await there())) {
      if (performance.now() > limit) throw new Error(`${program} in ${dir}: no ${what}:\n${await log()}`);
      await delay(LOOK_EVERY_MS);
    }
  };
  return {
    pid: child.pid ?? 0,
    log,
    async logged(pattern) {
      await until(async () => {
        const text = await log();
        if (pattern.test(text)) return true;
        if (over())
          throw new Error(`${program} ended with ${child.exitCode}, and no ${pattern} came:\n${text}`);
        return false;
      }, String(pattern));
    },
    async ended() {
      await until(over, 'end');
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      if (over()) return;
      const closed = once(child, 'exit');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** The loopback addresses that take a connection to a port. */
export async function openFamilies(port: number): Promise<string[]> {
  const tried = await Promise.all(
    ['127.0.0.1', '::1'].map(
      (host) =>
        new Promise<string[]>((resolve) => {
          const socket = connect({ host, port });
          socket.once('connect', () => {
            socket.destroy();
            resolve([host]);
          });
          socket.once('error', () => resolve([]));
        }),
    ),
  );
  return tried.flat();
}
