import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, readdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { endInterrupted } from '../../src/runtime/worker/jobs-interrupted.ts';
import { retried } from '../../src/runtime/worker/spool-file.ts';
import type { SpoolLog } from '../../src/runtime/worker/spool-log.ts';
import { decodeRecord, encodeRecord } from '../../src/runtime/worker/spool-record.ts';
import { openSpool } from '../../src/runtime/worker/spool.ts';
import { planOf } from '../rigs/link-worker.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const lease = { build: 7, token: '1-00000000000000aa', epoch: 'e1', orphanAfter: null, plan: planOf(['a']) };
const MIB = 1024 * 1024;
const open = (dir: string, limitBytes = 64 * MIB) =>
  openSpool({ dir, limitBytes, clock: systemClock, log: silentLog });

async function contents(log: SpoolLog, from = 0): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const piece of log.read(from)) parts.push(Buffer.from(piece.payload));
  return Buffer.concat(parts);
}
const counted = (from: number, length: number) =>
  Buffer.from(Uint8Array.from({ length }, (_, n) => (from + n) % 251));

describe('a record', () => {
  it('comes back, and every changed bit is noticed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), (content, bit) => {
        const record = encodeRecord(content);
        const back = decodeRecord(record, 0);
        expect(typeof back === 'string' ? back : Buffer.from(back.content)).toEqual(Buffer.from(content));
        const at = bit % (record.length * 8);
        record[at >> 3]! ^= 1 << (at & 7);
        expect(typeof decodeRecord(record, 0)).toBe('string');
      }),
    );
  });
});

