import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { systemClock } from '../../../base/clock.ts';
import { EXIT, type ExitCode } from '../../../base/exit.ts';
import { createSteadyClock } from '../../../base/steady-clock.ts';
import { lockDirectory } from '../../../exec/directory-lock.ts';
import { watchLocked } from '../../../exec/directory-watch.ts';
import { keepMemorySmall } from '../../../exec/small-memory.ts';
import { checkCall, type CallIn } from './call-check.ts';
import { createKeeperCore } from './core.ts';
import { createLine, type Line } from './line.ts';
import { KEEPER_VERSION, type Calls } from './messages.ts';
import { keeperPlaces, openSocketPath } from './socket.ts';

/** A keeper that holds no build and that no worker talks to goes after this: its worker would have come at once. */
const FORSAKEN_MS = 5_000;
/** One that holds builds between two commands waits so long for a worker. */
const WAITING_MS = 600_000;

/** A worker speaks first, and at once. */
const FIRST_WORD_MS = 5_000;
/** One worker, the next one, and whoever else looks in. */
const MOST_CONNECTIONS = 16;
/** A worker that has not taken so much is told nothing more until it reads. */
const BEHIND_BYTES = 256 * 1024;

/** The keeper's process: `argv[2]` is the worker's directory, `argv[3]` the program's name and version. Says `ready` on stdout when it listens. */
async function main(dir: string, software: string): Promise<void> {
  const places = keeperPlaces(dir);
  // Where another keeper lives this ends with an error, and the worker meets that one.
  const lock = await lockDirectory(places.lock);
  const core = createKeeperCore({ version: KEEPER_VERSION, clock: createSteadyClock(systemClock) });
  let current: { line: Line; socket: Socket } | undefined;
  let leaving: NodeJS.Timeout | undefined;

  const leave = async (code: ExitCode = EXIT.ok): Promise<never> => {
    server.close();
    await core.stop();
    // Where the directory is gone, what has its name now may be another's.
    if (code === EXIT.ok) rmSync(places.socket, { force: true });
    if (code === EXIT.ok) lock.release();
    process.exit(code);
  };
  // A worker whose directory is gone says so itself and ends; this is for when there is none.
  watchLocked(places.lock, (error) => {
    process.stderr.write(`${new Date().toISOString()} keeper: ${error.message}\n`);
    leave(EXIT.notFound).catch(fail);
  });
  /** Without a worker the keeper stays only for what runs, or may be asked for soon. */
  const consider = () => {
    clearTimeout(leaving);
    if (current !== undefined || core.running > 0) return;
    leaving = setTimeout(() => void leave(), core.builds > 0 ? WAITING_MS : FORSAKEN_MS);
  };
  core.onLess = consider;

  const server = createServer((socket) => {
    const line = createLine(socket, {
      onValue(value) {
        clearTimeout(limit);
        const call = checkCall(value);
        // Whoever says anything else is no worker, and must not stand in the way of one.
        if (call === undefined) line.close();
        else void answer(call);
      },
      onEnd() {
        clearTimeout(limit);
        if (current?.socket !== socket) return;
        current = undefined;
        core.detach();
        consider();
      },
    });
    const limit = setTimeout(() => line.close(), FIRST_WORD_MS);
    const answer = async ({ id, name, ask }: CallIn) => {
      try {
        const answered = name === 'attach' ? attach(ask) : await core.handle(name, ask);
        line.send({ id, answer: answered });
      } catch (error) {
        line.send({ id, error: error instanceof Error ? error.message : String(error) });
      }
      if (name === 'quit') await leave();
    };
    const attach = ({ wall }: Calls['attach']['ask']) => {
      // The worker that holds the directory's lock is the newest to come: an older one is dead, or about to notice.
      if (current?.socket !== socket) current?.line.close();
      current = { line, socket };
      clearTimeout(leaving);
      core.attach((notice) => line.send({ notice }), software, {
        wall,
        isBehind: () => line.unsent > BEHIND_BYTES,
      });
      return null;
    };
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('error', fail);

  // A service manager's signal to the whole group: what is to happen the worker says, when there is one.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (current === undefined) void leave();
    });

  rmSync(places.socket, { force: true });
  const umask = process.umask(0o177);
  using name = openSocketPath(dir);
  if (name === undefined) throw new Error(`the path of "${places.socket}" is too long for a socket`);
  await new Promise<void>((resolve) => {
    server.listen(name.path, resolve);
    // Bound when `listen` returns; commands must not inherit this mask.
    process.umask(umask);
  });
  chmodSync(places.socket, 0o600);
  process.stdout.on('error', () => undefined);
  process.stdout.end('ready\n');
  consider();
}

function fail(error: unknown): never {
  process.stderr.write(
    `${new Date().toISOString()} keeper: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
keepMemorySmall();
const [, , dir = '', software = ''] = process.argv;
// For those who look at the machine's processes: no file of a program says whose commands hang on this one.
process.title = `bbx keeper of ${dir}`;
await main(dir, software);
