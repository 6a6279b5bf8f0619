import { expect, it } from 'vitest';
import type { LogWriter } from '../../../../../src/build/journal.ts';
import { writeBehind } from '../../../../../src/runtime/worker/keeper/write-behind.ts';

function slowLog() {
  const waiting: PromiseWithResolvers<void>[] = [];
  const log: LogWriter = {
    write() {
      const next = Promise.withResolvers<void>();
      waiting.push(next);
      return next.promise;
    },
    finish: async () => ({ bytes: 0, sha256: '' }),
  };
  return { log, waiting };
}

it('is waited for only while more than a mebibyte is on its way', async () => {
  const { log, waiting } = slowLog();
  const behind = writeBehind(log);
  for (let n = 0; n < 16; n += 1) expect(behind.write('stdout', Buffer.alloc(65_536))).toBeUndefined();
  const held = behind.write('stdout', Buffer.alloc(1));
  expect(held).toBeInstanceOf(Promise);
  for (const { resolve } of waiting) resolve();
  await held;
  expect(behind.write('stdout', Buffer.alloc(1))).toBeUndefined();
});

it('is settled when all is written, and fails with what any write failed with, then and later', async () => {
  const { log, waiting } = slowLog();
  const behind = writeBehind(log);
  void behind.write('stdout', Buffer.alloc(1));
  void behind.write('stdout', Buffer.alloc(1));
  waiting[0]?.reject(new Error('no disk'));
  waiting[1]?.resolve();
  await expect(behind.settle()).rejects.toThrow('no disk');
  expect(() => behind.write('stdout', Buffer.alloc(1))).toThrow('no disk');
});
