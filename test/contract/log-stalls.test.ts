import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { LogBytes, MasterSession } from '../../src/protocol/bbx/master-contract.ts';
import { KEPT_BYTES, MOST_KEPT } from '../../src/runtime/master/log-stalls.ts';
import { createLogIntake } from '../../src/runtime/master/logs.ts';
import type { Running } from '../../src/runtime/master/running.ts';
import { createTroubleList } from '../../src/runtime/master/trouble.ts';
import { codes as storeCodes } from '../../src/store/codes.ts';
import type { LogFiles } from '../../src/store/log-files.ts';
import type { Store } from '../../src/store/store.ts';
import { until } from '../rigs/wait.ts';

const MIB = 1024 * 1024;

/** Log files in memory, of which some have no room, and some cannot be flushed. */
function memoryFiles() {
  const synced = new Map<number, number>();
  const unflushable = new Set<number>();
  /** Makes a log durable, or gives up what is not, as the real ones do. */
  const flush = (logid: number): number => {
    const log = logs.get(logid) ?? Buffer.alloc(0);
    if (synced.get(logid) === log.length) return log.length;
    if (unflushable.has(logid)) {
      logs.set(logid, log.subarray(0, synced.get(logid) ?? 0));
      throw storeCodes['BBX-STO-IO']({ file: `${logid}.log`, problem: 'EIO' });
    }
    synced.set(logid, log.length);
    return log.length;
  };
  const logs = new Map<number, Buffer>();
  const full = new Set<number>();
  const removed: number[] = [];
  const gate = { tried: 0, open: Promise.resolve() };
  /** Logs whose flushes take until then. */
  const slow = new Map<number, Promise<void>>();
  const files = {
    append: async (logid: number, { offset, bytes }: { offset: number; bytes: Uint8Array }) => {
      gate.tried += 1;
      await gate.open;
      if (full.has(logid)) throw storeCodes['BBX-STO-FULL']({ file: `${logid}.log` });
      const log = logs.get(logid) ?? Buffer.alloc(0);
      if (offset > log.length) throw storeCodes['BBX-STO-LOG-HOLE']({ logid, offset, size: log.length });
      logs.set(logid, Buffer.concat([log, bytes.subarray(log.length - offset)]));
      return logs.get(logid)!.length;
    },
    sync: async (ids: Iterable<number>) => {
      for (const id of ids) await slow.get(id);
      try {
        return new Map([...ids].map((id) => [id, flush(id)]));
      } catch (error) {
        // The file is cut before that is told.
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw error;
      }
    },
    size: async (logid: number) => logs.get(logid)?.length ?? 0,
    remove: async (logid: number) => void removed.push(logid),
    seal: async (logid: number, expected?: { bytes?: number; sha256?: string }) => {
      if (full.has(logid)) throw storeCodes['BBX-STO-FULL']({ file: `${logid}.log` });
      const size = logs.get(logid)?.length ?? 0;
      const { bytes = size } = expected ?? {};
      if (bytes !== size) throw storeCodes['BBX-STO-LOG-SIZE']({ logid, size, expected: bytes });
      if (expected?.sha256 !== undefined && expected.sha256 !== 'good')
        throw storeCodes['BBX-STO-LOG-HASH']({ logid, found: 'good', expected: expected.sha256 });
      flush(logid);
      return { bytes: logs.get(logid)?.length ?? 0, sha256: 'good', lines: 0, damaged: [] };
    },
  } as unknown as LogFiles;
  return { files, logs, full, unflushable, slow, removed, gate };
}

