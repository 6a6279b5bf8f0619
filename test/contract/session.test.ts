import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandPort } from '../../src/build/command-port.ts';
import { createLinkMaster, isOver, logOf } from '../rigs/link-master.ts';
import { planOf, startLinkWorker } from '../rigs/link-worker.ts';

let dir: string;
beforeEach(async () => {
  // In memory where there is such a place: what is tested here is order, not the disk, and the spool syncs a lot.
  dir = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'bbx-session-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** What step `name` prints: not text, of odd sizes, different at every place. */
function output(name: string, bytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let size = 0, block = 0; size < bytes; size += 32, block += 1) {
    parts.push(createHash('sha256').update(`${name} ${block}`).digest());
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

const SIZES: Record<string, number> = { small: 700, big: 300_000, none: 0, last: 70_001 };

/** Prints `output` of the command's name in pieces of odd lengths, on both channels in turn, and gives 0. */
const printing: CommandPort = {
  async run(command, { onOutput }) {
    const name = command.kind === 'shell' ? String(command.command) : '';
    const bytes = output(name, SIZES[name] ?? 0);
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const length = 1 + ((turn * 7919) % 40_000);
      await onOutput(turn % 3 === 2 ? 'stderr' : 'stdout', bytes.subarray(at, at + length));
      at += length;
    }
    return { ended: 'exit', rc: 0, signal: null };
  },
};
const STEPS = ['small', 'big', 'none', 'last'];

function expectWhole(build: ReturnType<ReturnType<typeof createLinkMaster>['want']>): void {
  expect(build.events.map(({ type }) => type)).toEqual([
    'buildStarted',
    ...STEPS.flatMap(() => ['stepStarted', 'stepFinished']),
    'buildFinished',
  ]);
  for (const [step, name] of STEPS.entries()) {
    const log = logOf(build, step);
    const finished = build.events.find((event) => event.type === 'stepFinished' && event.step === step);
    const said = finished?.type === 'stepFinished' ? finished.logs[0] : undefined;
    expect(said).toEqual({
      name: 'stdio',
      bytes: log.length,
      sha256: createHash('sha256').update(log).digest('hex'),
    });
    expect(log.includes(output(name, SIZES[name] ?? 0))).toBe(true);
  }
  expect(build.events.at(-1)).toMatchObject({ results: 0 });
}

describe('a build over one session', () => {
  it('arrives whole, and the spool is empty afterwards', async () => {
    const master = createLinkMaster();
    await using worker = await startLinkWorker({ dir, dial: () => master.dial(), port: printing });
    const build = master.want(1, planOf(STEPS));
    await master.until(() => isOver(build), 'the end of the build');
    expectWhole(build);
    await expect.poll(() => readdir(dir)).toEqual([]);
    expect(worker.spool.used).toBe(0);
  });
});

describe('a build whose logs the master has no room for', () => {
  /** One piece in three, at its first coming. */
  function fullForPieces() {
    const seen = new Set<string>();
    let refused = 0;
    return {
      get refused() {
        return refused;
      },
      noRoomFor({ build, step, offset }: { build: number; step: number; offset: number }) {
        const name = `${build}/${step}/${offset}`;
        const isFirst = !seen.has(name);
        seen.add(name);
        if (!isFirst || seen.size % 3 !== 1) return false;
        refused += 1;
        return true;
      },
    };
  }

  it('arrives whole, every byte once, and frees the spool', async () => {
    const disk = fullForPieces();
    const master = createLinkMaster({ noRoomFor: disk.noRoomFor, storeMs: 1 });
    await using worker = await startLinkWorker({ dir, dial: () => master.dial(), port: printing });
    const builds = [1, 2].map((number) => master.want(number, { ...planOf(STEPS), builddir: `b${number}` }));
    await master.until(() => builds.every(isOver), 'the end of the builds');
    for (const build of builds) expectWhole(build);
    expect(disk.refused).toBeGreaterThan(4);
    expect(master.sessions).toBe(1);
    await expect.poll(() => worker.spool.used).toBe(0);
  });

  it('arrives whole when every session is cut after some messages as well', async () => {
    const disk = fullForPieces();
    const master = createLinkMaster({ noRoomFor: disk.noRoomFor, storeMs: 1 });
    master.onWire = (theirs, _ours, number) => {
      theirs.cutAfter = 6 + number;
    };
    await using _worker = await startLinkWorker({ dir, dial: () => master.dial(), port: printing });
    const build = master.want(1, planOf(STEPS));
    await master.until(() => isOver(build), 'the end of the build', 30_000);
    expectWhole(build);
    expect(disk.refused).toBeGreaterThan(2);
    expect(master.sessions).toBeGreaterThan(1);
  }, 40_000);

  it('goes on with another build meanwhile, while the log that is held up rests', async () => {
    let room = false;
    const asked: string[] = [];
    const master = createLinkMaster({
      noRoomFor({ build, step, offset }) {
        if (build === 2 || room) return false;
        asked.push(`${step} from ${offset}`);
        return true;
      },
    });
    // It goes on when there is room, not after some milliseconds.
    const proceed: (() => void)[] = [];
    master.onPause = (goOn) => void proceed.push(goOn);
    await using worker = await startLinkWorker({ dir, dial: () => master.dial(), port: printing });
    const held = master.want(1, { ...planOf(STEPS), builddir: 'b1' });
    await master.until(() => asked.length > 0, 'a log is held up');
    const free = master.want(2, { ...planOf(STEPS), builddir: 'b2' });
    await master.until(() => isOver(free), 'the end of the other build');
    expectWhole(free);
    expect(isOver(held)).toBe(false);
    // What was on the way of the next step may have come as well; nothing came twice.
    expect(['0 from 0', '1 from 0'].slice(0, asked.length)).toEqual(asked);
    room = true;
    for (const goOn of proceed) goOn();
    await master.until(() => isOver(held), 'the end of the build that was held up');
    expectWhole(held);
    expect(master.sessions).toBe(1);
    await expect.poll(() => worker.spool.used).toBe(0);
  });
});

describe('a build whose session is cut', () => {
  /** How many messages each side sends for the whole build. */
  async function count(): Promise<[number, number]> {
    const master = createLinkMaster();
    await using _worker = await startLinkWorker({
      dir: join(dir, 'count'),
      dial: () => master.dial(),
      port: printing,
    });
    const build = master.want(1, planOf(STEPS));
    await master.until(() => isOver(build), 'the end of the build');
    const [theirs, ours] = master.wires[0]!;
    return [theirs.sent.length, ours.sent.length];
  }

  it.each(['worker', 'master'] as const)(
    'arrives whole wherever the cut is among the messages of the %s',
    async (side) => {
      const [workers, masters] = await count();
      const messages = side === 'worker' ? workers : masters;
      expect(messages).toBeGreaterThan(8);
      const cuts = Array.from({ length: messages + 1 }, (_, cut) => cut);
      const one = async (cut: number) => {
        const master = createLinkMaster({ storeMs: cut % 2 });
        master.onWire = (theirs, ours, number) => {
          if (number === 1) (side === 'worker' ? theirs : ours).cutAfter = cut;
        };
        const place = join(dir, `${cut}`);
        await using worker = await startLinkWorker({ dir: place, dial: () => master.dial(), port: printing });
        const build = master.want(1, planOf(STEPS));
        await master.until(() => isOver(build), `the build, cut after ${cut} messages of the ${side}`);
        expectWhole(build);
        await expect.poll(() => worker.jobs.all.length).toBe(0);
      };
      while (cuts.length > 0) await Promise.all(cuts.splice(0, 8).map(one));
    },
    60_000,
  );

  it('arrives whole when every session is cut after some messages', async () => {
    const master = createLinkMaster({ storeMs: 1 });
    master.onWire = (theirs, _ours, number) => {
      theirs.cutAfter = 6 + number;
    };
    await using worker = await startLinkWorker({ dir, dial: () => master.dial(), port: printing });
    const builds = [1, 2, 3].map((number) =>
      master.want(number, { ...planOf(STEPS), builddir: `b${number}` }),
    );
    await master.until(() => builds.every(isOver), 'the end of all builds', 30_000);
    for (const build of builds) expectWhole(build);
    await expect.poll(() => worker.jobs.all.length).toBe(0);
    expect(master.sessions).toBeGreaterThan(3);
  }, 40_000);
});
