import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createSteadyClock } from '../../src/base/steady-clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { lookUpIdentity } from '../../src/exec/identity.ts';
import { findProcesses } from '../../src/exec/processes.ts';
import { openKeptBuilds, type KeptBuild } from '../../src/runtime/worker/keeper/kept-builds.ts';
import type { HeldBuild } from '../../src/runtime/worker/keeper/messages.ts';
import { keeperPlaces } from '../../src/runtime/worker/keeper/socket.ts';
import { openSpool } from '../../src/runtime/worker/spool.ts';
import { planOf } from '../rigs/link-worker.ts';
import { skipAloud, wantOfRoot } from '../rigs/skip-aloud.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const lease = { build: 7, token: '1-00000000000000aa', epoch: 'e1', orphanAfter: null, plan: planOf(['a']) };
const key = '7-1-00000000000000aa';
const never = new AbortController().signal;

/** What one worker process has of a directory: its keeper and its spool. */
async function worker(dir: string) {
  const common = { clock: createSteadyClock(systemClock), log: silentLog };
  await mkdir(keeperPlaces(dir).home, { recursive: true, mode: 0o700 });
  const kept = await openKeptBuilds({ dir, software: 'test', ...common });
  const spool = await openSpool({ dir: join(dir, 'spool'), limitBytes: 1 << 24, ...common, kept: kept.find });
  kept.watch({
    lost: () => undefined,
    spool: spool.keeperSaid,
    silentMs: () => 0,
    trouble: spool.keeperTrouble,
    room: () => ({ limit: spool.limit, other: spool.other }),
  });
  return { kept, spool };
}

const held = (dir: string, secrets = {}): HeldBuild => ({
  key,
  dir: join(dir, 'spool', key),
  builddir: 'b',
  marker: `keeper-test-${process.pid}/b`,
  uids: [process.geteuid?.() ?? 0],
  orphanAfter: null,
  secrets,
});

const order = (dir: string, script: string) => ({
  step: 0,
  log: { id: 0, name: 'stdio' },
  command: ['/bin/sh', '-c', script],
  cwd: dir,
  env: { PATH: process.env['PATH'] ?? '' },
  marker: `keeper-test-${process.pid}/b/step-0`,
  inheritedMarker: undefined,
  scratch: dir,
  identity: null,
  timeoutMs: null,
  maxTimeMs: null,
  sigtermTimeMs: 500,
});

async function begun(dir: string, secrets = {}) {
  const { kept, spool } = await worker(dir);
  const build = await spool.create(lease);
  const keeper = (await kept.hold(held(dir, secrets))) as KeptBuild;
  expect(keeper).toBeDefined();
  build.keepBy(keeper);
  return { kept, spool, build, keeper };
}