/** The intake of a master, and a session that can let streams rest: what it says, and how far each log has been sent. */
function rig({ canPause = true } = {}) {
  const { files, ...disk } = memoryFiles();
  const trouble = createTroubleList({ clock: systemClock, log: silentLog });
  const store = { write: async () => undefined } as unknown as Store;
  const intake = createLogIntake({ files, store, clock: systemClock, log: silentLog, trouble });
  // What is followed goes to the disk soon, and nothing here waits for that.
  for (let logid = 1; logid < 10; logid += 1) intake.listen(logid, () => undefined);
  const said: string[] = [];
  const rest = new Map<string, number>();
  const sent = new Map<string, number>();
  const acknowledged = new Map<string, number>();
  const session = {
    pauseLog: (_: unknown, { log, from }: { log: string; from: number }) => {
      if (!canPause) return false;
      if (!rest.has(log)) said.push(`pause ${log}`);
      rest.set(log, Math.min(from, sent.get(log) ?? 0));
      return true;
    },
    proceedLog: (_: unknown, { log }: { log: string }) => {
      if (!rest.has(log)) return;
      said.push(`proceed ${log}`);
      sent.set(log, rest.get(log)!);
      rest.delete(log);
    },
    acknowledge: (_: unknown, { logs: stored }: { logs: { log: string; bytes: number }[] }) => {
      for (const { log, bytes } of stored) acknowledged.set(log, bytes);
    },
    close: (code: number) => void said.push(`close ${code}`),
  } as unknown as MasterSession;
  const build = {
    ...{ lease: { build: 1, token: 't' }, builder: 'app', number: 1, session },
    ...{ steps: new Map(), logs: new Map(), ended: false },
  } as unknown as Running;
  const open = (name: string) => intake.open(build, 0, name);
  /** The next bytes of a log, from where the session says; undefined while it is to rest. */
  const send = (log: ReturnType<typeof open>, bytes: Buffer) => {
    const offset = sent.get(log.name) ?? 0;
    if (rest.has(log.name)) return 'rests';
    sent.set(log.name, offset + bytes.length);
    const about = { build: 1, token: 't', step: 0, log: log.name, channel: 'stdout', at: 1 } as const;
    return intake.take(log, { ...about, offset, bytes } satisfies LogBytes);
  };
  return { intake, trouble, said, sent, acknowledged, build, open, send, ...disk };
}

/** All of a text, as fast as the session takes it. */
async function sendAll(of: ReturnType<typeof rig>, log: ReturnType<typeof of.open>, text: Buffer) {
  for (let at = of.sent.get(log.name) ?? 0; at < text.length; at = of.sent.get(log.name)!) {
    const held = of.send(log, text.subarray(at, at + 65_536));
    if (held === 'rests') throw new Error(`log ${log.name} was held up again`);
    await held;
  }
}
const TEXT = Buffer.from(Array.from({ length: 3 * MIB }, (_, at) => (at * 7919) % 251));