describe('a spool', () => {
  it('gives a log back from any byte on, with channels, over many files', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    const log = build.journal.log(0, 'stdio');
    const whole = counted(0, 9 * MIB + 17);
    for (let at = 0, turn = 0; at < whole.length; turn += 1) {
      const piece = whole.subarray(at, at + 1 + ((turn * 7_919) % 300_000));
      await log.write(turn % 2 === 0 ? 'stdout' : 'stderr', piece);
      at += piece.length;
    }
    const end = await log.finish();
    expect(end).toEqual({ bytes: whole.length, sha256: createHash('sha256').update(whole).digest('hex') });
    expect((await readdir(build.dir)).filter((name) => name.startsWith('log-')).length).toBeGreaterThan(2);
    for (const from of [0, 1, 65_535, 65_536, 4 * MIB, 4 * MIB + 1, whole.length - 1, whole.length]) {
      expect((await contents(build.logs[0]!, from)).equals(whole.subarray(from))).toBe(true);
    }
    await spool.close();
  });

  it('counts at a log’s end all that was given to it before, also what nobody waited for', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    const log = build.journal.log(0, 'stdio');
    const whole = counted(0, 3 * MIB);
    for (let at = 0; at < whole.length; at += 60_000)
      void log.write('stdout', whole.subarray(at, at + 60_000));
    const sha256 = createHash('sha256').update(whole).digest('hex');
    expect(await log.finish()).toEqual({ bytes: whole.length, sha256 });
    await spool.close();
  });

  it('frees what is acknowledged, and all of a build that is removed', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    const log = build.journal.log(0, 'stdio');
    await log.write('stdout', counted(0, 10 * MIB));
    const before = spool.used;
    await build.acknowledge({ logs: [{ id: 0, bytes: 9 * MIB }] });
    expect(spool.used).toBeLessThan(before - 7 * MIB);
    expect((await contents(build.logs[0]!, 9 * MIB)).equals(counted(9 * MIB, MIB))).toBe(true);
    await expect(contents(build.logs[0]!, 0)).rejects.toThrow(/byte 0 .* is not in the spool/);
    await spool.remove(build);
    expect(spool.used).toBe(0);
    expect(await readdir(dir.path)).toEqual([]);
    await spool.close();
  });

  it('over its limit holds the writer up, says so in the log, and loses nothing', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path, 2 * MIB);
    let notes = 0;
    spool.onNote(() => (notes += 1));
    const build = await spool.create(lease);
    const log = build.journal.log(0, 'stdio');
    let done = false;
    const writing = log.write('stdout', counted(0, 6 * MIB));
    void Promise.resolve(writing).then(() => (done = true));
    const [own] = build.logs;
    const stdout: Buffer[] = [];
    let header = '';
    let at = 0;
    let mostUsed = 0;
    while (!done || at < own!.size) {
      for await (const piece of own!.read(at)) {
        if (piece.channel === 'header') header += Buffer.from(piece.payload).toString();
        else stdout.push(Buffer.from(piece.payload));
        at = piece.offset + piece.payload.length;
      }
      mostUsed = Math.max(mostUsed, spool.used);
      expect(done && at < own!.size).toBe(false);
      await build.acknowledge({ logs: [{ id: 0, bytes: at }] });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(Buffer.concat(stdout).equals(counted(0, 6 * MIB))).toBe(true);
    expect(header).toBe(
      "bbx: output is held up: the worker's spool is full (2 MiB) and the master has not stored it yet\n",
    );
    expect(mostUsed).toBeLessThan(2 * MIB + 1_000);
    expect(notes).toBeGreaterThan(0);
    await spool.close();
  });

  it('gives back exactly what it took, also when a build is removed while its logs are being freed', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const other = await spool.create({ ...lease, build: 8 });
    const used = spool.used;
    const build = await spool.create(lease);
    for (const name of ['one', 'two', 'three']) {
      await build.journal.log(0, name).write('stdout', counted(0, 9 * MIB));
    }
    const logs = [0, 1, 2].map((id) => ({ id, bytes: 9 * MIB }));
    await Promise.all([build.acknowledge({ logs }).catch(() => undefined), spool.remove(build)]);
    expect(spool.used).toBe(used);
    await spool.remove(other);
    expect(spool.used).toBe(0);
    await spool.close();
  });

  it('is not filled by what is set aside', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    await build.journal.log(0, 'stdio').write('stdout', counted(0, MIB));
    await spool.setAside(build);
    expect(spool.used).toBe(0);
    await spool.close();
  });

  it('lets a writer that waits for room fail when the worker stops', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path, MIB);
    const build = await spool.create(lease);
    const writing = build.journal.log(0, 'stdio').write('stdout', counted(0, 3 * MIB));
    const failed = expect(writing).rejects.toThrow('the worker is stopping');
    await expect.poll(() => spool.notes()[0]).toMatch(/the spool is full/);
    await spool.close();
    await failed;
  });

  it('lets a writer fail that is about to say that it waits, and nobody else', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path, MIB);
    const build = await spool.create(lease);
    let closing: Promise<void> | undefined;
    // In the very turn in which the writer begins to wait: its words about that are not yet written then.
    spool.onNote(() => (closing ??= spool.close()));
    const uncaught: unknown[] = [];
    const onUncaught = (error: unknown) => void uncaught.push(error);
    process.on('unhandledRejection', onUncaught);
    try {
      const writing = build.journal.log(0, 'stdio').write('stdout', counted(0, 3 * MIB));
      await expect(writing).rejects.toThrow('the worker is stopping');
      await closing;
      expect(uncaught).toEqual([]);
    } finally {
      process.off('unhandledRejection', onUncaught);
    }
  });

  it('waits and tries again while the disk is full, and for nothing else', async () => {
    let tries = 0;
    let over = 0;
    const disk = { wait: () => Promise.resolve(), over: () => void (over += 1) };
    const act = () => {
      tries += 1;
      return tries < 4
        ? Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
        : Promise.resolve(tries);
    };
    expect(await retried(disk, act)).toBe(4);
    expect(over).toBe(1);
    const broken = () => Promise.reject(Object.assign(new Error('I/O'), { code: 'EIO' }));
    await expect(retried(disk, broken)).rejects.toThrow('I/O');
  });

  it('says when it is full, and when it is so no more', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path, MIB);
    const said: string[] = [];
    spool.onNote(() => void said.push(spool.notes().join()));
    const build = await spool.create(lease);
    const log = build.journal.log(0, 'stdio');
    const written = Promise.resolve(log.write('stdout', counted(0, 2 * MIB)));
    await expect.poll(() => said.length).toBe(1);
    expect(said[0]).toMatch(/the spool is full .*; 1 steps are held up/);
    while (build.logs[0]!.size < 2 * MIB) {
      await build.acknowledge({ logs: [{ id: 0, bytes: build.logs[0]!.size }] });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await written;
    await expect.poll(() => said, { timeout: 5_000 }).toHaveLength(2);
    expect(said[1]).toBe('');
    await spool.close();
  });

  it('refuses a build on a full disk, at once, and leaves nothing of it', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const place = join(dir.path, `${lease.build}-${lease.token}`);
    await mkdir(place);
    await symlink('/dev/full', join(place, 'lease.json'));
    await expect(spool.create(lease)).rejects.toThrow(/ENOSPC/);
    expect(await readdir(dir.path)).toEqual([]);
    expect(spool.used).toBe(0);
    await spool.close();
  });

  it('waits for a full disk only while somebody wants the build', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    await symlink('/dev/full', join(build.dir, 'log-0-0'));
    const written = Promise.resolve(build.journal.log(0, 'stdio').write('stdout', counted(0, 10)));
    const outcome = written.catch((error: Error) => error.message);
    await expect.poll(() => spool.notes().join()).toMatch(/disk of the spool is full/);
    build.giveUp(new Error('nobody wants it'));
    expect(await outcome).toBe('nobody wants it');
    await spool.remove(build);
    expect(await readdir(dir.path)).toEqual([]);
    // What was never written takes no room, and nobody is said to wait for the disk.
    expect(spool.used).toBe(0);
    await expect.poll(() => spool.notes().join(), { timeout: 10_000 }).toBe('');
    await spool.close();
  });

  it('frees what is acknowledged while the disk is full: that may be the room', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    const log = build.journal.log(0, 'stdio');
    await log.write('stdout', counted(0, 10));
    const [kept] = build.logs;
    while (kept!.fileBytes < 4 * MIB) await log.write('stdout', counted(kept!.size, 65_536));
    await symlink('/dev/full', join(build.dir, `log-0-${kept!.size}`));
    const written = Promise.resolve(log.write('stdout', counted(0, 10))).catch(() => undefined);
    await expect.poll(() => spool.notes().join()).toMatch(/disk of the spool is full/);
    await build.acknowledge({ logs: [{ id: 0, bytes: kept!.size }] });
    expect(existsSync(join(build.dir, 'log-0-0'))).toBe(false);
    build.giveUp(new Error('nobody wants it'));
    await written;
    await spool.close();
  });

  it('sets builds of another epoch aside', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create({ ...lease, epoch: '../../e/0' });
    const place = await spool.setAside(build);
    expect(place).toBe(join(dir.path, 'old-______e_0', '7-1-00000000000000aa'));
    expect(spool.builds).toEqual([]);
    await spool.close();
    const again = await open(dir.path);
    expect(again.builds).toEqual([]);
    expect(again.notes()[0]).toContain('spool/old-______e_0');
    await again.close();
  });
});

