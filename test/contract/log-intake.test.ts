import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { LogBytes, MasterSession } from '../../src/protocol/bbx/master-contract.ts';
import { LIMITS } from '../../src/protocol/bbx/limits.ts';
import { codes as storeCodes } from '../../src/store/codes.ts';
import type { LogFiles } from '../../src/store/log-files.ts';
import { readSmallLog, SMALL_LOG_BYTES } from '../../src/store/small-log.ts';
import type { Store } from '../../src/store/store.ts';
import { WAITING_BYTES } from '../../src/runtime/master/log-writer.ts';
import { createLogIntake, type LogIntake } from '../../src/runtime/master/logs.ts';
import type { Running } from '../../src/runtime/master/running.ts';
import { createTroubleList } from '../../src/runtime/master/trouble.ts';
import { until } from '../rigs/wait.ts';

/** So much of one log is synced without waiting for company. */
const SYNCED_AT_ONCE = LIMITS.creditBytes / 4;

/** Log files in memory, with a disk that can be full and bytes that can be wrong. */
function diskOf() {
  const disk = { full: false, size: 0, synced: 0, finished: 0, failing: false, hole: false };
  let held: Promise<void> | undefined;
  const full = () => storeCodes['BBX-STO-FULL']({ file: 'log' });
  const files = {
    append: async (_: number, { offset, bytes }: { offset: number; bytes: Uint8Array }) => {
      if (disk.full) throw full();
      if (disk.hole) throw storeCodes['BBX-STO-LOG-HOLE']({ logid: 9, size: disk.size, offset });
      disk.size = Math.max(disk.size, offset + bytes.length);
      return disk.size;
    },
    sync: async (ids: Iterable<number>) => {
      if (disk.failing) {
        disk.size = disk.synced;
        throw full();
      }
      const { size } = disk;
      await held;
      disk.synced = size;
      return new Map([...ids].map((id) => [id, size]));
    },
    size: async () => disk.size,
    remove: async () => 0,
    seal: async (logid: number, expected?: { sha256?: string }) => {
      if (expected?.sha256 !== undefined && expected.sha256 !== 'good') {
        throw storeCodes['BBX-STO-LOG-HASH']({ logid, found: 'good', expected: expected.sha256 });
      }
      disk.finished += 1;
      return { bytes: disk.size, sha256: 'good', lines: 0, damaged: [] };
    },
  } as unknown as LogFiles;
  return { disk, files, holdSyncs: (until: Promise<void> | undefined) => void (held = until) };
}

function intakeOf(
  files: LogFiles,
  { clock = systemClock, store = QUICK_STORE, canPause = false, followed = true } = {},
) {
  const acknowledged: number[] = [];
  const closed: number[] = [];
  const session = {
    pauseLog: () => canPause,
    proceedLog: () => undefined,
    close: (code: number) => void closed.push(code),
    acknowledge: (_: unknown, { logs = [] }: { logs?: readonly { bytes: number }[] }) =>
      void acknowledged.push(...logs.map(({ bytes }) => bytes)),
  } as unknown as MasterSession;
  const build = {
    lease: { build: 1, token: 't' },
    builder: 'app',
    number: 1,
    session,
    steps: new Map(),
    course: { sequence: 1, steps: new Map([[0, 'runs']]) },
    ended: false,
  };
  const trouble = createTroubleList({ clock: systemClock, log: silentLog });
  const intake = createLogIntake({ files, store, clock, log: silentLog, trouble });
  const log = intake.open(build as unknown as Running, 0, 'stdio');
  // It gets its file soon.
  if (followed) intake.listen(9, () => undefined);
  const piece = (offset: number, text: string): LogBytes => ({
    ...{ build: 1, token: 't', step: 0, log: 'stdio', channel: 'stdout', at: 1 },
    ...{ offset, bytes: Buffer.from(text) },
  });
  return { intake, log, piece, acknowledged, closed, trouble };
}

const QUICK_STORE = { write: async () => undefined } as unknown as Store;