describe('a log that the disk has no room for', () => {
  it('rests alone, keeps little in memory, and goes on by itself with every byte once', async () => {
    const of = rig();
    const [stuck, other] = [of.open('stuck'), of.open('other')];
    of.intake.placed(stuck, 1);
    of.intake.placed(other, 2);
    of.full.add(1);
    for (let at = 0; at < MIB; at += 65_536) {
      const held = of.send(stuck, TEXT.subarray(at, at + 65_536));
      if (held === 'rests') break;
      await held;
    }
    await until('the pause', () => of.said.includes('pause stuck'));
    expect(stuck.waitingBytes).toBeLessThanOrEqual(KEPT_BYTES);
    expect(of.trouble.list()[0]).toMatchObject({ code: 'BBX-MAS-LOG-STORE' });
    await sendAll(of, other, TEXT);
    await until('the other log is there', () => of.logs.get(2)?.length === TEXT.length);
    expect(of.logs.get(2)?.equals(TEXT)).toBe(true);
    // What is written elsewhere says nothing of this one.
    expect(of.trouble.list()).toHaveLength(1);
    expect(of.said).toEqual(['pause stuck']);
    of.full.clear();
    await until('it goes on', () => of.said.includes('proceed stuck'), 4_000);
    await sendAll(of, stuck, TEXT);
    expect(await of.intake.finish(stuck, { bytes: TEXT.length })).toMatchObject({ bytes: TEXT.length });
    expect(of.logs.get(1)?.equals(TEXT)).toBe(true);
    expect(of.trouble.list()).toEqual([]);
    await of.intake.stop();
  });

  it('is not held up where it is small: its end puts it into its row, and no file stays', async () => {
    const of = rig();
    const log = of.open('stdio');
    of.intake.placed(log, 1);
    of.full.add(1);
    void of.send(log, Buffer.from('one\n'));
    await until('the disk was tried', () => of.removed.length > 0);
    void of.send(log, Buffer.from('two\n'));
    const sha256 = createHash('sha256').update('one\ntwo\n').digest('hex');
    expect(of.intake.finishSmall(log, { bytes: 8, sha256 })).toMatchObject({ bytes: 8, receipt: 'verified' });
    expect(of.said).toEqual([]);
    // Nothing says that there is room now.
    expect(of.trouble.list()).toHaveLength(1);
    const other = of.open('other');
    of.intake.placed(other, 2);
    await sendAll(of, other, TEXT.subarray(0, 65_536));
    await until('a write elsewhere', () => of.logs.get(2)?.length === 65_536);
    expect(of.trouble.list()).toEqual([]);
    await of.intake.stop();
  });

  it('ends in its row also when its end comes while the disk is tried', async () => {
    const of = rig();
    const log = of.open('stdio');
    of.intake.placed(log, 1);
    of.full.add(1);
    const open = Promise.withResolvers<void>();
    of.gate.open = open.promise;
    void of.send(log, Buffer.from('one\n'));
    await until('it is being written', () => of.gate.tried > 0);
    expect(of.intake.finishSmall(log, { bytes: 4 })).toBeUndefined();
    const finished = of.intake.finish(log, { bytes: 4 });
    open.resolve();
    expect(await finished).toMatchObject({ bytes: 4, receipt: 'unhashed' });
    await of.intake.stop();
  });

  it('holds up no log behind it that has no row yet: that one rests until it has one', async () => {
    const of = rig();
    const [stuck, next] = [of.open('stuck'), of.open('next')];
    of.intake.placed(stuck, 1);
    of.full.add(1);
    void of.send(stuck, TEXT.subarray(0, 65_536));
    await until('the pause', () => of.said.includes('pause stuck'));
    expect(of.send(next, Buffer.from('little'))).toBeUndefined();
    expect(of.said).not.toContain('pause next');
    expect(of.send(next, TEXT.subarray(0, 65_536))).toBeUndefined();
    expect(of.said).toContain('pause next');
    expect(next.waitingBytes).toBe(0);
    of.intake.placed(next, 2);
    expect(of.said).toContain('proceed next');
    await sendAll(of, next, TEXT);
    await until('it is there', () => of.logs.get(2)?.equals(TEXT));
    await of.intake.stop();
  });

  it('keeps its memory also when two thousand of them wait, and all go on', async () => {
    const of = rig();
    const logs = Array.from({ length: 2_000 }, (_, index) => of.open(`log ${index}`));
    for (const [index, log] of logs.entries()) {
      of.full.add(index + 1);
      of.intake.placed(log, index + 1);
      void of.send(log, TEXT.subarray(0, 5_000));
    }
    await until('all rest', () => of.said.length === logs.length);
    const waiting = logs.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
    expect(waiting).toBeLessThanOrEqual(2 * MIB + 2 * KEPT_BYTES);
    of.full.clear();
    await until('all go on', () => of.said.length === 2 * logs.length, 10_000);
    for (const log of logs) await sendAll(of, log, TEXT.subarray(0, 10_000));
    const stored = () => [...of.acknowledged.values()].every((bytes) => bytes === 10_000);
    await until('all is stored', () => of.acknowledged.size === logs.length && stored(), 10_000);
    expect([...of.logs.values()].every((log) => log.equals(TEXT.subarray(0, 10_000)))).toBe(true);
    await of.intake.stop();
  });

  it('of which nothing is kept, since too many wait, is kept and ends in its row when others have ended', async () => {
    const of = rig();
    const logs = Array.from({ length: MOST_KEPT + 2 }, (_, index) => of.open(`log ${index}`));
    for (const [index, log] of logs.entries()) {
      of.full.add(index + 1);
      of.intake.placed(log, index + 1);
      void of.send(log, TEXT.subarray(0, 100));
    }
    await until('two of them rest', () => of.said.length === 2, 4_000);
    const resting = logs.filter(({ waiting }) => waiting.length === 0);
    expect(resting).toHaveLength(2);
    const ended = resting.map((log) => of.intake.finish(log, { bytes: 100 }));
    const kept = logs.filter((log) => !resting.includes(log));
    for (const log of kept.slice(0, 2))
      expect(of.intake.finishSmall(log, { bytes: 100 })).toMatchObject({ bytes: 100 });
    await until('they go on', () => of.said.length === 4, 4_000);
    for (const log of resting) void of.send(log, TEXT.subarray(0, 100));
    expect(await Promise.all(ended)).toMatchObject([{ bytes: 100 }, { bytes: 100 }]);
    expect(of.logs.size).toBe(0);
    await of.intake.stop();
  });

  it('of a worker that cannot let a stream rest holds its session up, however many share the memory', async () => {
    const of = rig({ canPause: false });
    const logs = Array.from({ length: 12 }, (_, index) => of.open(`log ${index}`));
    for (const [index, log] of logs.entries()) {
      of.full.add(index + 1);
      of.intake.placed(log, index + 1);
    }
    const held: Promise<void>[] = [];
    for (let at = 0; held.length === 0; at += 65_536) {
      for (const log of logs) {
        const more = of.send(log, TEXT.subarray(at, at + 65_536));
        if (more instanceof Promise) held.push(more);
      }
    }
    const waiting = logs.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
    expect(waiting).toBeLessThan(9 * MIB);
    let went = false;
    void held[0]!.then(() => (went = true));
    await until('the disk was tried', () => of.gate.tried > 12);
    expect(went).toBe(false);
    of.full.clear();
    await held[0];
    expect(of.said).toEqual([]);
    await of.intake.stop();
  });

  it('is tried no more when the master has stopped', async () => {
    const of = rig();
    const log = of.open('stuck');
    of.intake.placed(log, 1);
    of.full.add(1);
    void of.send(log, TEXT.subarray(0, 65_536));
    await until('the pause', () => of.said.length === 1);
    const finished = of.intake.finish(log, { bytes: TEXT.length });
    const end = expect(finished).rejects.toThrow('the master stops');
    of.intake.hurry();
    await of.intake.stop();
    await end;
    expect(of.trouble.list()).toHaveLength(1);
  });

  it('that is small stays so when a new session brings it again: it is not counted twice, and ends in its row', async () => {
    const of = rig();
    const log = of.open('stdio');
    of.intake.placed(log, 1);
    of.full.add(1);
    void of.send(log, TEXT.subarray(0, 1_000));
    await until('the disk was tried', () => of.removed.length > 0);
    void of.send(log, TEXT.subarray(1_000, 3_000));
    of.sent.set('stdio', 0);
    void of.send(log, TEXT.subarray(0, 2_500));
    void of.send(log, TEXT.subarray(2_500, 3_000));
    expect(of.said).toEqual([]);
    expect(log.waitingBytes).toBe(3_000);
    expect(of.intake.finishSmall(log, { bytes: 3_000 })).toMatchObject({ bytes: 3_000 });
    await of.intake.stop();
  });

  it('rests anew in a new session of its worker', async () => {
    const of = rig();
    const log = of.open('stuck');
    of.intake.placed(log, 1);
    of.full.add(1);
    void of.send(log, TEXT.subarray(0, 65_536));
    await until('the pause', () => of.said.length === 1);
    const old = of.build.session!;
    const again: number[] = [];
    of.build.session = {
      ...old,
      pauseLog: (_: unknown, { from }: { from: number }) => again.push(from) > 0,
    } as unknown as MasterSession;
    const about = { build: 1, token: 't', step: 0, log: 'stuck', channel: 'stdout', at: 1 } as const;
    expect(of.intake.take(log, { ...about, offset: 0, bytes: TEXT.subarray(0, 65_536) })).toBeUndefined();
    expect(again.at(-1)).toBe(KEPT_BYTES);
    expect(log.waitingBytes).toBe(KEPT_BYTES);
    await of.intake.stop();
  });
});