describe('after a crash', () => {
  it('of the machine, what a step’s end promises and the disk has not kept is said', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    await build.journal.event({ type: 'buildStarted', at: 1, workdir: '/b' });
    await build.journal.event({ type: 'stepStarted', at: 1, step: 0, name: 'a' });
    const log = build.journal.log(0, 'stdio');
    await log.write('stdout', counted(0, 1_000));
    await log.write('stdout', counted(0, 1_000));
    const logs = [{ name: 'stdio', ...(await log.finish()) }];
    const rest = { results: 0, state: 'finished', rc: 0, signal: null, properties: {} };
    await build.journal.event({ type: 'stepFinished', at: 1, step: 0, logs, ...rest });
    await spool.close();
    expect((await open(dir.path)).builds[0]?.lost).toBeUndefined();
    await truncate(join(build.dir, 'log-0-0'), 1_500);
    expect((await open(dir.path)).builds[0]?.lost).toContain('1000 of 2000 bytes');
  });

  it.each([3, 40, 150])(
    'by SIGKILL everything that was written is there, byte for byte (%d writes)',
    async (writes) => {
      await using dir = await tempDir();
      const program = fileURLToPath(new URL('../rigs/spool-writer.ts', import.meta.url));
      const child = spawn(process.execPath, [program, dir.path], { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      await new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', () => resolve());
        child.stdout.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (text.split('\n').length > writes) child.kill('SIGKILL');
        });
      });
      const told = Number(text.split('\n').at(-2));
      expect(told).toBeGreaterThan(0);
      const spool = await open(dir.path);
      const [build] = spool.builds;
      expect(build?.sequence).toBe(2);
      const size = build!.logs[0]!.size;
      expect(size).toBeGreaterThanOrEqual(told);
      expect((await contents(build!.logs[0]!)).equals(counted(0, size))).toBe(true);

      await endInterrupted(build!, systemClock);
      const log = await contents(build!.logs[0]!);
      expect(log.subarray(0, size).equals(counted(0, size))).toBe(true);
      expect(log.subarray(size).toString()).toContain('the worker’s process ended');
      const sha256 = createHash('sha256').update(log).digest('hex');
      expect(build!.event(3)).toMatchObject({
        type: 'stepFinished',
        results: 4,
        rc: null,
        logs: [{ name: 'stdio', bytes: log.length, sha256 }],
      });
      expect(build!.event(4)).toMatchObject({ type: 'buildFinished', results: 4 });
      await spool.close();

      // The end itself is kept like everything else, and a second start does not end it again.
      const third = await open(dir.path);
      expect(third.builds[0]).toMatchObject({ sequence: 4, finished: true });
      await third.close();
    },
  );

  it('a log is cut to the last whole record, wherever the file ends or a byte is wrong', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    await build.journal.event({ type: 'buildStarted', at: 1, workdir: '/b' });
    const log = build.journal.log(0, 'stdio');
    const sizes = [100, 1, 65_536, 500];
    for (const [index, size] of sizes.entries()) {
      await log.write(
        'stdout',
        counted(
          sizes.slice(0, index).reduce((a, b) => a + b, 0),
          size,
        ),
      );
    }
    await spool.close();
    const file = join(build.dir, 'log-0-0');
    const good = await readFile(file);
    const ends = sizes.map((_, index) => sizes.slice(0, index + 1).reduce((a, b) => a + b, 0));
    for (const damage of [0, 5, 16, 116, 117, 120, 140, 30_000, 65_700, good.length - 1]) {
      for (const how of ['cut', 'flip'] as const) {
        const bytes = Buffer.from(good);
        if (how === 'flip') bytes[damage]! ^= 0x10;
        await writeFile(file, how === 'cut' ? bytes.subarray(0, damage) : bytes);
        const again = await open(dir.path);
        const { size } = again.builds[0]!.logs[0]!;
        expect([0, ...ends]).toContain(size);
        expect(size).toBeLessThan(ends.at(-1)!);
        expect((await contents(again.builds[0]!.logs[0]!)).equals(counted(0, size))).toBe(true);
        expect((await stat(file)).size).toBe(size === 0 ? 0 : size + 17 * (ends.indexOf(size) + 1));
        await again.close();
      }
    }
  });

  it('a journal is cut to the last whole event, and goes on from there', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    await build.journal.event({ type: 'buildStarted', at: 1, workdir: '/b' });
    await build.journal.event({ type: 'stepStarted', at: 1, step: 0, name: 'a' });
    await spool.close();
    const file = join(build.dir, 'journal');
    await truncate(file, (await stat(file)).size - 3);
    await appendFile(file, 'half a record');
    const again = await open(dir.path);
    expect(again.builds[0]!.sequence).toBe(1);
    await again.builds[0]!.journal.event({ type: 'stepStarted', at: 2, step: 0, name: 'b' });
    await again.close();
    const third = await open(dir.path);
    expect(third.builds[0]!.event(2)).toMatchObject({ name: 'b' });
    await third.close();
  });

  it('an assignment that was never complete is nothing', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    await spool.close();
    await writeFile(join(build.dir, 'lease.json'), '{"build":7');
    const again = await open(dir.path);
    expect(again.builds).toEqual([]);
    expect(await readdir(dir.path)).toEqual([]);
    await again.close();
  });

  it('a build in a full spool ends without waiting for room, which nobody could give', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path, MIB);
    const build = await spool.create(lease);
    await build.journal.event({ type: 'buildStarted', at: 1, workdir: '/w' });
    await build.journal.event({ type: 'stepStarted', at: 1, step: 0, name: 'a' });
    const log = build.journal.log(0, 'stdio');
    await log.write('stdout', counted(0, MIB - 70_000));
    void Promise.resolve(log.write('stdout', counted(0, 65_536))).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    await spool.close();
    const again = await open(dir.path, MIB / 2);
    await endInterrupted(again.builds[0]!, systemClock);
    expect(again.builds[0]!.finished).toBe(true);
    await again.close();
  });

  it('a build of which nothing had begun ends as retry', async () => {
    await using dir = await tempDir();
    const spool = await open(dir.path);
    const build = await spool.create(lease);
    await endInterrupted(build, systemClock);
    expect(build.event(1)).toMatchObject({ type: 'buildFinished', results: 5 });
    await spool.close();
  });
});
