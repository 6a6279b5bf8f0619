import { describe, expect, it } from 'vitest';
import { createFlusher } from '../../../src/store/flusher.ts';

/** A disk whose flushes end when the test says so. */
function slowDisk() {
  const flushes: PromiseWithResolvers<void>[] = [];
  const sync = () => {
    const flush = Promise.withResolvers<void>();
    flushes.push(flush);
    return flush.promise;
  };
  return { flushes, sync };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const commit = () => Promise.resolve();

/** Whether a promise has resolved by now. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  promise.then(
    () => (over = true),
    () => (over = true),
  );
  await turn();
  return over;
}

describe('commits that are made durable in groups', () => {
  it('share the flush that begins after them, and never one that began before', async () => {
    const { flushes, sync } = slowDisk();
    const flusher = createFlusher(sync);
    await flusher.commit(commit);
    const first = flusher.flush();
    await flusher.commit(commit);
    const second = flusher.flush();
    await flusher.commit(commit);
    const third = flusher.flush();
    expect(flushes).toHaveLength(1);
    flushes[0]?.resolve();
    await first;
    expect(await isOver(second)).toBe(false);
    expect(flushes).toHaveLength(2);
    flushes[1]?.resolve();
    await Promise.all([second, third]);
    expect(flushes).toHaveLength(2);
  });

  it('hold up readers until what they may have seen is on the disk, and nobody when all is', async () => {
    const { flushes, sync } = slowDisk();
    const flusher = createFlusher(sync);
    await flusher.settled();
    expect(flushes).toHaveLength(0);
    await flusher.commit(commit);
    const reader = flusher.settled();
    expect(await isOver(reader)).toBe(false);
    flushes[0]?.resolve();
    await reader;
    await flusher.settled();
    expect(flushes).toHaveLength(1);
  });

  it('hold up a reader that saw a commit whose end is not told yet', async () => {
    const { flushes, sync } = slowDisk();
    const flusher = createFlusher(sync);
    const ending = Promise.withResolvers<void>();
    const committed = flusher.commit(() => ending.promise);
    const reader = flusher.settled();
    expect(await isOver(reader)).toBe(false);
    ending.resolve();
    await committed;
    const writer = flusher.flush();
    flushes[0]?.resolve();
    await reader;
    // It began before the commit was known to be over: for the writer there is another.
    expect(await isOver(writer)).toBe(false);
    flushes[1]?.resolve();
    await writer;
  });

  it('fail all alike once a flush has failed, since nobody knows what the disk has', async () => {
    const { flushes, sync } = slowDisk();
    const flusher = createFlusher(sync);
    await flusher.commit(commit);
    const first = flusher.flush();
    const second = flusher.flush();
    flushes[0]?.reject(new Error('EIO'));
    await expect(first).rejects.toThrow('EIO');
    await expect(second).rejects.toThrow('EIO');
    await expect(flusher.flush()).rejects.toThrow('EIO');
    await expect(flusher.settled()).rejects.toThrow('EIO');
    await flusher.idle();
    expect(flushes).toHaveLength(1);
  });
});