describe('a log that the disk has taken and cannot keep', () => {
  it('rests alone, is acknowledged as far as it is durable, and goes on by itself with every byte once', async () => {
    const of = rig();
    const [stuck, other] = [of.open('stuck'), of.open('other')];
    of.intake.placed(stuck, 1);
    of.intake.placed(other, 2);
    await sendAll(of, stuck, TEXT.subarray(0, MIB));
    await until('what is durable', () => of.acknowledged.get('stuck') === MIB);
    of.unflushable.add(1);
    await sendAll(of, stuck, TEXT.subarray(0, 2 * MIB));
    await until('the pause', () => of.said.includes('pause stuck'));
    expect(of.trouble.list()[0]).toMatchObject({ code: 'BBX-MAS-LOG-STORE' });
    expect(of.trouble.list()[0]?.message).toContain('EIO');
    await sendAll(of, other, TEXT);
    await until('the other log is durable', () => of.acknowledged.get('other') === TEXT.length);
    // What is durable already needs no flush, and says nothing of the disk.
    of.acknowledged.delete('stuck');
    const about = { build: 1, token: 't', step: 0, log: 'stuck', channel: 'stdout', at: 1 } as const;
    void of.intake.take(stuck, { ...about, offset: 0, bytes: TEXT.subarray(0, 9) });
    await until('its acknowledgement', () => of.acknowledged.get('stuck') === MIB, 4_000);
    expect(of.trouble.list()).toHaveLength(1);
    // It is tried once, with what the worker sends again, and that it can be written says nothing.
    await until('it goes on', () => of.said.includes('proceed stuck'), 4_000);
    expect(of.sent.get('stuck')).toBe(MIB);
    await of.send(stuck, TEXT.subarray(MIB, MIB + 65_536));
    await until('the next pause', () => of.said.filter((what) => what === 'pause stuck').length === 2);
    expect(of.trouble.list()).toHaveLength(1);
    expect(of.acknowledged.get('stuck')).toBe(MIB);
    of.unflushable.clear();
    await until('it goes on again', () => of.said.at(-1) === 'proceed stuck', 6_000);
    await sendAll(of, stuck, TEXT);
    await until('all of it is durable', () => of.acknowledged.get('stuck') === TEXT.length);
    expect(of.logs.get(1)?.equals(TEXT)).toBe(true);
    expect(of.trouble.list()).toEqual([]);
    expect(of.said).not.toContain('close 4006');
    await of.intake.stop();
  });

  it('is closed only when its bytes have come again, if the flush of its end has failed', async () => {
    const of = rig();
    const log = of.open('stdio');
    of.intake.placed(log, 1);
    const text = TEXT.subarray(0, 65_536);
    const finished = of.intake.finish(log, { bytes: text.length });
    of.unflushable.add(1);
    await sendAll(of, log, text);
    await until('the pause', () => of.said.includes('pause stdio'), 4_000);
    of.unflushable.clear();
    await until('it goes on', () => of.said.includes('proceed stdio'), 4_000);
    await sendAll(of, log, text);
    expect(await finished).toMatchObject({ bytes: text.length, receipt: 'unhashed' });
    expect(of.logs.get(1)?.equals(text)).toBe(true);
    await until('nothing is said any more', () => of.trouble.list().length === 0);
    await of.intake.stop();
  });

  it('is no trouble any more when it is closed before the round of its flush is over', async () => {
    const of = rig();
    const [lost, slow] = [of.open('lost'), of.open('slow')];
    of.intake.placed(lost, 1);
    of.intake.placed(slow, 2);
    const flushed = Promise.withResolvers<void>();
    of.slow.set(2, flushed.promise);
    of.unflushable.add(1);
    const text = TEXT.subarray(0, 300_000);
    void of.send(lost, text);
    void of.send(slow, text);
    await until('its flush has failed', () => of.trouble.list().length > 0);
    of.unflushable.clear();
    expect(await of.intake.finish(lost, {})).toMatchObject({ bytes: 0 });
    flushed.resolve();
    await until('the other is durable', () => of.acknowledged.get('slow') === text.length);
    await of.intake.finish(slow, { bytes: text.length });
    // Nobody waits for the disk, so one without a row does not rest.
    const next = of.open('next');
    void of.send(next, TEXT.subarray(0, KEPT_BYTES + 1));
    expect(of.said).toEqual([]);
    expect(of.trouble.list()).toEqual([]);
    of.intake.placed(next, 3);
    await of.intake.stop();
  });

  it('is closed with all its bytes also where they are not those that its worker counted', async () => {
    const of = rig();
    const log = of.open('stdio');
    of.intake.placed(log, 1);
    const text = TEXT.subarray(0, 600_000);
    await sendAll(of, log, text.subarray(0, 300_000));
    await until('half of it is durable', () => of.acknowledged.get('stdio') === 300_000);
    of.unflushable.add(1);
    await sendAll(of, log, text);
    const finished = of.intake.finish(log, { bytes: text.length, sha256: 'other' });
    await until('the pause', () => of.said.includes('pause stdio'), 4_000);
    of.unflushable.clear();
    await until('it goes on', () => of.said.includes('proceed stdio'), 4_000);
    await sendAll(of, log, text);
    expect(await finished).toMatchObject({ bytes: text.length, receipt: 'mismatch' });
    expect(of.logs.get(1)?.equals(text)).toBe(true);
    await of.intake.stop();
  });

  it('is closed as it is when durable bytes of it are gone: nobody has them any more', async () => {
    const of = rig();
    const log = of.open('stdio');
    of.intake.placed(log, 1);
    await sendAll(of, log, TEXT.subarray(0, 300_000));
    await until('all of it is durable', () => of.acknowledged.get('stdio') === 300_000);
    of.logs.set(1, Buffer.alloc(9));
    expect(await of.intake.finish(log, { bytes: 300_000 })).toMatchObject({ bytes: 9, receipt: 'mismatch' });
    expect(of.said).toEqual([]);
    await of.intake.stop();
  });

  it('rests for a second first, then for two and for four, whatever was written when a flush failed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const of = rig();
      const log = of.open('stdio');
      of.intake.placed(log, 1);
      of.unflushable.add(1);
      const about = { build: 1, token: 't', step: 0, log: 'stdio', channel: 'stdout', at: 1 } as const;
      const rests: number[] = [];
      for (let ms = 0, since = -1, seen = 0; rests.length < 3; ms += 10) {
        // Its worker sends all the time, also what lies behind bytes that are lost already.
        void of.send(log, TEXT.subarray(0, 1_000));
        // Was on its way when it was told to rest.
        if (ms === since + 100)
          void of.intake.take(log, { ...about, offset: 90_000, bytes: TEXT.subarray(0, 9) });
        await vi.advanceTimersByTimeAsync(10);
        for (; seen < of.said.length; seen += 1) {
          if (of.said[seen] === 'pause stdio') since = ms;
          else rests.push(Math.round((ms - since) / 1_000));
        }
      }
      expect(rests).toEqual([1, 2, 4]);
      const stopped = of.intake.stop();
      await vi.advanceTimersByTimeAsync(2_000);
      await stopped;
    } finally {
      vi.useRealTimers();
    }
  });

  it('waits on when the disk is full, too: who waits for it goes on with it', async () => {
    const of = rig();
    const log = of.open('stdio');
    of.intake.placed(log, 1);
    await sendAll(of, log, TEXT.subarray(0, MIB));
    await until('what is durable', () => of.acknowledged.get('stdio') === MIB);
    of.unflushable.add(1);
    const flushed = Promise.withResolvers<void>();
    of.slow.set(1, flushed.promise);
    await sendAll(of, log, TEXT.subarray(0, MIB + 300_000));
    await until('it is written', () => log.written === MIB + 300_000);
    const written = Promise.withResolvers<void>();
    of.gate.open = written.promise;
    void of.send(log, TEXT.subarray(MIB + 300_000, MIB + 600_000));
    flushed.resolve();
    of.slow.clear();
    await until('the pause', () => of.said.includes('pause stdio'));
    const over = log.stall!.over.promise;
    of.full.add(1);
    written.resolve();
    await until('the write is over', () => log.writing === undefined);
    expect([log.waiting.length, log.waitingBytes]).toEqual([0, 0]);
    of.full.clear();
    of.unflushable.clear();
    await over;
    await sendAll(of, log, TEXT);
    expect(await of.intake.finish(log, { bytes: TEXT.length })).toMatchObject({ bytes: TEXT.length });
    expect(of.logs.get(1)?.equals(TEXT)).toBe(true);
    expect(of.said).toEqual(['pause stdio', 'proceed stdio']);
    await of.intake.stop();
  });

  it('costs the session where its worker cannot let a stream rest', async () => {
    const of = rig({ canPause: false });
    const log = of.open('stdio');
    of.intake.placed(log, 1);
    of.unflushable.add(1);
    void of.send(log, TEXT.subarray(0, 65_536));
    await until('the end of the session', () => of.said.includes('close 4006'), 4_000);
    expect(log.written).toBe(0);
    await of.intake.stop();
  });
});
