import { existsSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import { createSteadyClock } from '../../../../../src/base/steady-clock.ts';
import { findProcesses } from '../../../../../src/exec/processes.ts';
import { createKeeperCore } from '../../../../../src/runtime/worker/keeper/core.ts';
import type { Notice } from '../../../../../src/runtime/worker/keeper/messages.ts';
import { segmentName } from '../../../../../src/runtime/worker/spool-piece.ts';
import { tempDir } from '../../../../rigs/temp-dir.ts';
import { until } from '../../../../rigs/wait.ts';

/** A build that may go on for `orphanAfter` seconds without its master. */
const held = (key: string, orphanAfter: number) => ({
  key,
  dir: `/nowhere/${key}`,
  builddir: '/nowhere/build',
  marker: `keeper-core-test/${key}`,
  uids: [],
  orphanAfter,
  secrets: {},
});

/** The command of the build's first step. */
const orderOf = (cwd: string, script: string) => ({
  ...{ key: '1-a', step: 0, log: { id: 0, name: 'stdio' }, cwd },
  command: ['/bin/sh', '-c', script],
  env: { PATH: process.env['PATH'] ?? '' },
  marker: 'keeper-core-test/1-a',
  ...{ inheritedMarker: undefined, scratch: undefined, identity: null },
  ...{ timeoutMs: null, maxTimeMs: null, sigtermTimeMs: 1_000 },
});

describe('a keeper whose worker is there', () => {
  it('does not end a new build because its master was last heard before a long rest', async () => {
    let now = 0;
    const clock = createSteadyClock({ wall: () => now / 1_000, monotonic: () => now });
    const keeper = createKeeperCore({ version: 1, clock });
    keeper.attach(() => undefined, 'test');
    now = 3_600_000;
    await keeper.handle('hold', { build: held('1-a', 300) });
    let hello: Notice | undefined;
    keeper.attach((notice) => (hello ??= notice), 'test');
    expect(hello).toMatchObject({ type: 'hello', builds: [{ orphaned: false }] });

    now += 400_000;
    await keeper.handle('contact', { ageMs: 350_000 });
    keeper.attach((notice) => (hello = notice.type === 'hello' ? notice : hello), 'test');
    expect(hello).toMatchObject({ builds: [{ orphaned: true }] });
    await keeper.stop();
  });
});

describe('the clock of a keeper', () => {
  it('goes by its worker’s while it holds nothing, and is told to the next one', async () => {
    let now = 0;
    const clock = createSteadyClock({ wall: () => 1_000 + now / 1_000, monotonic: () => now });
    const keeper = createKeeperCore({ version: 1, clock });
    const walls: (number | undefined)[] = [];
    const tell = (notice: Notice) => void (notice.type === 'hello' && walls.push(notice.wall));
    keeper.attach(tell, 'test', { wall: 4_600 });
    await keeper.handle('hold', { build: held('1-a', 300) });
    now = 2_000;
    keeper.attach(tell, 'test', { wall: 9_000 });
    expect(walls).toEqual([4_600, 4_602]);
    await keeper.stop();
  });
});

describe('a command that ended while no worker was there', () => {
  it('is told with how long it ran, and how long ago it ended', async () => {
    await using dir = await tempDir();
    let now = 0;
    const clock = createSteadyClock({ wall: () => now / 1_000, monotonic: () => now });
    const keeper = createKeeperCore({ version: 1, clock });
    keeper.attach(() => undefined, 'test');
    await keeper.handle('hold', { build: { ...held('1-a', 300), dir: dir.path } });
    const order = orderOf(dir.path, ': > begun; until [ -e gate ]; do sleep 0.02; done');
    const first = keeper.handle('run', order);
    keeper.detach();
    await until('the command to run', () => existsSync(join(dir.path, 'begun')));
    now = 8_200;
    await writeFile(join(dir.path, 'gate'), '');
    await first;
    now = 70_000;
    keeper.attach(() => undefined, 'test');
    expect(await keeper.handle('run', order)).toMatchObject({ ended: 'exit', tookMs: 8_200, agoMs: 61_800 });
    await keeper.stop();
  });
});

describe('a build that a keeper ends although its worker is there', () => {
  it('is told to the worker before its command ends', async () => {
    await using dir = await tempDir();
    let now = 0;
    const keeper = createKeeperCore({
      version: 1,
      clock: createSteadyClock({ wall: () => now / 1_000, monotonic: () => now }),
    });
    const told: string[] = [];
    keeper.attach(({ type }) => told.push(type), 'test');
    await keeper.handle('hold', { build: { ...held('1-a', 300), dir: dir.path } });
    const run = keeper.handle('run', orderOf(dir.path, 'sleep 60'));
    const ended = run.then(({ ended: how }) => told.push(how));
    now = 400_000;
    await keeper.handle('contact', { ageMs: 350_000 });
    await ended;
    expect(told.filter((word) => word === 'orphaned' || word === 'cancelled')).toEqual([
      'orphaned',
      'cancelled',
    ]);
    await keeper.stop();
  });

  it.each([
    ['the last words of its log', 'sleep 60'],
    ['its output', 'yes'],
  ])('has all that it left running ended although there is no room for %s', async (_, command) => {
    await using dir = await tempDir();
    let now = 0;
    const keeper = createKeeperCore({
      version: 1,
      clock: createSteadyClock({ wall: () => now / 1_000, monotonic: () => now }),
    });
    let isHeldUp = false;
    keeper.attach((notice) => (isHeldUp ||= notice.type === 'spool' && notice.waiting > 0), 'test');
    const marker = `keeper-core-test/${process.pid}-room-${command.length}`;
    const uids = [process.geteuid?.() ?? 0];
    await keeper.handle('hold', { build: { ...held('1-a', 300), dir: dir.path, marker, uids } });
    const run = (step: number, script: string) =>
      keeper.handle('run', {
        ...orderOf(dir.path, script),
        ...{ step, log: { id: step, name: 'stdio' }, marker: `${marker}/step-${step}`, tellsEnd: true },
      });
    const left = () => findProcesses({ marker, uids });
    await run(0, 'setsid sleep 60 >/dev/null 2>&1 </dev/null &');
    expect(left()).toHaveLength(1);
    const second = run(1, `: > begun; until [ -e go ]; do sleep 0.02; done; ${command}`);
    second.catch(() => undefined);
    await until('the second step to run', () => existsSync(join(dir.path, 'begun')));
    await keeper.handle('room', { limit: 1, other: 0 });
    await writeFile(join(dir.path, 'go'), '');
    if (command === 'yes') await until('its output to be held up', () => isHeldUp);
    now = 400_000;
    await keeper.handle('contact', { ageMs: 350_000 });
    await until('all to be ended', () => left().length === 0);
    await keeper.stop();
    await expect(second).rejects.toThrow(/stopping/);
  });
});

describe('a command that has ended while its output waits', () => {
  const system = { version: 1, clock: createSteadyClock(systemClock) };

  it('counts as running: a keeper without a worker stays for it', async () => {
    await using dir = await tempDir();
    const keeper = createKeeperCore(system);
    const marker = `keeper-core-test/${process.pid}-waits`;
    const uids = [process.geteuid?.() ?? 0];
    await keeper.handle('hold', { build: { ...held('1-a', 300), dir: dir.path, marker, uids } });
    await keeper.handle('room', { limit: 1, other: 0 });
    const end = keeper.handle('run', { ...orderOf(dir.path, 'echo; : > ended'), marker, tellsEnd: true });
    await until(
      'it to end',
      () => existsSync(join(dir.path, 'ended')) && findProcesses({ marker, uids }).length === 0,
    );
    // Whatever its end makes this process do is done in some turns.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setImmediate(next));
    expect(keeper.running).toBe(1);
    await keeper.handle('room', { limit: 1_000_000, other: 0 });
    expect(await end).toMatchObject({ rc: 0 });
    expect(keeper.running).toBe(0);
    await keeper.stop();
  });

  it('is let go with its build, on a full disk too', async () => {
    await using dir = await tempDir();
    const keeper = createKeeperCore(system);
    let said: (Notice & { type: 'spool' }) | undefined;
    keeper.attach((notice) => void (notice.type === 'spool' && (said = notice)), 'test');
    await symlink('/dev/full', join(dir.path, segmentName(0, 0)));
    await keeper.handle('hold', { build: { ...held('1-a', 300), dir: dir.path } });
    const end = keeper.handle('run', orderOf(dir.path, 'echo'));
    end.catch(() => undefined);
    await until('the disk to be full', () => said?.fullDisk !== undefined);
    await keeper.handle('release', { key: '1-a' });
    await expect(end).rejects.toThrow(/forgotten/);
    expect(keeper.builds).toBe(0);
    await until('nobody to wait for the disk', () => said?.fullDisk === undefined);
    expect(said?.own).toBe(0);
    await keeper.stop();
  });

  it('does not count as running once its build is an orphan: nobody wants the rest', async () => {
    await using dir = await tempDir();
    let now = 0;
    const keeper = createKeeperCore({
      version: 1,
      clock: createSteadyClock({ wall: () => now / 1_000, monotonic: () => now }),
    });
    let isHeldUp = false;
    keeper.attach((notice) => (isHeldUp ||= notice.type === 'spool' && notice.waiting > 0), 'test');
    const marker = `keeper-core-test/${process.pid}-rest`;
    const uids = [process.geteuid?.() ?? 0];
    await keeper.handle('hold', { build: { ...held('1-a', 300), dir: dir.path, marker, uids } });
    await keeper.handle('room', { limit: 1, other: 0 });
    const end = keeper.handle('run', { ...orderOf(dir.path, 'echo'), marker, tellsEnd: true });
    end.catch(() => undefined);
    await until('its last words to wait', () => isHeldUp);
    expect(keeper.running).toBe(1);
    now = 400_000;
    await keeper.handle('contact', { ageMs: 400_000 });
    await until('nothing to run', () => keeper.running === 0);
    await keeper.stop();
    await expect(end).rejects.toThrow(/stopping/);
  });
});