describe('the keeper of a worker’s directory', () => {
  it.each(['short', 'x'.repeat(120)])(
    'is found again at a path with %s in it, by its user alone',
    async (name) => {
      await using temp = await tempDir();
      const dir = join(temp.path, name);
      const first = await begun(dir, { token: 'correct-horse' });
      const log = first.build.journal.log(0, 'stdio');
      await log.write('header', Buffer.from('$ command\n'));
      const run = first.keeper.run(
        order(dir, 'echo correct-horse; while [ ! -e back ]; do sleep 0.05; done; echo end >&2; exit 3'),
        never,
      );
      run.catch(() => undefined);
      await until('the first line', () => (first.build.logs[0]?.size ?? 0) > 10);
      expect((await stat(keeperPlaces(dir).socket)).mode & 0o777).toBe(0o600);
      first.kept.leave();
      await expect(run).rejects.toThrow();
      await first.spool.close();

      const second = await worker(dir);
      const build = second.spool.builds[0];
      const keeper = second.kept.find(key);
      await writeFile(join(dir, 'back'), '');
      expect(keeper?.former?.secrets.get('token')?.reveal()).toBe('correct-horse');
      const again = build?.journal.log(0, 'stdio');
      await again?.write('header', Buffer.from('$ command\n'));
      // The words of the order do not count any more: it runs already.
      const end = await keeper?.run(order(dir, 'echo wrong'), never);
      expect(end).toMatchObject({ ended: 'exit', rc: 3 });
      const { ended, rc, tookMs } = end ?? {};
      expect(tookMs).toBeGreaterThan(0);
      expect(await keeper?.run(order(dir, 'echo wrong'), never)).toMatchObject({ ended, rc, tookMs });
      const finished = await again?.finish();
      const pieces: string[] = [];
      for await (const { channel, payload } of build?.logs[0]?.read(0) ?? [])
        pieces.push(`${channel} ${Buffer.from(payload).toString()}`);
      expect(pieces).toEqual([
        'header $ command\n',
        'stdout ***\n',
        expect.stringMatching(
          /^header bbx: the worker's process was gone for \d+\.\d s; the command went on\n$/,
        ),
        'stderr end\n',
      ]);
      expect(finished?.bytes).toBe(build?.logs[0]?.size);
      await second.kept.quit();
      await second.spool.close();
      await expect(stat(keeperPlaces(dir).socket)).rejects.toThrow(/ENOENT/);
    },
  );

  it.skipIf(skipAloud('keepers and other users', wantOfRoot))(
    'goes on with the command of another user, which the next worker can still end',
    async () => {
      await using temp = await tempDir();
      const nobody = await lookUpIdentity('nobody');
      await chmod(temp.path, 0o711);
      const place = join(temp.path, 'place');
      await mkdir(place);
      await chown(place, nobody.uid, nobody.gid);
      const first = await begun(temp.path);
      const script = 'id -un; while :; do sleep 0.05; done';
      const asNobody = { ...order(temp.path, script), cwd: place, scratch: place, identity: nobody };
      first.build.journal.log(0, 'stdio');
      first.keeper.run(asNobody, never).catch(() => undefined);
      await until('the first line', () => (first.build.logs[0]?.size ?? 0) > 0);
      first.kept.leave();
      await first.spool.close();

      const second = await worker(temp.path);
      const uids = [0, nobody.uid];
      const left = () => findProcesses({ marker: `keeper-test-${process.pid}/b`, uids }).length;
      expect(left()).toBeGreaterThan(0);
      const cancel = new AbortController();
      const run = second.kept.find(key)?.run(asNobody, cancel.signal);
      cancel.abort();
      expect(await run).toMatchObject({ ended: 'cancelled', alive: [] });
      expect(left()).toBe(0);
      const pieces: string[] = [];
      for await (const { channel, payload } of second.spool.builds[0]?.logs[0]?.read(0) ?? [])
        if (channel === 'stdout') pieces.push(Buffer.from(payload).toString());
      expect(pieces).toEqual(['nobody\n']);
      await second.kept.quit();
      await second.spool.close();
    },
  );

  it('writes the last words of a log whose order says so, once, also for the next worker, and tells the whole of it', async () => {
    await using dir = await tempDir();
    const script = 'echo out; echo err >&2; exit 3';
    const told = { ...order(dir.path, script), timeoutMs: 60_000, tellsEnd: true };
    const first = await begun(dir.path, { rc: 'code 3' });
    const log = first.build.journal.log(0, 'stdio');
    await log.write('header', Buffer.from('$ command\n'));
    expect(await first.keeper.run(told, never)).toMatchObject({ ended: 'exit', rc: 3, told: true });
    const before = await log.finish();
    expect(first.build.logs[0]?.size).toBe(before.bytes);
    // What is said behind that is part of the whole.
    await log.write('header', Buffer.from('more\n'));
    const whole = await log.finish();
    expect(whole.bytes).toBe(before.bytes + 'more\n'.length);
    first.kept.leave();
    await first.spool.close();

    const second = await worker(dir.path);
    const again = second.spool.builds[0]?.journal.log(0, 'stdio');
    await again?.write('header', Buffer.from('$ command\n'));
    expect(await second.kept.find(key)?.run(told, never)).toMatchObject({ rc: 3, told: true });
    await again?.write('header', Buffer.from('more\n'));
    expect(await again?.finish()).toEqual(whole);
    const hash = createHash('sha256');
    const words: string[] = [];
    for await (const { channel, payload } of second.spool.builds[0]?.logs[0]?.read(0) ?? []) {
      hash.update(payload);
      words.push(`${channel} ${Buffer.from(payload).toString()}`);
    }
    expect(words.toSorted()).toEqual([
      'header $ command\n',
      // Words of ours are masked as the command's are.
      expect.stringMatching(/^header exit \*\*\* after \d\.\d s\n$/),
      'header more\n',
      'stderr err\n',
      'stdout out\n',
    ]);
    expect(hash.digest('hex')).toBe(whole.sha256);
    await second.kept.quit();
    await second.spool.close();
  });

  it('is heard by a worker that has not read its spool yet', async () => {
    await using dir = await tempDir();
    const told = { ...order(dir.path, 'until [ -e back ]; do sleep 0.02; done; echo end'), tellsEnd: true };
    const first = await begun(dir.path);
    await first.build.journal.log(0, 'stdio').write('header', Buffer.from('$ command\n'));
    first.keeper.run(told, never).catch(() => undefined);
    await until('the first line', () => (first.build.logs[0]?.size ?? 0) > 0);
    first.kept.leave();
    await first.spool.close();

    const common = { clock: createSteadyClock(systemClock), log: silentLog };
    const kept = await openKeptBuilds({ dir: dir.path, software: 'test', ...common });
    await writeFile(join(dir.path, 'back'), '');
    expect(await kept.find(key)?.run(told, never)).toMatchObject({ rc: 0, told: true });
    const place = { dir: join(dir.path, 'spool'), limitBytes: 1 << 24 };
    const spool = await openSpool({ ...place, ...common, kept: kept.find });
    const log = spool.builds[0]?.logs[0];
    let bytes = 0;
    for await (const { payload } of log?.read(0) ?? []) bytes += payload.length;
    expect((await log?.finish())?.bytes).toBe(bytes);
    await kept.quit();
    await spool.close();
  });

  it.each([
    [{ timeoutMs: 50 }, 'sleep 60', /^timed out, 50ms without output: command ended after \d\.\d s\n$/],
    [{ command: ['/nowhere/program'] }, '', /^cannot start: .*ENOENT[^]*the command was not started\n$/],
  ])('writes last words for each end: %o', async (change, script, words) => {
    await using dir = await tempDir();
    const { kept, spool, build, keeper } = await begun(dir.path);
    const log = build.journal.log(0, 'stdio');
    await keeper.run({ ...order(dir.path, script), tellsEnd: true, ...change }, never);
    const { bytes } = await log.finish();
    let text = '';
    for await (const { payload } of build.logs[0]?.read(0) ?? []) text += Buffer.from(payload).toString();
    expect(text).toMatch(words);
    expect(bytes).toBe(text.length);
    await kept.quit();
    await spool.close();
  });

  it('ends a command that is cancelled, and gives all of a build’s room back with it', async () => {
    await using dir = await tempDir();
    const { kept, spool, build, keeper } = await begun(dir.path);
    const log = build.journal.log(0, 'stdio');
    await log.write('header', Buffer.from('x'.repeat(100_000)));
    const cancel = new AbortController();
    const run = keeper.run(order(dir.path, 'sleep 60'), cancel.signal);
    cancel.abort();
    expect(await run).toMatchObject({ ended: 'cancelled' });
    await until('the room to be counted', () => spool.used > 100_000);
    await spool.remove(build);
    await until('the room to be given back', () => spool.used === 0);
    await kept.quit();
    await spool.close();
  });
});
