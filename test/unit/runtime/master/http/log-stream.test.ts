import { open } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import type { Farm } from '../../../../../src/runtime/master/events.ts';
import { readLog } from '../../../../../src/runtime/master/http/log-stream.ts';
import type { LogIntake } from '../../../../../src/runtime/master/logs.ts';
import { openLogFiles } from '../../../../../src/store/log-files.ts';
import { tempDir } from '../../../../rigs/temp-dir.ts';

const QUERY = { offset: 0, follow: true, channels: 'all', pieces: false } as const;

it('who follows a log misses nothing of what a failed flush takes back and its worker brings again', async () => {
  await using dir = await tempDir();
  await using files = await openLogFiles(dir.path);
  const text = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7_919) % 251));
  const put = (from: number, to: number) =>
    files.append(1, { offset: from, channel: 'stdout', at: 1, bytes: text.subarray(from, to) });
  await put(0, 100_000);
  await files.sync([1]);
  await put(100_000, 200_000);
  await failSync();
  expect(await files.size(1)).toBe(100_000);

  const row = { bytes: 0, complete: false, pruned: false, content: null };
  let wake = () => {};
  // The intake has not heard yet that the file is shorter.
  const logs = {
    show: async () => {},
    sizeOf: () => text.length,
    listen: (_: number, listener: () => void) => {
      wake = listener;
      return () => {};
    },
  } as unknown as LogIntake;
  const farm = { store: { read: async () => ({ ...row }) } } as unknown as Farm;
  const stop = new AbortController();
  const reader = readLog({ farm, files, logs }, { logid: 1, buildid: 1 }, QUERY, stop.signal);
  const got: Uint8Array[] = [];
  const read = async (to: number) => {
    while (Buffer.concat(got).length < to) {
      const { value, done } = await reader.next();
      if (done === true) return;
      got.push(value);
    }
  };
  await read(100_000);
  const rest = read(200_001);
  await put(100_000, 200_000);
  row.complete = true;
  wake();
  await rest;
  expect(Buffer.concat(got).equals(text)).toBe(true);

  async function failSync(): Promise<void> {
    const handle = await open(dir.path, 'r');
    const datasync = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'datasync');
    await handle.close();
    datasync.mockRejectedValueOnce(Object.assign(new Error('i/o error'), { code: 'EIO' }));
    await expect(files.sync([1])).rejects.toMatchObject({ code: 'BBX-STO-IO' });
    datasync.mockRestore();
  }
});