describe('what workers send of logs', () => {
  it('is acknowledged also while the store is late: the sizes in the rows wait for it alone', async () => {
    const { files } = diskOf();
    let asked = 0;
    const late = Promise.withResolvers<void>();
    const store = { write: () => ((asked += 1), late.promise) } as unknown as Store;
    let ahead = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + ahead };
    const { intake, log, piece, acknowledged } = intakeOf(files, { clock, store });
    intake.placed(log, 9);
    ahead = 60_000;
    void intake.take(log, piece(0, 'abc'));
    await until('the store is asked', () => asked === 1, 2_000);
    ahead = 120_000;
    void intake.take(log, piece(3, 'def'));
    await until('the acknowledgement', () => acknowledged.includes(6), 2_000);
    expect(asked).toBe(1);
    late.resolve();
    await intake.stop();
  });

  it('rests alone when its row is late: its session is held up for a second, and goes on without it', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files, { canPause: true });
    const held = intake.take(log, piece(0, 'x'.repeat(WAITING_BYTES + 1)));
    expect(held).toBeInstanceOf(Promise);
    await held;
    // Its worker has all of it.
    expect(log.waitingBytes).toBe(0);
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'abc'));
    await until('the write', () => disk.size === 3, 2_000);
    await intake.stop();
  });

  it('waits in memory until the log has its row, and is acknowledged when it is on the disk', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece, acknowledged } = intakeOf(files);
    void intake.take(log, piece(0, 'abc'));
    expect(disk.size).toBe(0);
    intake.placed(log, 9);
    await until('the acknowledgement', () => acknowledged.length > 0, 2_000);
    expect(acknowledged).toEqual([3]);
    expect(disk.synced).toBe(3);
    await intake.stop();
  });

  it('is not acknowledged while the disk is full; that is said, and it goes on when there is space', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece, acknowledged, trouble } = intakeOf(files);
    intake.placed(log, 9);
    disk.full = true;
    void intake.take(log, piece(0, 'abc'));
    await until('the trouble', () => trouble.list().length > 0, 2_000);
    expect(trouble.list()[0]).toMatchObject({ code: 'BBX-MAS-LOG-STORE' });
    expect(acknowledged).toEqual([]);
    disk.full = false;
    await until('the acknowledgement', () => acknowledged.includes(3), 4_000);
    expect(trouble.list()).toEqual([]);
    await intake.stop();
  });

  it('that came before is acknowledged again: the session that brings it anew knows nothing of the first time', async () => {
    const { files } = diskOf();
    const { intake, log, piece, acknowledged } = intakeOf(files);
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'abc'));
    await until('the acknowledgement', () => acknowledged.length === 1, 2_000);
    void intake.take(log, piece(0, 'abc'));
    await until('the second acknowledgement', () => acknowledged.length === 2, 2_000);
    expect(acknowledged).toEqual([3, 3]);
    await intake.stop();
  });

  it('is closed once, however many ask: with the same end for all', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files);
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'abc'));
    const first = await intake.finish(log, { bytes: 3, sha256: 'good' });
    // Its transaction failed, and the step's end is written again.
    expect(await intake.finish(log, { bytes: 3, sha256: 'good' })).toEqual(first);
    expect(disk.finished).toBe(1);
    await intake.stop();
  });

  it('that waits for bytes which never come is closed when the build is given up, for both who ask', async () => {
    const { files } = diskOf();
    const { intake, log, piece } = intakeOf(files);
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'abc'));
    const step = intake.finish(log, { bytes: 30, sha256: 'good' });
    const left = intake.finish(log, {});
    expect(await left).toMatchObject({ bytes: 3, receipt: 'unsaid' });
    expect(await step).toMatchObject({ bytes: 3 });
    await intake.stop();
  });

  it('holds the sender up when much of one log waits for the disk', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files);
    intake.placed(log, 9);
    disk.full = true;
    expect(intake.take(log, piece(0, 'x'.repeat(WAITING_BYTES)))).toBeUndefined();
    const held = intake.take(log, piece(WAITING_BYTES, 'x'));
    expect(held).toBeInstanceOf(Promise);
    disk.full = false;
    await held;
    expect(disk.size).toBeGreaterThanOrEqual(WAITING_BYTES);
    await intake.stop();
    expect(disk.size).toBe(WAITING_BYTES + 1);
  });

  it('whose write failed for good wait no longer: what comes again does not hold its sender up', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece, closed } = intakeOf(files);
    intake.placed(log, 9);
    disk.hole = true;
    void intake.take(log, piece(0, 'x'.repeat(WAITING_BYTES)));
    await until('the end of the session', () => closed.length > 0, 2_000);
    disk.hole = false;
    expect(intake.take(log, piece(0, 'x'))).toBeUndefined();
    await intake.stop();
    expect(disk.size).toBe(1);
  });

  it('that are not what the worker counted are said loudly, and do not hold up the build', async () => {
    const { files } = diskOf();
    const { intake, log, piece, trouble } = intakeOf(files);
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'abc'));
    expect(await intake.finish(log, { bytes: 3, sha256: 'x' })).toEqual({
      ...{ bytes: 3, sha256: 'good', lines: 0 },
      receipt: 'mismatch',
    });
    expect(trouble.list()[0]).toMatchObject({ code: 'BBX-MAS-LOG-MISMATCH' });
    await intake.stop();
  });

  it('that a failed disk lost are waited for, and come again, before the log is closed', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece, acknowledged, closed } = intakeOf(files);
    intake.placed(log, 9);
    disk.failing = true;
    void intake.take(log, piece(0, 'abc'));
    await until('the failure', () => closed.length > 0, 2_000);
    const finished = intake.finish(log, { bytes: 3, sha256: 'good' });
    disk.failing = false;
    void intake.take(log, piece(0, 'abc'));
    expect(await finished).toMatchObject({ bytes: 3, sha256: 'good', receipt: 'verified' });
    expect(acknowledged).toEqual([]);
    await intake.stop();
  });

  it('does not hold up who brought it when the disk is full and the master is about to stop', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files);
    intake.placed(log, 9);
    disk.full = true;
    const held = intake.take(log, piece(0, 'x'.repeat(WAITING_BYTES + 1)));
    expect(held).toBeInstanceOf(Promise);
    intake.hurry();
    await expect(held).rejects.toMatchObject({ code: 'BBX-STO-FULL' });
    await intake.stop();
  });

  it('holds the sender up when much of one log waits for its row, and is written when that is there', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files);
    expect(intake.take(log, piece(0, 'x'.repeat(WAITING_BYTES)))).toBeUndefined();
    const held = intake.take(log, piece(WAITING_BYTES, 'x'));
    expect(held).toBeInstanceOf(Promise);
    expect(disk.size).toBe(0);
    intake.placed(log, 9);
    await held;
    expect(disk.size).toBe(WAITING_BYTES + 1);
    await intake.stop();
  });

  it.each<[string, (intake: LogIntake, build: Running) => void, object | undefined]>([
    ['build ends', (intake, build) => intake.ended(build), undefined],
    ['master is about to stop', (intake) => intake.hurry(), { message: 'the master stops' }],
  ])('that wait for a row do not hold up who brought them when the %s', async (_, act, reason) => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files);
    const held = Promise.resolve(intake.take(log, piece(0, 'x'.repeat(WAITING_BYTES + 1))));
    const end = held.then(
      () => undefined,
      (error: unknown) => error,
    );
    act(intake, { ...log.build, logs: new Map([['0/stdio', log]]) });
    const got = await end;
    if (reason === undefined) expect(got).toBeUndefined();
    else expect(got).toMatchObject(reason);
    expect(disk.size).toBe(0);
    await intake.stop();
  });

  it('is acknowledged before the master ends, also what comes while the disk is asked to keep what was before', async () => {
    const { files, holdSyncs } = diskOf();
    const { intake, log, piece, acknowledged } = intakeOf(files);
    const slow = Promise.withResolvers<void>();
    holdSyncs(slow.promise);
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'x'.repeat(SYNCED_AT_ONCE)));
    await until('the write', () => intake.sizeOf(9) === SYNCED_AT_ONCE, 2_000);
    void intake.take(log, piece(SYNCED_AT_ONCE, 'abc'));
    await until('the next write', () => intake.sizeOf(9) === SYNCED_AT_ONCE + 3, 2_000);
    const stopped = intake.stop();
    slow.resolve();
    await stopped;
    expect(acknowledged).toEqual([SYNCED_AT_ONCE, SYNCED_AT_ONCE + 3]);
  });

  /** What a log that stands in its row holds, put together. */
  const textOf = (content = '') =>
    Buffer.concat(
      [...readSmallLog(content, 0, { from: 0, to: Infinity })].map(({ bytes }) => bytes),
    ).toString();

  it('that is little and ends soon stands in the row: no file is begun, and what comes again is not taken twice', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece, acknowledged } = intakeOf(files);
    void intake.take(log, piece(0, 'abc'));
    void intake.take(log, piece(3, 'de\n'));
    // A new session: from the beginning, in other pieces.
    void intake.take(log, piece(0, 'abcde'));
    void intake.take(log, piece(5, '\nf'));
    const sha256 = createHash('sha256').update('abcde\nf').digest('hex');
    const end = intake.finishSmall(log, { bytes: 7, sha256 });
    expect(end).toMatchObject({ bytes: 7, sha256, lines: 1, receipt: 'verified' });
    expect(textOf(end?.content)).toBe('abcde\nf');
    void intake.take(log, piece(0, 'abcde\nf'));
    expect(intake.finishSmall(log, { bytes: 7, sha256 })).toEqual(end);
    intake.placed(log, 9);
    // Not before its row is committed: until then the worker keeps it.
    expect(log.stored).toBe(0);
    intake.kept(log);
    expect(log.stored).toBe(7);
    await intake.stop();
    expect(disk).toMatchObject({ size: 0, finished: 0 });
    expect(acknowledged).toEqual([]);
  });

  it.each<[string, number, { bytes: number; sha256: string }]>([
    ['have another hash than the worker counted', 3, { bytes: 3, sha256: 'x' }],
    ['are fewer than the worker counted', 3, { bytes: 4, sha256: 'good' }],
    ['are many', SMALL_LOG_BYTES + 1, { bytes: SMALL_LOG_BYTES + 1, sha256: 'good' }],
  ])('has a file when its bytes %s', async (_, bytes, expected) => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files);
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'x'.repeat(bytes)));
    expect(intake.finishSmall(log, expected)).toBeUndefined();
    await until('the file', () => disk.size === bytes, 2_000);
    await intake.stop();
  });

  it('has a file when its end does not come soon', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files, { followed: false });
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'abc'));
    await until('the file', () => disk.size === 3, 5_000);
    expect(intake.finishSmall(log, { bytes: 3 })).toBeUndefined();
    await intake.stop();
  });

  it('has a file sooner when somebody follows it', async () => {
    const rigs = [true, false].map((followed) => {
      const { files, disk } = diskOf();
      return { disk, ...intakeOf(files, { followed }) };
    });
    const [followed, other] = rigs;
    for (const { intake, log, piece } of rigs) {
      intake.placed(log, 9);
      void intake.take(log, piece(0, 'abc'));
    }
    await until('the file', () => followed!.disk.size === 3, 2_000);
    expect(other!.disk.size).toBe(0);
    for (const { intake } of rigs) await intake.stop();
  });

  it('has a file at once when somebody comes to read it', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files, { followed: false });
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'abc'));
    expect(disk.size).toBe(0);
    await intake.show(9);
    expect(disk.size).toBe(3);
    await intake.stop();
  });

  it('is what a new session brings, unless its end was told: then its bytes stand with that', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files, { followed: false });
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'former'));
    await intake.comeAgain([log]);
    void intake.take(log, piece(0, 'new'));
    log.build.course.steps.set(0, 'ended');
    await intake.comeAgain([log]);
    expect(textOf(intake.finishSmall(log, { bytes: 3 })?.content)).toBe('new');
    await intake.stop();
    expect(disk.size).toBe(0);
  });

  it('is stored before a new session brings the rest, where it has a file', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece } = intakeOf(files, { followed: false });
    intake.placed(log, 9);
    void intake.take(log, piece(0, 'x'.repeat(SMALL_LOG_BYTES + 1)));
    await until('the file', () => disk.size > 0, 2_000);
    void intake.take(log, piece(SMALL_LOG_BYTES + 1, 'more'));
    await intake.comeAgain([log]);
    expect(log.stored).toBe(SMALL_LOG_BYTES + 5);
    expect(disk.synced).toBe(SMALL_LOG_BYTES + 5);
    await intake.stop();
  });

  it('has a file when one was begun, though the disk has lost what was in it', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece, closed } = intakeOf(files);
    intake.placed(log, 9);
    disk.failing = true;
    void intake.take(log, piece(0, 'abc'));
    await until('the failure', () => closed.length > 0, 2_000);
    disk.failing = false;
    void intake.take(log, piece(0, 'abc'));
    expect(intake.finishSmall(log, { bytes: 3 })).toBeUndefined();
    expect(await intake.finish(log, { bytes: 3 })).toMatchObject({ bytes: 3, receipt: 'unhashed' });
    await intake.stop();
  });

  it('has a file when a former master knew of it: it may have begun one', async () => {
    const { files } = diskOf();
    const { intake, log, piece } = intakeOf(files);
    const former = intake.open(log.build, 0, 'stdio', { logid: 9, stored: 0 });
    void intake.take(former, piece(0, 'abc'));
    expect(intake.finishSmall(former, { bytes: 3 })).toBeUndefined();
    expect(await intake.finish(former, { bytes: 3 })).toMatchObject({ bytes: 3, receipt: 'unhashed' });
    await intake.stop();
  });

  it('is left at the worker when the master stops while the disk is full', async () => {
    const { files, disk } = diskOf();
    const { intake, log, piece, acknowledged } = intakeOf(files);
    intake.placed(log, 9);
    disk.full = true;
    void intake.take(log, piece(0, 'abc'));
    await intake.stop();
    expect(acknowledged).toEqual([]);
  });
});
