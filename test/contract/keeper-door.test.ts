import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createSteadyClock } from '../../src/base/steady-clock.ts';
import type { Log } from '../../src/base/log.ts';
import { endLeftovers } from '../../src/exec/end-processes.ts';
import { findProcesses } from '../../src/exec/processes.ts';
import { openKeptBuilds, type KeptBuilds } from '../../src/runtime/worker/keeper/kept-builds.ts';
import { createLine } from '../../src/runtime/worker/keeper/line.ts';
import { KeeperLost } from '../../src/runtime/worker/keeper/messages.ts';
import { keeperPlaces } from '../../src/runtime/worker/keeper/socket.ts';
import { skipAloud, wantOfRoot } from '../rigs/skip-aloud.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const MARKER = `keeper-door-${process.pid}`;
const never = new AbortController().signal;

/** A worker's side of a directory, with everything that it says. */
async function house(dir: string) {
  const lines: string[] = [];
  const note = (message: string) => void lines.push(message);
  const log: Log = { debug() {}, info: note, warn: note, error: note };
  await mkdir(keeperPlaces(dir).home, { recursive: true, mode: 0o700 });
  const kept = await openKeptBuilds({ dir, software: 'test', clock: createSteadyClock(systemClock), log });
  const lost = Promise.withResolvers<void>();
  const troubles: (string | undefined)[] = [];
  kept.watch({
    lost: () => lost.resolve(),
    spool: () => undefined,
    silentMs: () => 0,
    room: () => ({ limit: 1 << 24, other: 0 }),
    trouble: (words) => void troubles.push(words),
  });
  return { kept, lines, lost: lost.promise, troubles };
}

const order = (dir: string, script: string) => ({
  step: 0,
  log: { id: 0, name: 'stdio' },
  command: ['/bin/sh', '-c', script],
  cwd: dir,
  env: { PATH: process.env['PATH'] ?? '' },
  marker: `${MARKER}/step-0`,
  inheritedMarker: undefined,
  scratch: dir,
  identity: null,
  timeoutMs: null,
  maxTimeMs: null,
  sigtermTimeMs: 500,
});

/** A build that is held, whose command waits until the file `go` is there. */
async function running(
  dir: string,
  kept: KeptBuilds,
  script = 'while [ ! -e go ]; do sleep 0.05; done; exit 4',
) {
  const key = '7-1-00000000000000aa';
  const spool = join(dir, 'spool', key);
  await mkdir(spool, { recursive: true });
  const uids = [process.geteuid?.() ?? 0];
  const held = { key, dir: spool, builddir: 'b', marker: MARKER, uids, orphanAfter: null, secrets: {} };
  const build = await kept.hold(held);
  if (build === undefined) throw new Error('no keeper');
  const end = build.run(order(dir, script), never);
  end.catch(() => undefined);
  await until('the command', () => findProcesses({ marker: MARKER, uids }).length > 0);
  return { build, end };
}

async function dial(dir: string): Promise<Socket> {
  const socket = connect(keeperPlaces(dir).socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const pidOf = async (dir: string) => Number(await readFile(`${keeperPlaces(dir).lock}.pid`, 'utf8'));

describe('the door of a keeper', () => {
  it.skipIf(skipAloud('keepers and other users', wantOfRoot))(
    'lets no other user of the machine in',
    async () => {
      await using dir = await tempDir();
      const { kept } = await house(dir.path);
      await running(dir.path, kept);
      process.seteuid?.(65_534);
      const refused = dial(dir.path);
      process.seteuid?.(0);
      await expect(refused).rejects.toThrow(/EACCES/);
      await kept.quit();
    },
  );

  it('closes on whoever does not speak as a worker does; the worker, its command and the keeper notice nothing', async () => {
    await using dir = await tempDir();
    const { kept } = await house(dir.path);
    const { end } = await running(dir.path, kept);
    const name = fc.constantFrom(
      'hold',
      'run',
      'write',
      'finish',
      'free',
      'room',
      'contact',
      'nothing',
      '__proto__',
    );
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([bytes, Buffer.from('\n')])),
      fc.json().map((text) => Buffer.from(`${text}\n`)),
      fc
        .record({ id: fc.oneof(fc.integer(), fc.string()), name, ask: fc.jsonValue() })
        .map((value) => Buffer.from(`${JSON.stringify(value)}\n`)),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        // An empty line is no word at all.
        fc.pre(bytes.toString().trim() !== '' && bytes[0] !== 10);
        const socket = await dial(dir.path);
        const closed = once(socket, 'close');
        socket.resume().write(bytes);
        await closed;
      }),
      { numRuns: 200 },
    );
    await writeFile(join(dir.path, 'go'), '');
    expect(await end).toMatchObject({ ended: 'exit', rc: 4 });
    await kept.quit();
  });

  it('opens to the next worker while the connection of one that hangs is still there', async () => {
    await using dir = await tempDir();
    const first = await house(dir.path);
    const { end } = await running(dir.path, first.kept);
    const second = await house(dir.path);
    await expect(end).rejects.toThrow(KeeperLost);
    await first.lost;
    await writeFile(join(dir.path, 'go'), '');
    const again = second.kept.find('7-1-00000000000000aa');
    expect(await again?.run(order(dir.path, 'echo never'), never)).toMatchObject({ ended: 'exit', rc: 4 });
    await second.kept.quit();
  });

  it('does not gather news for a worker that does not read', async () => {
    await using dir = await tempDir();
    const { kept } = await house(dir.path);
    await running(dir.path, kept, 'while :; do echo 0123456789; done');
    kept.leave();
    const deaf = await dial(dir.path);
    deaf.write(`${JSON.stringify({ id: 0, name: 'attach', ask: {} })}\n`);
    const pid = await pidOf(dir.path);
    const memory = async () =>
      Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
    // Garbage comes and goes between collections: the least of a second is what is really kept.
    const leastOfASecond = async () => {
      let least = Infinity;
      for (let sample = 0; sample < 10; sample += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        least = Math.min(least, await memory());
      }
      return least;
    };
    await leastOfASecond();
    const before = await leastOfASecond();
    await leastOfASecond();
    expect((await leastOfASecond()) - before).toBeLessThan(25);
    deaf.destroy();
    await (await house(dir.path)).kept.quit();
  });
});

describe('a keeper that cannot be', () => {
  it('is said with its reason, and its log stays small', async () => {
    await using dir = await tempDir();
    const { kept, lines, troubles } = await house(dir.path);
    const places = keeperPlaces(dir.path);
    // Nothing can be bound where a directory stands.
    await mkdir(places.socket);
    await writeFile(places.log, 'x'.repeat(100_000));
    const held = {
      key: 'k',
      dir: dir.path,
      builddir: 'b',
      marker: MARKER,
      uids: [],
      orphanAfter: null,
      secrets: {},
    };
    expect(await kept.hold(held)).toBeUndefined();
    expect(troubles).toEqual([
      expect.stringMatching(/its keeper does not start: .*ended with 1: .*keeper\.sock/),
    ]);
    expect(lines).toEqual(troubles);
    expect((await readFile(places.log)).length).toBeLessThan(10_000);
    kept.leave();
  });

  it('because it died is said with its last words', async () => {
    await using dir = await tempDir();
    const { kept, lines, lost } = await house(dir.path);
    await running(dir.path, kept);
    await writeFile(keeperPlaces(dir.path).log, 'keeper: Error: out of luck\n    at here\n', { flag: 'a' });
    process.kill(await pidOf(dir.path), 'SIGKILL');
    await lost;
    expect(lines.at(-1)).toMatch(/keeper of the commands has ended.*: keeper: Error: out of luck; at here$/);
    await endLeftovers(MARKER, { uids: [process.geteuid?.() ?? 0] });
    kept.leave();
  });

  it('since it is of another version is ended, and its builds are known to have gone with it', async () => {
    await using dir = await tempDir();
    await mkdir(keeperPlaces(dir.path).home, { recursive: true, mode: 0o700 });
    let asked = '';
    const server = createServer((socket) => {
      const line = createLine(socket, {
        onValue(value) {
          asked += `${(value as { name: string }).name} `;
          const builds = [{ build: { key: '7-1-00000000000000aa' }, unheard: [{}] }, 'of', null];
          const hello = { type: 'hello', version: 99, software: 'bbx 9', builds };
          if (asked === 'attach ') line.send({ notice: hello });
          else socket.end();
        },
        onEnd: () => undefined,
      });
    });
    server.listen(keeperPlaces(dir.path).socket);
    await once(server, 'listening');
    const { kept, lines } = await house(dir.path);
    expect([
      asked,
      kept.found,
      kept.wasEnded('7-1-00000000000000aa'),
      kept.wasEnded('8-1-00000000000000aa'),
    ]).toEqual(['attach quit ', [], true, false]);
    expect(lines).toEqual([
      expect.stringMatching(/\(bbx 9\) is of another version: it is ended, with 1 builds/),
    ]);
    server.close();
    kept.leave();
  });
});
